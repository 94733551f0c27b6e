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
from .cookies import deletion, has_control
from .decision import Action, Decision
from .http import Header
from .own_cookie import host_name, parent_domains
from .policy import Policy, Rule
from .request_cookies import Selection, Stray

MAX_LINES = 16
MAX_BYTES = 2048
MAX_TRIES = 3
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


class _All:
    """Every line that could remove some strays, and the decisions over those strays.

    The lines are written when they are asked for: a header may hold hundreds of strays.
    """

    __slots__ = (
        "_forms",
        "_names",
        "_size",
        "count",
        "declared",
        "expired",
        "longest",
        "names",
        "removal",
        "unsafe",
    )

    def __init__(self, strays: Iterable[Stray], domains: list[bytes], partitioned: bool) -> None:
        safe = [stray for stray in strays if can_be_echoed(stray.name)]
        self.expired = tuple(stray.verdict.said(Action.EXPIRED) for stray in safe)
        self.unsafe = tuple(
            stray.verdict.said(Action.STUCK, UNSAFE_NAME)
            for stray in strays
            if not can_be_echoed(stray.name)
        )
        self.declared = [
            _declared(stray.name, stray.verdict.rule) for stray in safe if _declares(stray)
        ]
        self._names = [stray.name for stray in safe if not _declares(stray)]
        # One form for all, then the next: most cookies have one of the first two.
        self._forms = [(b"", False), *((one, False) for one in domains)]
        self._forms += [(b"", True)] if partitioned else []
        self.names = len(self._names)
        self.count = self.names * len(self._forms)
        self.longest = max(map(_cost, self.declared), default=0)
        if self._names:
            longest = max(self._names, key=len)
            lines = [_line(longest, domain, partitioned=form) for domain, form in self._forms]
            self.longest = max(self.longest, *map(_cost, lines))
        # Most often everything fits into one answer; then there is nothing more to work out.
        self.removal: Removal | None = None
        self._size = 0
        if 0 < len(self.declared) + self.count <= MAX_LINES:
            every = [*self.declared, *(line for _, line in self.others(0))]
            self.removal = Removal(_as_headers(every), self.expired + self.unsafe)
            self._size = sum(map(_cost, every))

    def fits(self, lines: int, size: int) -> bool:
        """Say whether all the lines there are fit into so many, of so many bytes."""
        return self._size <= size and len(self.declared) + self.count <= lines

    def others(self, start: int) -> Iterator[tuple[int, bytes]]:
        """Yield the lines that are not declared, each with the place of the next one.

        From `start` on, round and round, once each.
        """
        for step in range(self.count):
            form, at = divmod((start + step) % self.count, self.names)
            domain, partitioned = self._forms[form]
            name = self._names[at]
            if not domain or not name.lower().startswith(b"__host-"):
                yield (start + step + 1) % self.count, _line(name, domain, partitioned=partitioned)


