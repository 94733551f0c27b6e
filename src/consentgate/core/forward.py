"""What becomes of an answer of the app: decided when it starts, header by header."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from .additions import Additions
from .caching import COOKIE, for_one_visitor, is_for_one
from .consent import Receipt
from .csp import CONDITIONS
from .decision import Decision
from .flows import Lane
from .http import Header
from .request_cookies import Selection
from .visit import SAFE_METHODS, Visit


class Manner(NamedTuple):
    """How one gate treats answers. `heeds`: there are signals, and a no, to record unasked."""

    additions: Additions
    enforced: bool
    heeds: bool


class Finish(NamedTuple):
    """The headers to send, what was decided on the way, and the proof of a choice made meanwhile.

    `headers` is the very list passed in where nothing changed.
    """

    headers: list[Header]
    decisions: tuple[Decision, ...]
    receipt: Receipt | None

    def __repr__(self) -> str:  # without the headers: they hold the values of cookies
        return f"Finish(decisions={self.decisions!r}, receipt={self.receipt!r})"


_new = tuple.__new__  # makes a Finish at half the cost of calling the class


class Forward:
    """Let the request through; `finish` the answer's headers when it starts.

    `cookie` is the Cookie header that the app is to see (b"": none), or None for the one that came.
    If it is not None, `dropped` are the other request header fields that the app is not to see.
    """

    __slots__ = ("_filter", "_gated", "_judge", "_manner", "_selection", "cookie", "visit")
    dropped: ClassVar[tuple[bytes, ...]] = ()

    def __init__(self, manner: Manner, lane: Lane, visit: Visit, gated: bool) -> None:
        self._manner = manner
        self._filter = lane.filter
        self._judge = lane.judge
        self._gated = gated
        self._selection: Selection | None = None  # if there is anything to hide or to expire
        self.visit = visit
        self.cookie: bytes | None = None
        cookies = visit.cookies
        if cookies is not None and gated and not cookies.row.free:
            selection = cookies.row.select(visit.peek())
            if selection.hidden or selection.strays:
                self._selection = selection
                if self._manner.enforced:
                    self.cookie = cookies.visible(selection)

    def finish(
        self, headers: list[Header], now: float, *, can_add: bool = True, status: int = 200
    ) -> Finish:
        """Decide every Set-Cookie among `headers`, on the consent as it is now.

        Closes the visit to changes. The same arguments give the same answer, so a shell may ask
        again. `can_add` is False where the protocol takes no added header; `status` is the answer's
        code.
        """
        visit = self.visit
        visit.sealed = True
        result = headers
        selection = self._selection
        decisions: tuple[Decision, ...] = selection.hidden if selection is not None else ()
        caching: list[int] | None = None
        personal = False
        if self._gated:
            result, made, caching, personal = self._filter.decide(visit, headers, now, status)
            decisions += made
        if not can_add:
            # Where no cookie can be sent no choice is recorded, and there is nothing to prove.
            return _new(Finish, (result, decisions, None))
        receipt = None
        personal = personal or visit.read
        may_expire, may_note = self._may_add(result, caching, personal)
        if may_expire or may_note or visit.read or visit.spare:  # else all stands as it was sent
            added = self._manner.additions.to(
                visit, result, now, self._judge, expire=may_expire, note=may_note
            )
            if added.headers:
                result = [*result, *added.headers]
                personal = True
            decisions += added.decisions
            receipt = added.receipt
        # A gate that only reports marks nothing but an answer whose handler has read the consent.
        if personal and (self._manner.enforced or visit.read):
            # Nothing but the choice can matter where no signal and no place does.
            plain = not visit.read and not self._manner.heeds
            result = for_one_visitor(result, caching, COOKIE if plain else visit.varies_on())
        return _new(Finish, (result, decisions, receipt))

    def _may_add(
        self, headers: list[Header], places: list[int] | None, private: bool
    ) -> tuple[bool, bool]:
        """Say whether there is something to remove, and something to record unasked.

        Neither is so where the answer is one that others may be served.
        """
        visit, selection = self.visit, self._selection
        expire = visit.changed or (selection is not None and bool(selection.strays))
        heeds = self._manner.heeds
        note = (visit.ages or heeds) and (visit.renews or (heeds and visit.records_signal))
        if not expire and not note:
            return False, False
        private = private or visit.request.method not in SAFE_METHODS
        if not self._gated or not is_for_one(headers, places, private):
            return False, False
        return expire, note

    def passes(self, headers: list[Header]) -> bool:
        """Say whether nothing is to be decided or added, so that `finish` need not be asked.

        Most answers end here. Closes the visit to changes, as `finish` does.
        """
        visit = self.visit
        visit.sealed = True
        if visit.read or visit.spare or self._selection is not None:
            return False
        if self._manner.heeds and (visit.records_signal or visit.renews):
            return False
        return self._filter.passes(headers)

    def trailers(self, headers: list[Header]) -> list[Header]:
        """Return the trailer fields that may leave: a cookie is never among them (RFC 9110 6.5.1).

        Browsers ignore it there, but what merges trailers into headers on the way need not.
        """
        return self._filter.trailers(headers) if self._gated else headers


class InFull(Forward):
    """Let the request through without what would spare the app its whole answer: see `csp`."""

    __slots__ = ()
    dropped = CONDITIONS

    def __init__(self, manner: Manner, lane: Lane, visit: Visit, gated: bool) -> None:
        super().__init__(manner, lane, visit, gated)
        if self.cookie is None:
            self.cookie = b"; ".join(visit.request.values(b"cookie"))
