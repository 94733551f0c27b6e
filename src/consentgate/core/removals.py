"""Which lines could remove a cookie of which a browser has told us the name alone.

Rule 1. What a rule declares of domain, path and partition is believed: one line. Else each form
        that the cookie may have gets one; its path is taken for "/", and if that was wrong for one
        above the page that showed it (RFC 6265bis 5.1.4: no other's cookies are sent).
Rule 2. A name leaves exactly as it came, or not at all.
Rule 3. Nothing is written before it is asked for: a header may hold hundreds of such cookies.

The forms that work were measured: a `Path=/` deletion alone leaves seven of eleven kinds of cookie
where they are, and no single line removes all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from .cookies import deletion, has_control, is_plain
from .own_cookie import host_name, parent_domains
from .request_cookies import Stray

MAX_LINES = 16
# What a line costs beside its value: the field's name, a colon, a space, and the line's end.
FIELD_BYTES = len(b"set-cookie: \r\n")
# A longer name would leave no room for its attributes.
_MAX_NAME = 512
_MAX_PATHS = 3
# RFC 3986 2.3: the characters that are never written otherwise.
_SEGMENT = re.compile(r"[A-Za-z0-9._~-]{1,100}")


class Line(NamedTuple):
    """One line that could remove one stray; `after`: where the undeclared ones go on behind it."""

    value: bytes
    stray: Stray
    after: int = 0


class Lines:
    """Every line that could remove some strays.

    They are written when they are asked for: a header may hold hundreds of strays.
    """

    __slots__ = ("_forms", "_strays", "count", "declared", "every", "longest", "strays", "unsafe")

    def __init__(
        self,
        strays: Iterable[Stray],
        domains: list[bytes],
        partitioned: bool,
        paths: Iterable[bytes] = (),
    ) -> None:
        self.declared: list[Line] = []
        self.unsafe: list[Stray] = []  # of which none is written
        self._strays: list[Stray] = []
        for stray in strays:
            if not can_be_echoed(stray.name):
                self.unsafe.append(stray)
            elif declares(stray):
                self.declared.append(_declared(stray))
            else:
                self._strays.append(stray)
        # One form for all, then the next: most cookies have one of the first two.
        self._forms = [(b"", b"/", False), *((one, b"/", False) for one in domains)]
        self._forms += [(b"", b"/", True)] if partitioned else []
        self._forms += [(b"", path, False) for path in paths]
        self.strays = len(self._strays)
        self.count = self.strays * len(self._forms)
        self.longest = max((_cost(line) for line in self.declared), default=0)
        if self._strays:
            # A prefix asks for Secure and HttpOnly: a shorter name with one makes a longer line.
            name = b"__Http-" + max((stray.name for stray in self._strays), key=len)
            lines = [_deletion(name, *form) for form in self._forms]
            self.longest = max(self.longest, *(len(line) + FIELD_BYTES for line in lines))
        # Most often everything fits into one answer; then there is nothing more to work out.
        self.every: list[Line] = []
        if len(self.declared) + self.count <= MAX_LINES:
            self.every = [*self.declared, *self.others(0)]

    def fit(self, lines: int, size: int) -> bool:
        """Say whether all the lines there are certainly fit into so many, of so many bytes."""
        count = len(self.declared) + self.count
        return count <= lines and count * self.longest <= size

    def others(self, start: int) -> Iterator[Line]:
        """Yield the lines that are not declared, from `start` on, round and round, once each."""
        for step in range(self.count):
            form, at = divmod((start + step) % self.count, self.strays)
            domain, path, partitioned = self._forms[form]
            stray = self._strays[at]
            # A `__Host-` cookie has no domain, and no path but "/".
            if not (domain or path != b"/") or not stray.name.lower().startswith(b"__host-"):
                line = _deletion(stray.name, domain, path, partitioned)
                yield Line(line, stray, (start + step + 1) % self.count)

    def fitting(self, start: int, turn: int, lines: int, size: int) -> list[Line]:
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
        chosen: list[Line] = []
        for line in order:
            size -= _cost(line)
            if size < 0 or len(chosen) == lines:
                break
            chosen.append(line)
        return chosen


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


def paths_above(path: str) -> list[bytes]:
    """Return the paths, but for "/", that a cookie may have which a page at this path was shown.

    The highest three; and none that an address may spell in several ways.
    """
    segments = path.strip("/").split("/")[:_MAX_PATHS]
    if not all(map(_SEGMENT.fullmatch, segments)):
        return []
    return [("/" + "/".join(segments[: at + 1])).encode() for at in range(len(segments))]


def declares(stray: Stray) -> bool:
    """Say whether a rule tells how this cookie is set."""
    rule = stray.verdict.rule
    return rule is not None and bool(rule.domain or rule.path or rule.partitioned)


def _declared(stray: Stray) -> Line:
    rule = stray.verdict.rule
    assert rule is not None
    domain = rule.domain.lower().removeprefix(".").encode()
    path = rule.path.encode() or b"/"
    return Line(_deletion(stray.name, domain, path, rule.partitioned), stray)


def _deletion(name: bytes, domain: bytes, path: bytes, partitioned: bool) -> bytes:
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


def _cost(line: Line) -> int:
    return len(line.value) + FIELD_BYTES
