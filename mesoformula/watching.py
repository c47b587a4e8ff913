"""
Watch over the code of plugins while it runs.

A call that takes long is named on the error stream while it lasts; one that is interrupted says how to do
without its plugin; and with MESOFORMULA_TRACE=1 every call is told, with who, how long, and how much came of
it.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Sized
from types import TracebackType
from typing import Self, TextIO

from mesoformula.provenance import BLOCK_VARIABLE, PluginInfo, said

#: Set to anything but 0 to have every call told.
TRACE_VARIABLE = "MESOFORMULA_TRACE"

#: Seconds that a call may take before it is named.
PATIENCE = 2.0


class Call:
    """One piece of a plugin's code that runs."""

    __slots__ = ("_watch", "is_named", "may_print", "plugin", "size", "started", "what")

    def __init__(self, watch: Watch, plugin: PluginInfo, what: str, is_named: bool) -> None:
        self._watch = watch
        self.plugin = plugin
        self.what = what
        self.is_named = is_named
        self.may_print = is_named
        self.started = 0.0
        self.size: int | None = None

    def gave(self, result: object) -> None:
        """
        Note how much came of it.

        Args:
            result: Of the call: things one by one, one thing, or None.
        """
        if self._watch.traces:
            if isinstance(result, Sized):
                self.size = len(result)
            else:
                self.size = 0 if result is None else 1

    def __enter__(self) -> Self:
        self.started = time.monotonic()
        self._watch.begin(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._watch.end(self, err)


class Watch:
    """
    Watches over calls, from whatever thread.

    Attributes:
        traces: Whether every call is told.
    """

    def __init__(self, *, patience: float = PATIENCE, traces: bool | None = None) -> None:
        """
        Start with nothing to watch.

        Args:
            patience: Seconds that a call may take before it is named.
            traces: Whether every call is told; None for what MESOFORMULA_TRACE says.
        """
        self.traces = os.environ.get(TRACE_VARIABLE, "0") not in ("", "0") if traces is None else traces
        self._patience = patience
        self._running: dict[int, Call] = {}
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None
        self._inside = 0
        self._output: TextIO | None = None

    def over(self, plugin: PluginInfo, what: str, *, may_last: bool = False) -> Call:
        """
        Watch over what runs within a `with`.

        Args:
            plugin: Whose code it is.
            what: Runs, such as a hook's name.
            may_last: Whether it may take long without being named, and print, as a command does.

        Returns:
            The call, to tell what came of it.
        """
        return Call(self, plugin, what, may_last)

    def begin(self, call: Call) -> None:
        """
        Take notice that a call runs. It costs few steps: the thread that looks at clocks looks by itself.

        Unless it is a command, what it prints goes to the error stream: programs read the other one.

        Args:
            call: That runs.
        """
        if not call.may_print:
            with self._guard:
                if not self._inside:
                    self._output, sys.stdout = sys.stdout, sys.stderr
                self._inside += 1
        self._running[id(call)] = call
        if self._thread is None:
            self._look_on()

    def end(self, call: Call, err: BaseException | None) -> None:
        """
        Take notice that a call is over.

        Args:
            call: That ran.
            err: What it raised, if anything.
        """
        self._running.pop(id(call), None)
        if not call.may_print:
            with self._guard:
                self._inside -= 1
                if not self._inside and self._output is not None:
                    sys.stdout = self._output
        if isinstance(err, KeyboardInterrupt) and not interrupted_in(err):
            err.add_note(_line(f"plugin {call.plugin} was running {call.what}; {_how_to_do_without(call)}"))
        if self.traces:
            _tell(_traced(call, err, time.monotonic() - call.started))

    def _look_on(self) -> None:
        with self._guard:
            if self._thread is None:
                # A daemon: what it waits for must not keep the program from ending.
                self._thread = threading.Thread(target=self._look, name="mesoformula-watch", daemon=True)
                self._thread.start()

    def _look(self) -> None:
        while True:
            # A call that begins while this sleeps is seen in time: it cannot be overdue by then.
            time.sleep(self._name_overdue())
            if not self._running:
                with self._guard:
                    self._thread = None
                    if not self._running:
                        return
                    # Began in between, and may have seen this thread as there still.
                    self._thread = threading.current_thread()

    def _name_overdue(self) -> float:
        """Name the calls that take long, and tell how long until the next may."""
        soonest = self._patience
        for call in list(self._running.values()):
            if call.is_named:
                continue
            left = call.started + self._patience - time.monotonic()
            if left > 0:
                soonest = min(soonest, left)
            else:
                call.is_named = True
                _tell(
                    f"mesoformula: waiting for plugin {call.plugin}, whose {call.what} takes more than "
                    f"{self._patience:g} s; Ctrl-C ends it; {_how_to_do_without(call)}"
                )
        return soonest


def interrupted_in(err: BaseException) -> tuple[str, ...]:
    """
    Tell which plugin's code was interrupted.

    Args:
        err: That ended the program, such as `KeyboardInterrupt`.

    Returns:
        What to say of it, one line each; none if no plugin's code was running.
    """
    return tuple(note for note in getattr(err, "__notes__", ()) if BLOCK_VARIABLE in note)


def _how_to_do_without(call: Call) -> str:
    return f"{BLOCK_VARIABLE}={call.plugin.name} leaves the plugin out"


def _traced(call: Call, err: BaseException | None, seconds: float) -> str:
    if err is not None:
        outcome = f"raised {said(err)}"
    elif call.size is None:
        outcome = "done"
    else:
        outcome = "1 thing" if call.size == 1 else f"{call.size or 'nothing'}{' things' * bool(call.size)}"
    return f"trace: {call.what} of {call.plugin}: {outcome} in {seconds * 1000:.1f} ms"


def _line(text: str) -> str:
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)


def _tell(text: str) -> None:
    if sys.stderr is not None:  # as under pythonw, where nobody would see it
        print(_line(text), file=sys.stderr, flush=True)  # noqa: T201 (beside whatever the program prints)
