"""What the gate adds to an answer: its own cookie, and what removes refused ones.

Rule 1. Our own cookie goes first, whatever room there is: a choice is never lost.
Rule 2. Deletions come after all headers of the app, and only where the answer is its visitor's.
Rule 3. A gate that only reports adds nothing but a choice.
Rule 4. After a no, no page is shown that was fetched in advance before it: what it loads, and its
        Content-Security-Policy, are of the yes. For speculation rules browsers keep pages for
        minutes, whichever cookies change meanwhile; this alone makes them forget
        (https://github.com/WICG/nav-speculation/blob/main/clear-site-data-integration.md).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from .companion import companion_lines, says_more
from .consent import Receipt
from .decision import Decision
from .expiry import NOTHING, Expirer, Removal, room_beside
from .headers import size_of
from .http import Header
from .judge import Judge
from .own_cookie import host_of
from .policy import Policy, Rule
from .record import own_lines, own_size, receipt, signal_line, tries_of
from .removals import FIELD_BYTES
from .request_cookies import Selection, Stray
from .visit import Visit

# https://www.w3.org/TR/clear-site-data/, 3.1
_FETCHED: Header = (b"clear-site-data", b'"prefetchCache", "prerenderCache"')
_STORED: Header = (b"clear-site-data", b'"storage"')


class Added(NamedTuple):
    """The headers to add, which make the answer one visitor's own, what was decided, the proof."""

    headers: list[Header]
    decisions: tuple[Decision, ...]
    receipt: Receipt | None


class Additions:
    """Works out what to add, for one policy. `rules` are the policy's own."""

    __slots__ = ("_clear", "_elsewhere", "_enforced", "_expirer")

    def __init__(self, policy: Policy, rules: Iterable[Rule], judge: Judge) -> None:
        self._enforced = policy.mode != "report"
        self._clear = policy.clear_site_data
        self._expirer = Expirer(policy)
        # What a request to one path cannot show of another, where a rule tells us of it.
        self._elsewhere = tuple(
            Stray(rule.name.encode(), verdict)
            for rule in rules
            if rule.path not in ("", "/") and "*" not in rule.name
            for verdict in judge.of_pair(rule.name.encode() + b"=")
        )

    def to(
        self,
        visit: Visit,
        headers: list[Header],
        now: float,
        judge: Judge,
        *,
        expire: bool = True,
        note: bool = True,
    ) -> Added:
        """Return what to add to an answer with these headers, to whose path `judge` belongs.

        `expire`: whether it may remove cookies, and `note`: whether it may record what was not
        asked for, a signal or a no that grows old; see `is_for_one`.
        """
        noted = note and self._enforced and visit.records_signal
        beside: list[bytes] = []
        if noted:
            beside.append(signal_line(visit))
        renewed = note and visit.renews
        gone = self._enforced and (visit.astray or (noted and says_more(visit)))
        if gone and not (visit.changed or renewed):
            # What scripts are told is not taken back word by word: they are to ask the gate.
            beside += companion_lines(visit, 0)
        own: list[bytes] = []
        if visit.changed or visit.spare or renewed:
            own = own_lines(visit, renew=note)
        own += beside
        removal = NOTHING
        if expire:
            removal = self._removal(visit, headers, own, now, judge)
            if removal.tries is not None:
                own = own_lines(visit, removal.tries, renew=note) + beside
        added: list[Header] = [(b"set-cookie", line) for line in own] if own else []
        if self._enforced:
            added += removal.headers
            if visit.changed and visit.allows_less:
                added.append(_FETCHED)
            if self._clear and visit.clears_storage:
                # "cookies" would take the session along, and our own answer with it.
                added.append(_STORED)
        proof = None
        if visit.changed or noted:
            proof = receipt(visit, "" if visit.changed else "gpc")
        return Added(added, removal.decisions, proof)

    def _removal(
        self, visit: Visit, headers: list[Header], own: list[bytes], now: float, judge: Judge
    ) -> Removal:
        allowed = visit.peek()
        cookies = visit.cookies
        selection: Selection | None = None
        if cookies is not None and not cookies.row.free:
            selection = cookies.row.select(allowed)
        more = self._unseen(selection, allowed, judge) if visit.changed else []
        if not more and (selection is None or not selection.strays):
            return NOTHING
        tried = tries_of(visit)
        lines, size = len(own), sum(map(len, own)) + FIELD_BYTES * len(own)
        if tried is not None:  # a line to come, or to grow by the count
            lines, size = max(1, lines), max(size, own_size(visit) + FIELD_BYTES)
        return self._expirer.removal(
            selection,
            more,
            host=host_of(visit.request),
            path=visit.request.full_path(),
            room=room_beside(size_of(headers), lines, size),
            tried=tried,
            first=visit.changed,
            now=now,
        )

    def _unseen(
        self, selection: Selection | None, allowed: frozenset[str], judge: Judge
    ) -> list[Stray]:
        seen = {stray.name for stray in selection.strays} if selection else set()
        return [
            stray
            for stray in self._elsewhere
            if not stray.verdict.leaves(allowed)
            and not stray.verdict.stays
            and stray.name not in seen
            # On this very path it may be strictly necessary: see `flows`.
            and not all(one.free for one in judge.of_pair(stray.name + b"="))
        ]
