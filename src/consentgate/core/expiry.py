"""Remove refused cookies from the device: which lines, how many of them, and for how long.

Rule 1. A browser knows a cookie by name, domain, path and partition, and tells us the name alone.
        What a rule declares of the others is believed: one line. Else each that can be is tried.
Rule 2. At most 16 lines and 2,048 bytes an answer, and never more than a proxy takes: nginx refuses
        an answer (502) whose headers exceed 4 KiB. The rest follows on later answers.
Rule 3. Nothing is remembered on the server. Which lines come next is a function of time, or of a
        turn that the refusal's own cookie counts; after three times each it is given up.
Rule 4. A name leaves exactly as it came, or not at all.

The forms that work were measured: a `Path=/` deletion alone leaves seven of eleven kinds of cookie
where they are, and no single line removes all.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from .consent import Tries
from .cookies import deletion, has_control, is_plain
from .decision import Action, Decision
from .http import Header
from .memo import Memo
from .own_cookie import host_name, parent_domains
from .policy import Policy
from .request_cookies import Selection, Stray

MAX_LINES = 16
MAX_BYTES = 2048
MAX_TRIES = 3
MAX_TOTAL = 255
# What a line costs beside its value: the field's name, a colon, a space, and the line's end.
FIELD_BYTES = len(b"set-cookie: \r\n")
# nginx keeps the headers of an answer in one page by default, with the status line; and servers
# add fields of their own after us.
PROXY_BYTES = 4096
_SERVER_BYTES = 300
# A longer name would leave no room for its attributes.
_MAX_NAME = 512

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


class _Line(NamedTuple):
    """One line that could remove one stray; `after`: where the undeclared ones go on behind it."""

    value: bytes
    stray: Stray
    after: int = 0


class _Lines:
    """Every line that could remove some strays.

    They are written when they are asked for: a header may hold hundreds of strays.
    """

    __slots__ = ("_forms", "_strays", "count", "declared", "longest", "removal", "strays", "unsafe")

    def __init__(self, strays: Iterable[Stray], domains: list[bytes], partitioned: bool) -> None:
        self.declared: list[_Line] = []
        self._strays: list[Stray] = []
        unsafe: list[Decision] = []
        for stray in strays:
            if not can_be_echoed(stray.name):
                unsafe.append(stray.verdict.said(Action.STUCK, UNSAFE_NAME))
            elif _declares(stray):
                self.declared.append(_declared(stray))
            else:
                self._strays.append(stray)
        self.unsafe = tuple(unsafe)
        # One form for all, then the next: most cookies have one of the first two.
        self._forms = [(b"", False), *((one, False) for one in domains)]
        self._forms += [(b"", True)] if partitioned else []
        self.strays = len(self._strays)
        self.count = self.strays * len(self._forms)
        self.longest = max((_cost(line) for line in self.declared), default=0)
        if self._strays:
            # A prefix asks for Secure and HttpOnly: a shorter name with one makes a longer line.
            name = b"__Http-" + max((stray.name for stray in self._strays), key=len)
            lines = [_deletion(name, domain, partitioned=form) for domain, form in self._forms]
            self.longest = max(self.longest, *(len(line) + FIELD_BYTES for line in lines))
        # Most often everything fits into one answer; then there is nothing more to work out.
        every = []
        if len(self.declared) + self.count <= MAX_LINES:
            every = [*self.declared, *self.others(0)]
        self.removal = _removal(every, self.unsafe) if every else None

    def fit(self, lines: int, size: int) -> bool:
        """Say whether all the lines there are certainly fit into so many, of so many bytes."""
        count = len(self.declared) + self.count
        return count <= lines and count * self.longest <= size

    def others(self, start: int) -> Iterator[_Line]:
        """Yield the lines that are not declared, from `start` on, round and round, once each."""
        for step in range(self.count):
            form, at = divmod((start + step) % self.count, self.strays)
            domain, partitioned = self._forms[form]
            stray = self._strays[at]
            if not domain or not stray.name.lower().startswith(b"__host-"):
                line = _deletion(stray.name, domain, partitioned=partitioned)
                yield _Line(line, stray, (start + step + 1) % self.count)

    def fitting(self, start: int, turn: int, lines: int, size: int) -> list[_Line]:
        """Return what fits: the declared ones first, the others from `start` on.

        Where the declared ones leave no room, every other turn is that of the others.
        """
        declared = self.declared
        crowded = len(declared) >= lines or sum(map(_cost, declared)) + self.longest > size
        if declared and crowded:
            at = turn * lines // 2 % len(declared)
            declared = [*declared[at:], *declared[:at]]
        order = chain(declared, self.others(start))
        if crowded and turn % 2:
            order = chain(self.others(start), declared)
        chosen: list[_Line] = []
        for line in order:
            size -= _cost(line)
            if size < 0 or len(chosen) == lines:
                break
            chosen.append(line)
        return chosen


def _removal(
    lines: Iterable[_Line], unsafe: tuple[Decision, ...], tries: Tries | None = None
) -> Removal:
    headers = [(b"set-cookie", line.value) for line in lines]
    strays = {id(line.stray): line.stray for line in lines}.values()
    expired = [stray.verdict.said(Action.EXPIRED) for stray in strays]
    return Removal(headers, (*expired, *unsafe), tries)


class Expirer:
    """Writes the lines that remove cookies, for one policy."""

    __slots__ = ("_lines", "_partitioned", "_site")

    def __init__(self, policy: Policy) -> None:
        self._site = host_name(policy.site.partition("://")[2])
        # CHIPS: a partitioned cookie is always Secure.
        self._partitioned = policy.secure
        # Bounded, for Host is the visitor's word.
        self._lines: Memo[tuple[Selection, str], _Lines] = Memo(128)

    def removal(
        self,
        selection: Selection | None,
        more: Sequence[Stray],
        *,
        host: str,
        room: tuple[int, int],
        tried: Tries | None,
        first: bool,
        now: float,
    ) -> Removal:
        """Return what removes the strays of a request, and `more` that it could not show.

        `room`: lines and bytes left in the answer. `tried`: what the visitor's cookie counts;
        None where it does not. `first`: this very answer begins to count.
        """
        strays = selection.strays if selection else ()
        if more:
            strays = (*strays, *more)
        found = self._lines_for(selection, strays, bool(more), host)
        lines, size = room
        # A hash, for clocks and reloading pages keep time with each other.
        start = zlib.crc32(b"%d" % now)
        if tried is None:
            if found.removal is not None and found.fit(lines, size):
                return found.removal
            return _removal(found.fitting(start, start, lines, size), found.unsafe)
        total = len(found.declared) + found.count
        if not total:
            return Removal((), found.unsafe)
        # At the least so many fit, so no line is passed over on the way round.
        step = max(1, min(lines, size // found.longest))
        tag = _tag(strays)
        times = tried.times if tried.tag == tag else 0
        # The total is for sets of strays that change to and fro.
        if times >= MAX_TRIES * -(-total // step) or tried.total >= MAX_TOTAL:
            return Removal((), (*found.unsafe, *map(_given_up, strays)))
        if found.fit(lines, size):
            start = 0
        elif tried.total or first:
            start = _resumed(tried, found.strays)
        else:  # the count has yet to begin, or it never arrives: at the beginning every other time
            start = start // 2 if start % 2 else 0
        chosen = found.fitting(start, times, lines, size)
        if not chosen:
            return Removal((), found.unsafe)
        after = next((line.after for line in reversed(chosen) if not _declares(line.stray)), start)
        form, place = divmod(after, found.strays or 1)
        tries = Tries(
            total=min(tried.total + 1, MAX_TOTAL),
            times=min(times + 1, 255),
            tag=tag,
            left=min(found.strays, 65_535),
            form=min(form, 255),
            place=min(place, 65_535),
        )
        return _removal(chosen, found.unsafe, tries)

    def _lines_for(
        self, selection: Selection | None, strays: Sequence[Stray], fresh: bool, host: str
    ) -> _Lines:
        found = None
        if not fresh and selection is not None:
            found = self._lines.get((selection, host))
        if found is None:
            # The highest first: there analytics put theirs, to be read by all sub-domains.
            domains = [one.encode() for one in reversed(removal_domains(host, self._site))]
            found = _Lines(strays, domains, self._partitioned)
            if not fresh and selection is not None:
                self._lines.put((selection, host), found)
        return found


def room_beside(size: int, lines: int, own: int) -> tuple[int, int]:
    """Return the lines and bytes left in an answer whose headers have `size` bytes on the wire.

    `lines` and `own` are those of the gate's own cookie, which goes first.
    """
    left = PROXY_BYTES - _SERVER_BYTES - size
    return max(0, MAX_LINES - lines), max(0, min(MAX_BYTES, left) - own)


def can_be_echoed(name: bytes) -> bool:
    """Say whether every server and every browser takes this name, written back, for this name."""
    if len(name) > _MAX_NAME:
        return False
    if is_plain(name):
        return True
    text = name.decode("latin-1")
    return (
        not has_control(name)
        and text.strip() == text  # some servers trim text, NBSP and NEL included
        and not any(byte in name for byte in b';="')  # Safari lets quotation marks protect a ";"
    )


def removal_domains(host: str, site: str) -> list[str]:
    """Return the domains that a cookie seen at `host` could have, as far up as is ours.

    That is down to `site` (the host of the site's own address, www. left aside) where there is
    one; a host that is not below it is a proxy's name for us. Else it is down to two labels.
    """
    name = host_name(host).rstrip(".")
    if not site:
        return parent_domains(name)
    base = site.removeprefix("www.")
    if name != base and not name.endswith("." + base):
        name = site
    return [one for one in parent_domains(name) if one == base or one.endswith("." + base)]


def _declares(stray: Stray) -> bool:
    rule = stray.verdict.rule
    return rule is not None and bool(rule.domain or rule.path or rule.partitioned)


def _declared(stray: Stray) -> _Line:
    rule = stray.verdict.rule
    assert rule is not None
    domain = rule.domain.lower().removeprefix(".").encode()
    path = rule.path.encode() or b"/"
    return _Line(_deletion(stray.name, domain, path, partitioned=rule.partitioned), stray)


def _deletion(
    name: bytes, domain: bytes = b"", path: bytes = b"/", *, partitioned: bool = False
) -> bytes:
    # A partitioned one may be that of a frame in another site, where only SameSite=None is heard.
    line = deletion(
        name,
        domain=domain,
        path=path,
        partitioned=partitioned,
        same_site=b"none" if partitioned else b"",
        brief=True,
    )
    # Chromium alone stores nameless cookies; "=x", whatever its value was, means that one.
    return line if name else b"=x" + line[1:]


def _cost(line: _Line) -> int:
    return len(line.value) + FIELD_BYTES


def _resumed(tried: Tries, names: int) -> int:
    """Return where to go on: behind what was tried last, which has moved up if some are gone."""
    gone = max(0, tried.left - names)
    return tried.form * names + min(max(0, tried.place - gone), names)


def _tag(strays: Iterable[Stray]) -> int:
    """Return 16 bits that tell sets of strays apart."""
    return zlib.crc32(b";".join(sorted(stray.name for stray in strays))) & 0xFFFF


def _given_up(stray: Stray) -> Decision:
    return stray.verdict.said(Action.STUCK, MISDECLARED if _declares(stray) else UNDECLARED)
