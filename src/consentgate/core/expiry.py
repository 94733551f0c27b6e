"""Remove refused cookies from the device: how many lines an answer gets, and how often.

Rule 1. At most 16 lines and 2,048 bytes an answer, and never more than a proxy takes: nginx refuses
        an answer (502) whose headers exceed 4 KiB. The rest follows on later answers.
Rule 2. Nothing is remembered on the server. Which lines come next is a function of time, or of what
        the refusal's own cookie counts; after three times each it is given up.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .consent import Tries
from .decision import Action, Decision
from .http import Header
from .memo import Memo
from .own_cookie import host_name
from .policy import Policy
from .removals import MAX_LINES, Line, Lines, declares, paths_above, removal_domains
from .request_cookies import Selection, Stray

MAX_BYTES = 2048
MAX_TRIES = 3
MAX_TOTAL = 255
# nginx keeps the headers of an answer in one page by default, with the status line; and servers
# add fields of their own after us.
PROXY_BYTES = 4096
_SERVER_BYTES = 300

UNSAFE_NAME = "its name cannot be written back safely"
UNDECLARED = "still there after three tries: declare domain and path of the cookie in its rule"
MISDECLARED = "still there after three tries: its rule does not say the domain and path it has"


class Removal(NamedTuple):
    """The headers to add to an answer, what they are for, and what the visitor's cookie counts.

    `tries` is None where there are none, or they are not counted.
    """

    headers: Sequence[Header]
    decisions: tuple[Decision, ...]
    tries: Tries | None = None


NOTHING = Removal((), ())


class _Plan(NamedTuple):
    """What could remove some strays; `whole`: all of it in one answer, where that may fit."""

    lines: Lines
    unsafe: tuple[Decision, ...]
    whole: Removal | None


def _removal(
    lines: Iterable[Line], unsafe: tuple[Decision, ...], tries: Tries | None = None
) -> Removal:
    headers = [(b"set-cookie", line.value) for line in lines]
    strays = {id(line.stray): line.stray for line in lines}.values()
    expired = [stray.verdict.said(Action.EXPIRED) for stray in strays]
    return Removal(headers, (*expired, *unsafe), tries)


class Expirer:
    """Writes the lines that remove cookies, for one policy."""

    __slots__ = ("_partitioned", "_plans", "_site")

    def __init__(self, policy: Policy) -> None:
        self._site = host_name(policy.site.partition("://")[2])
        # CHIPS: a partitioned cookie is always Secure.
        self._partitioned = policy.secure
        # Bounded, for Host is the visitor's word.
        self._plans: Memo[tuple[Selection, str], _Plan] = Memo(128)

    def removal(
        self,
        selection: Selection | None,
        more: Sequence[Stray],
        *,
        host: str,
        path: str,
        room: tuple[int, int],
        tried: Tries | None,
        first: bool,
        now: float,
    ) -> Removal:
        """Return what removes the strays of a request, and `more` that it could not show.

        `host` and `path` are those that the browser asked for. `room`: lines and bytes left in the
        answer. `tried`: what the visitor's cookie counts; None where it does not. `first`: this
        very answer begins to count.
        """
        strays = selection.strays if selection else ()
        if more:
            strays = (*strays, *more)
        found, unsafe, whole = self._plan(selection, strays, bool(more), host)
        lines, size = room
        # A hash, for clocks and reloading pages keep time with each other.
        start = zlib.crc32(b"%d" % now)
        if tried is None:
            if whole is not None and found.fit(lines, size):
                return whole
            return _removal(found.fitting(start, start, lines, size), unsafe)
        total = len(found.declared) + found.count
        if not total:
            return Removal((), unsafe)
        # At the least so many fit, so no line is passed over on the way round.
        step = max(1, min(lines, size // found.longest))
        tag = _tag(strays)
        times = tried.times if tried.tag == tag else 0
        if times >= -(-total // step):  # none of these forms is theirs
            found = Lines(strays, self._domains(host), self._partitioned, paths_above(path))
            total = len(found.declared) + found.count
            step = max(1, min(lines, size // found.longest))
        # The total is for sets of strays that change to and fro.
        if times >= MAX_TRIES * -(-total // step) or tried.total >= MAX_TOTAL:
            return Removal((), (*unsafe, *map(_given_up, strays)))
        if found.fit(lines, size):
            start = 0
        elif tried.total or first:
            start = _resumed(tried, found.strays)
        else:  # the count has yet to begin, or it never arrives: at the beginning every other time
            start = start // 2 if start % 2 else 0
        chosen = found.fitting(start, times, lines, size)
        if not chosen:
            return Removal((), unsafe)
        after = next((line.after for line in reversed(chosen) if not declares(line.stray)), start)
        form, place = divmod(after, found.strays or 1)
        tries = Tries(
            total=min(tried.total + 1, MAX_TOTAL),
            times=min(times + 1, 255),
            tag=tag,
            left=min(found.strays, 65_535),
            form=min(form, 255),
            place=min(place, 65_535),
        )
        return _removal(chosen, unsafe, tries)

    def _plan(
        self, selection: Selection | None, strays: Sequence[Stray], fresh: bool, host: str
    ) -> _Plan:
        plan = None
        if not fresh and selection is not None:
            plan = self._plans.get((selection, host))
        if plan is None:
            lines = Lines(strays, self._domains(host), self._partitioned)
            unsafe = tuple(one.verdict.said(Action.STUCK, UNSAFE_NAME) for one in lines.unsafe)
            plan = _Plan(lines, unsafe, _removal(lines.every, unsafe) if lines.every else None)
            if not fresh and selection is not None:
                self._plans.put((selection, host), plan)
        return plan

    def _domains(self, host: str) -> list[bytes]:
        # The highest first: there analytics put theirs, to be read by all sub-domains.
        return [one.encode() for one in reversed(removal_domains(host, self._site))]


def room_beside(size: int, lines: int, own: int) -> tuple[int, int]:
    """Return the lines and bytes left in an answer whose headers have `size` bytes on the wire.

    `lines` and `own` are those of the gate's own cookie, which goes first.
    """
    left = PROXY_BYTES - _SERVER_BYTES - size
    return max(0, MAX_LINES - lines), max(0, min(MAX_BYTES, left) - own)


def _resumed(tried: Tries, names: int) -> int:
    """Return where to go on: behind what was tried last, which has moved up if some are gone."""
    gone = max(0, tried.left - names)
    return tried.form * names + min(max(0, tried.place - gone), names)


def _tag(strays: Iterable[Stray]) -> int:
    """Return 16 bits that tell sets of strays apart."""
    return zlib.crc32(b";".join(sorted(stray.name for stray in strays))) & 0xFFFF


def _given_up(stray: Stray) -> Decision:
    return stray.verdict.said(Action.STUCK, MISDECLARED if declares(stray) else UNDECLARED)
