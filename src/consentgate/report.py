"""Say what the gate did: each dropped name once in the log, every decision to the operator's hook.

Rule 1. No line holds a cookie's value, and every name is printable, on one line, and short.
Rule 2. An app or a visitor that makes up names fills neither the log nor memory.
Rule 3. Nothing here raises into an answer.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from inspect import iscoroutine

from .core.decision import UNNAMED, UNSAFE_HEADER, Action, Decision

_log = logging.getLogger("consentgate")
MAX_NAMES = 1000
MAX_ERRORS = 20

OnDecision = Callable[[Decision], object]
_DROPPED = Action.DROPPED  # looking a member up in its enumeration is slow


class Reporter:
    """Receives the decisions of one gate. A hook that raises is logged, and harms no answer."""

    __slots__ = ("_errors", "_hook", "_said")

    def __init__(self, hook: OnDecision | None = None) -> None:
        self._hook = hook
        self._said: set[tuple[str, str | None]] = set()
        self._errors: set[type[Exception]] = set()

    def __call__(self, decisions: Iterable[Decision]) -> None:
        """Report these decisions."""
        hook = self._hook
        for decision in decisions:
            # A rewritten deletion is no news: what was to go is gone.
            if decision.action is _DROPPED and (decision.name, decision.rule) not in self._said:
                self._say(decision)
            if hook is not None:
                try:
                    result = hook(decision)
                    if iscoroutine(result):
                        result.close()
                        raise TypeError("on_decision is called, not awaited: no async function")
                except Exception as error:  # the operator's code: the page is served all the same
                    self._say_failed(error)

    def _say(self, decision: Decision) -> None:
        if len(self._said) >= MAX_NAMES:
            return
        self._said.add((decision.name, decision.rule))
        _log.warning("%s (said once for each name)", describe(decision))
        if len(self._said) == MAX_NAMES:
            _log.warning("%d names reported; further ones are not", MAX_NAMES)

    def _say_failed(self, error: Exception) -> None:
        kind = type(error)
        if kind in self._errors or len(self._errors) >= MAX_ERRORS:
            return
        self._errors.add(kind)
        _log.error("the on_decision hook failed (said once for each kind of error)", exc_info=error)


def describe(decision: Decision) -> str:
    """Return one sentence: what was done, by which rule, and what to add to the file if any."""
    done = {Action.KEPT: "kept", Action.DROPPED: "dropped", Action.REWRITTEN: "rewrote"}
    verb = done[decision.action] if decision.enforced else f"would have {done[decision.action]}"
    what = "header" if decision.reason == UNSAFE_HEADER else "Set-Cookie"
    text = f"{verb} {what} {_quoted(decision.name)}: {decision.reason}"
    if decision.rule is not None:
        return f"{text}; rule {_quoted(decision.rule)} of category {decision.category}"
    if decision.action is _DROPPED and decision.reason == UNNAMED:
        return text + _advice(decision.name)
    return text


def _advice(name: str) -> str:
    if name == "(no name)":
        return ""
    if "\\" in name or name.endswith("…"):  # escaped or cut: not as it would have to be written
        return "; to let it leave, name it, or its beginning and a *, in a category of the policy"
    return f"; to let it leave, add {_quoted(name)} to the cookies of a category of the policy"


def _quoted(name: str) -> str:
    """Put a name in quotes that it cannot end by itself."""
    return '"' + name.replace('"', '\\"') + '"'