class Expirer:
    """Writes the lines that remove cookies, for one policy."""

    __slots__ = ("_partitioned", "_site")

    def __init__(self, policy: Policy) -> None:
        self._site = host_name(policy.site.partition("://")[2])
        # CHIPS: a partitioned cookie is always Secure.
        self._partitioned = policy.secure

    def removal(
        self,
        selection: Selection | None,
        more: Sequence[Stray],
        *,
        host: str,
        room: tuple[int, int],
        tried: Tries | None,
        now: float,
    ) -> Removal:
        """Return what removes the strays of a request, and `more` that it could not show.

        `room`: lines and bytes left in the answer. `tried`: what the visitor's cookie counts;
        None where it does not.
        """
        strays = selection.strays if selection else ()
        if more:
            strays = (*strays, *more)
        found = self._of(selection, strays, bool(more), host)
        lines, size = room
        if found.removal is not None and tried is None and found.fits(lines, size):
            return found.removal
        total = len(found.declared) + found.count
        if not total:
            return Removal((), found.unsafe)
        # At the least so many fit, so no line is passed over on the way round.
        step = max(1, min(lines, size // found.longest))
        whole = found.removal.headers if found.removal and found.fits(lines, size) else None
        tag = times = after = 0
        if tried is not None:
            tag = _tag(strays)
            times = tried.times if tried.tag == tag else 0
            if times >= min(MAX_TRIES * -(-total // step), 255):
                return Removal((), (*found.unsafe, *map(_given_up, strays)))
        if whole is None:
            if tried is not None:
                start, turn = _resumed(tried, found.names), times * lines
            else:  # a hash, for clocks and reloading pages keep time with each other
                start = turn = zlib.crc32(b"%d" % now)
            chosen, after = _fitting(found, start, turn, lines, size)
            if not chosen:
                return Removal((), found.unsafe)
            whole = _as_headers(chosen)
        decisions = found.expired + found.unsafe
        if tried is None:
            return Removal(whole, decisions)
        form, place = divmod(after, found.names or 1)
        tries = Tries(times + 1, tag, min(found.names, 65_535), form, min(place, 65_535))
        return Removal(whole, decisions, tries)

    def _of(
        self, selection: Selection | None, strays: Sequence[Stray], fresh: bool, host: str
    ) -> _All:
        if fresh or selection is None:
            return self._all(strays, host)
        found = selection.removals.get(host)
        if found is None:
            found = self._all(strays, host)
            selection.removals.put(host, found)
        assert isinstance(found, _All)
        return found

    def _all(self, strays: Iterable[Stray], host: str) -> _All:
        # The highest first: that is where analytics put theirs, to be read by all sub-domains.
        domains = [one.encode() for one in reversed(removal_domains(host, self._site))]
        return _All(strays, domains, self._partitioned)


def room_beside(size: int, lines: int, own: int) -> tuple[int, int]:
    """Return the lines and bytes left in an answer whose headers have `size` bytes on the wire.

    `lines` and `own` are those of the gate's own cookie, which goes first.
    """
    left = PROXY_BYTES - _SERVER_BYTES - size
    return max(0, MAX_LINES - lines), max(0, min(MAX_BYTES, left) - own)


def can_be_echoed(name: bytes) -> bool:
    """Say whether every server and every browser takes this name, written back, for this name."""
    text = name.decode("latin-1")
    return (
        len(name) <= _MAX_NAME
        and not has_control(name)
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


def _declared(name: bytes, rule: Rule | None) -> bytes:
    assert rule is not None
    domain = rule.domain.lower().removeprefix(".").encode()
    return _line(name, domain, rule.path.encode() or b"/", rule.partitioned)


def _line(name: bytes, domain: bytes = b"", path: bytes = b"/", partitioned: bool = False) -> bytes:
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


def _as_headers(lines: Iterable[bytes]) -> list[Header]:
    return [(b"set-cookie", line) for line in lines]


def _cost(line: bytes) -> int:
    return len(line) + FIELD_BYTES


def _resumed(tried: Tries, names: int) -> int:
    """Return where to go on: behind what was tried last, which has moved up if some are gone."""
    gone = max(0, tried.left - names)
    return tried.form * names + min(max(0, tried.place - gone), names)


def _fitting(found: _All, start: int, turn: int, lines: int, size: int) -> tuple[list[bytes], int]:
    """Return what fits, and where the others go on: the declared ones first, in turn if need be."""
    chosen: list[bytes] = []
    at = turn % len(found.declared) if len(found.declared) > lines else 0
    after = start
    declared = ((start, line) for line in chain(found.declared[at:], found.declared[:at]))
    for following, line in chain(declared, found.others(start)):
        size -= _cost(line)
        if size < 0 or len(chosen) == lines:
            break
        chosen.append(line)
        after = following
    return chosen, after


def _tag(strays: Iterable[Stray]) -> int:
    """Return 16 bits that tell sets of strays apart."""
    return zlib.crc32(b";".join(sorted(stray.name for stray in strays))) & 0xFFFF


def _given_up(stray: Stray) -> Decision:
    return stray.verdict.said(Action.STUCK, MISDECLARED if _declares(stray) else UNDECLARED)
