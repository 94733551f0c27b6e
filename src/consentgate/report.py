"""Say what the gate did: each name once in the log, every decision to the operator's hook.

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
MAX_SENT_NAMES = 200
MAX_ERRORS = 20

OnDecision = Callable[[Decision], object]

# What was kept is no news, nor is a rewritten deletion: what was to go is gone.
_SILENT = frozenset({Action.KEPT, Action.REWRITTEN})
# Of cookies that browsers sent: their names are the visitors' words.
_SENT = frozenset({Action.HIDDEN, Action.EXPIRED, Action.STUCK})


class Reporter:
    """Receives the decisions of one gate. A hook that raises is logged, and harms no answer."""

    __slots__ = ("_errors", "_heard", "_hook", "_said", "_said_of_sent")

    def __init__(self, hook: OnDecision | None = None) -> None:
        self._hook = hook
        self._said: set[tuple[str, str | None, Action]] = set()
        self._said_of_sent: set[tuple[str, str | None, Action]] = set()
        # By identity, for a gate makes most of its decisions once: one look for each, no more.
        self._heard: dict[int, Decision] = {}
        self._errors: set[type[Exception]] = set()

    def __call__(self, decisions: Iterable[Decision]) -> None:
        """Report these decisions."""
        hook, heard = self._hook, self._heard
        for decision in decisions:
            if id(decision) not in heard:
                self._hear(decision)
            if hook is not None:
                try:
                    result = hook(decision)
                    if iscoroutine(result):
                        result.close()
                        raise TypeError("on_decision is called, not awaited: no async function")
                except Exception as error:  # the operator's code: the page is served all the same
                    self._say_failed(error)

    def _hear(self, decision: Decision) -> None:
        if len(self._heard) >= 4096:
            self._heard = {}
        self._heard[id(decision)] = decision
        key = (decision.name, decision.rule, decision.action)
        if decision.action in _SENT:
            said, most = self._said_of_sent, MAX_SENT_NAMES
        else:
            said, most = self._said, MAX_NAMES
        if decision.action in _SILENT or key in said or len(said) >= most:
            return
        said.add(key)
        _log.log(_level(decision), "%s (said once for each name)", describe(decision))
        if len(said) == most:
            _log.warning("%d names reported; further ones are not", most)

    def _say_failed(self, error: Exception) -> None:
        kind = type(error)
        if kind in self._errors or len(self._errors) >= MAX_ERRORS:
            return
        self._errors.add(kind)
        _log.error("the on_decision hook failed (said once for each kind of error)", exc_info=error)


def _level(decision: Decision) -> int:
    """Return how loud to be: that a refusal is carried out is no reason to worry."""
    carried_out = decision.action in (Action.HIDDEN, Action.EXPIRED) and decision.rule is not None
    return logging.INFO if carried_out and decision.enforced else logging.WARNING


# For each action what is said of it, as done and as what would have been done.
_DONE = {
    Action.KEPT: ("kept", "Set-Cookie"),
    Action.DROPPED: ("dropped", "Set-Cookie"),
    Action.REWRITTEN: ("rewrote", "Set-Cookie"),
    Action.SHORTENED: ("shortened", "Set-Cookie"),
    Action.HARDENED: ("hardened", "Set-Cookie"),
    Action.HIDDEN: ("hidden from the app", "Cookie"),
    Action.EXPIRED: ("expired", "Cookie"),
    Action.STUCK: ("given up", "Cookie"),
}


def describe(decision: Decision) -> str:
    """Return one sentence: what was done, by which rule, and what to add to the file if any."""
    verb, what = _DONE[decision.action]
    verb = verb if decision.enforced else f"would have {verb}"
    what = "header" if decision.reason == UNSAFE_HEADER else what
    text = f"{verb} {what} {_quoted(decision.name)}: {decision.reason}"
    if decision.rule is not None:
        return f"{text}; rule {_quoted(decision.rule)} of category {decision.category}"
    if decision.reason == UNNAMED and decision.action is Action.DROPPED:
        return text + _advice(decision.name, "leave")
    if decision.reason == UNNAMED and decision.action is Action.HIDDEN:
        return text + _advice(decision.name, "be seen")
    return text


def _advice(name: str, what: str) -> str:
    if name == "(no name)":
        return ""
    if "\\" in name or name.endswith("…"):  # escaped or cut: not as it would have to be written
        return f"; to let it {what}, name it, or its beginning and a *, in a category of the policy"
    return f"; to let it {what}, add {_quoted(name)} to the cookies of a category of the policy"


def _quoted(name: str) -> str:
    """Put a name in quotes that it cannot end by itself."""
    return '"' + name.replace('"', '\\"') + '"'
