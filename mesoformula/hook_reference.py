"""The reference of the hooks, made of the docstrings of `mesoformula.hookspecs`."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping

import attrs

from mesoformula.hookspecs import PROJECT, Specs

_SECTIONS = ("Args", "Returns", "Raises", "Example")
_ITEM = re.compile(r"(\w+): (.*)")


@attrs.frozen
class HookDoc:
    """
    What there is to know of one hook.

    Attributes:
        name: Such as `mesoformula_zones`.
        signature: With the types of its arguments and of its answer.
        summary: What it is for, in one sentence.
        called: When it is called, and what else holds, in paragraphs.
        arguments: Sentences by argument, in order.
        returns: What it answers with, and what None or nothing means.
        raises: Sentences by exception.
        example: A complete plugin that implements it.
    """

    name: str
    signature: str
    summary: str
    called: tuple[str, ...]
    arguments: Mapping[str, str]
    returns: str
    raises: Mapping[str, str]
    example: str


def hook_docs() -> tuple[HookDoc, ...]:
    """
    Read the reference.

    Returns:
        One entry per hook, in the order of the contract.
    """
    return tuple(_read(name) for name in vars(Specs) if name.startswith(f"{PROJECT}_"))


def _read(name: str) -> HookDoc:
    function = getattr(Specs, name)
    text, parts = _sections(inspect.getdoc(function) or "")
    summary, *called = [" ".join(paragraph.split()) for paragraph in text.split("\n\n")]
    return HookDoc(
        name,
        _signature(name),
        summary,
        tuple(called),
        _items(parts.get("Args", "")),
        " ".join(parts.get("Returns", "").split()),
        _items(parts.get("Raises", "")),
        parts.get("Example", "").strip().removeprefix("```python\n").removesuffix("\n```"),
    )


def _signature(name: str) -> str:
    signature = inspect.signature(getattr(Specs, name))
    wanted = [f"{one.name}: {one.annotation}" for one in signature.parameters.values() if one.name != "self"]
    return f"{name}({', '.join(wanted)}) -> {signature.return_annotation}"


def _sections(text: str) -> tuple[str, dict[str, str]]:
    """Split a docstring into what stands before its sections, and those."""
    parts = re.split(rf"^({'|'.join(_SECTIONS)}):\n", text, flags=re.MULTILINE)
    bodies = dict(zip(parts[1::2], map(inspect.cleandoc, parts[2::2]), strict=True))
    return parts[0].strip(), bodies


def _items(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    last = ""
    for line in text.splitlines():
        item = _ITEM.match(line)
        if item is not None:
            last = item[1]
            found[last] = item[2]
        elif last:
            found[last] += f" {line.strip()}"
    return found


def reference() -> str:
    """
    Write the reference as Markdown.

    Returns:
        One section per hook, with its arguments, when it is called, what it returns, and an example.
    """
    return "\n".join(line for one in hook_docs() for line in _markdown(one))


def _markdown(one: HookDoc) -> Iterator[str]:
    yield f"### `{one.name}`"
    yield ""
    yield f"`{one.signature}`"
    yield ""
    yield one.summary
    yield ""
    for paragraph in one.called:
        yield paragraph
        yield ""
    for name, text in one.arguments.items():
        yield f"- `{name}`: {text}"
    yield f"- returns: {one.returns}"
    for name, text in one.raises.items():
        yield f"- raises `{name}`: {text}"
    yield ""
    yield "```python"
    yield one.example
    yield "```"
    yield ""
