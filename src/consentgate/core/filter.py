"""Every header of an answer, decided one after another: what may leave, and as what.

Rule 1. What is not touched is the very header that came, in its order; where nothing is touched,
        the very list.
Rule 2. A header that could become a second one never leaves, whatever its name.
"""

from __future__ import annotations

from collections.abc import Mapping

from .cookies import WITHOUT_CONTROLS
from .decision import Decision
from .headers import CACHING, PLAIN, SET_COOKIE, UNSAFE, HeaderKinds, is_unsafe
from .http import Header
from .judge import NOTHING_UNASKED, Judge
from .standing import Basis
from .visit import Visit


class Filter:
    """Asks one judge about every header. `enforced`: else it decides and changes nothing."""

    __slots__ = ("_enforced", "_judge", "_kinds")

    def __init__(self, judge: Judge, *, enforced: bool) -> None:
        self._judge = judge
        self._kinds = HeaderKinds()
        self._enforced = enforced

    def passes(self, headers: list[Header]) -> bool:
        """Say whether nothing can be decided of any of these, quickly: False may be wrong."""
        if len(headers) > 64:  # putting more values together would cost too much
            return False
        harmless = self._kinds.harmless.young
        if headers and headers[-1][0] not in harmless:
            return False  # cookies mostly come last
        text = b""
        for name, value in headers:
            if name not in harmless:
                return False
            text += value
        # `is_unsafe`, of all values at once: one look at each would cost more.
        return not (10 in text or 13 in text or 0 in text)

    def trailers(self, headers: list[Header]) -> list[Header]:
        """Return the trailer fields that may leave."""
        if not self._enforced:
            return headers
        return [
            (name, value)
            for name, value in headers
            if self._kinds(name) in (PLAIN, CACHING) and not is_unsafe(value)
        ]

    def decide(
        self, visit: Visit, headers: list[Header], now: float, status: int = 200
    ) -> tuple[list[Header], tuple[Decision, ...], list[int] | None, bool]:
        """Return what may leave, the decisions, and whether the visitor mattered.

        Last but one are the places, in what may leave, of the fields about caching, if looked for.
        """
        result: list[Header] = []
        decisions: list[Decision] = []
        caching: list[int] = []
        altered = personal = False
        kinds = self._kinds.memo.young
        judge = self._judge
        remembered = judge.remembered.young
        allowed: frozenset[str] | None = None
        unasked: Mapping[str, Basis] = NOTHING_UNASKED
        held: frozenset[bytes] | None = None
        for header in headers:
            name, value = header
            kind = kinds.get(name)
            if kind is None:
                kind = self._kinds(name)
            if kind == SET_COOKIE:
                if allowed is None:
                    allowed = visit.peek()
                    if visit.site.lenient:
                        unasked = visit.unasked
                head, equals, _ = value.partition(b"=")
                verdict = remembered.get(head) if equals else None
                # `has_control`, without a call for every cookie.
                if verdict is None or value.translate(WITHOUT_CONTROLS) != value:
                    verdict = judge.verdict(value, allowed)
                if not verdict.free:
                    personal = True
                    if verdict.category not in allowed:
                        decision, line = judge.refuse(verdict, value, now)
                        decisions.append(decision)
                        altered = True
                        if line is not None:
                            result.append((name, line))
                        continue
                if verdict.as_it_is:
                    basis = unasked.get(verdict.category or "") if unasked else None
                    if basis is None:
                        decisions.append(verdict.kept_now or verdict.kept)
                    else:
                        decisions.append(verdict.kept_on(basis))
                    result.append(header)
                    continue
                if held is None:
                    held = visit.cookies.names() if visit.cookies is not None else frozenset()
                if verdict.rule is not None and not verdict.rule.sliding:
                    personal = True  # it depends on what the browser sent
                decision, line = judge.keep(
                    verdict, value, now, held, plain=visit.plain, unasked=unasked
                )
                decisions.append(decision)
                if line is value:
                    result.append(header)
                    continue
                altered = True
                if line is not None:
                    result.append((name, line))
            elif kind == UNSAFE or 10 in value or 13 in value or 0 in value:  # `is_unsafe`
                decisions.append(judge.unsafe_header(name))
                altered = True
            else:
                if kind == CACHING:
                    caching.append(len(result))
                result.append(header)
        if not self._enforced:
            return headers, tuple(decisions), None, personal
        return (result if altered else headers), tuple(decisions), caching, personal
