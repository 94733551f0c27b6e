"""Say what the gate did: each name once in the log, every decision to the operator's hook."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from .core.decision import Action, Decision

_log = logging.getLogger("consentgate")
# An app that makes up cookie names must not fill the log, nor memory.
MAX_NAMES = 1000

OnDecision = Callable[[Decision], object]


class Reporter:
    """Receives the decisions of one gate. A hook that raises is logged, and harms no answer."""

    __slots__ = ("_hook", "_said")

    def __init__(self, hook: OnDecision | None = None) -> None:
        self._hook = hook
        self._said: set[tuple[str, str | None]] = set()

    def __call__(self, decisions: Iterable[Decision]) -> None:
        """Report these decisions."""
        for decision in decisions:
            if decision.action is not Action.KEPT:
                self._say_once(decision)
            if self._hook is not None:
                try:
                    self._hook(decision)
                except Exception:
                    _log.exception("the on_decision hook failed")

    def _say_once(self, decision: Decision) -> None:
        key = (decision.name, decision.rule)
        if key in self._said or len(self._said) >= MAX_NAMES:
            return
        self._said.add(key)
        _log.warning("%s (said once for each name)", describe(decision))
        if len(self._said) == MAX_NAMES:
            _log.warning("%d names reported; further ones are not", MAX_NAMES)


def describe(decision: Decision) -> str:
    """Return one sentence: what was done, by which rule, and what to add to the file if any."""
    done = {Action.KEPT: "kept", Action.DROPPED: "dropped", Action.REWRITTEN: "rewrote"}
    verb = done[decision.action] if decision.enforced else f"would have {done[decision.action]}"
    text = f'{verb} Set-Cookie "{decision.name}": {decision.reason}'
    if decision.rule is not None:
        return f'{text}; rule "{decision.rule}" of category {decision.category}'
    if "unknown cookies" in decision.reason and decision.name != "(no name)":
        return f'{text}; to let it leave, add "{decision.name}" to the cookies of a category'
    return text
