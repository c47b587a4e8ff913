"""
Try a plugin once more in another process, where names hash differently and nothing is in memory yet.

Run as a program, it reads what to try from its standard input, and writes what it has seen to its standard
output, both as JSON.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from mesoformula.provenance import PluginInfo, said

if TYPE_CHECKING:
    from mesoformula.testing.subject import Call

#: Seconds after which the other process is taken to hang.
_PATIENCE = 300

#: Any seed will do that this process does not have.
_SEEDS = ("1", "2")


@attrs.frozen
class Probe:
    """
    What another process has seen.

    Attributes:
        imported: What importing the plugin did besides, in words.
        digests: Of the answer to each call, by its label.
        failure: Why nothing was seen, in words; empty if it was.
    """

    imported: tuple[str, ...] = ()
    digests: Mapping[str, str] = {}
    failure: str = ""


def digests_of(calls: Iterable[Call], folder: Path) -> dict[str, str]:
    """
    Make calls, and write their answers short.

    Args:
        calls: What to call.
        folder: Where their files are: answers may name it, and it differs from process to process.

    Returns:
        Digests by the labels of the calls.
    """
    from hashlib import sha256

    from mesoformula.testing.canonical import canonical

    found = {}
    for call in calls:
        outcome = call.made()
        text = canonical((outcome.value, outcome.raised)).replace(str(folder), "FOLDER")
        found[call.label] = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return found


def probe(reference: str, info: PluginInfo, *, needs_bundled: bool = True) -> Probe:
    """
    Import a plugin in another process and call it there with examples.

    Args:
        reference: `module` or `module:attribute`.
        info: Who it is.
        needs_bundled: As for `Subject`.

    Returns:
        What was seen.
    """
    seed = next(one for one in _SEEDS if one != os.environ.get("PYTHONHASHSEED"))
    asked = {"reference": reference, "info": attrs.asdict(info), "needs_bundled": needs_bundled}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "mesoformula.testing.probing"],
            input=json.dumps(asked | {"path": [str(Path(one).resolve()) for one in sys.path]}),
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=_PATIENCE,
            check=False,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"},
        )
    except subprocess.TimeoutExpired:
        return Probe(failure=f"another process did not get through within {_PATIENCE} seconds")
    try:
        seen = json.loads(done.stdout.rpartition("\n")[2])
        return Probe(tuple(seen["imported"]), seen["digests"], seen["failure"])
    except (ValueError, KeyError, TypeError):
        last = done.stderr.strip().rpartition("\n")[2]
        return Probe(failure=f"another process ended with code {done.returncode}: {last or 'without a word'}")


def seen_here(asked: Mapping[str, Any]) -> Probe:
    """
    Import a plugin in this process, watched, and call it with examples.

    Args:
        asked: What `probe` sends.

    Returns:
        What was seen.
    """
    from mesoformula.testing.effects import watched
    from mesoformula.testing.subject import Subject

    module, _colon, attribute = asked["reference"].partition(":")
    try:
        with watched() as effects:
            plugin: Any = importlib.import_module(module)
            for name in filter(None, attribute.split(".")):
                plugin = getattr(plugin, name)
    except KeyboardInterrupt:
        raise
    except BaseException as err:
        return Probe(failure=f"it cannot be imported in another process ({said(err)})")
    imported = tuple(f"{one.kind} {one.detail}" for one in effects)
    with tempfile.TemporaryDirectory(prefix="mesoformula-kit-") as name:
        folder = Path(name).resolve()
        subject = Subject(plugin, PluginInfo(**asked["info"]), folder, needs_bundled=asked["needs_bundled"])
        return Probe(imported, digests_of(subject.calls, folder))


def main() -> None:
    """Answer one question from the standard input."""
    asked = json.loads(sys.stdin.read())
    sys.path[:] = asked["path"]
    # Whatever a plugin prints must not get between the answer.
    answer = os.dup(1)
    os.dup2(2, 1)
    seen = seen_here(asked)
    text = json.dumps({"imported": seen.imported, "digests": dict(seen.digests), "failure": seen.failure})
    with open(answer, "w", encoding="utf-8") as stream:  # noqa: PTH123 (a number, no path)
        stream.write(text)


if __name__ == "__main__":
    main()
