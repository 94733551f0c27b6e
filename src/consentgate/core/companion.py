"""The companion of the choice: what the site's scripts may know of it, in a cookie they can read.

    DAY ["!"] *( "&" ID "=" [REVISION] )

    DAY       whole days since 1970 of the choice; "!": it was given over a signal, after notice
    ID        a category's id, percent-encoded
    REVISION  four hexadecimal digits: granted, to this revision; nothing: refused

Rule 1. It follows the choice and is never read here to decide: no signature, and no id.
Rule 2. Beside it no choice is older than it says, and none that it does not say is granted.

Pages that come from a cache are decided in the browser, and Safari empties a script's own storage
after seven days without a visit (WebKit, "Full Third-Party Cookie Blocking and More", 2020); a
cookie that a server sets lives on.
"""

from __future__ import annotations

from urllib.parse import quote

from .changes import DAY
from .own_cookie import LONGEST
from .visitor import Visitor, written_at


def companion_of(visitor: Visitor) -> bytes:
    """Return the companion's value for what this visitor has chosen; b"" where there is none."""
    consent, standing, site = visitor.said, visitor.standing, visitor.site
    if consent.decided_at is None or not (consent.granted or consent.denied):
        return b""
    older = dict(consent.older)
    value = str(consent.decided_at // DAY) + ("!" if consent.over_gpc else "")
    for id in sorted(site.optional):
        if id in standing.granted:
            value += f"&{quote(id, safe='')}={older.get(id, site.stamps[id][0]):04x}"
        elif id in standing.denied:
            value += f"&{quote(id, safe='')}="
    return value.encode()


def seconds_left(visitor: Visitor) -> int:
    """Return for how long a recorded choice is still kept; see `record`."""
    consent, policy = visitor.said, visitor.site.policy
    if not consent.refuses:
        return policy.accepted_for - max(0, int(visitor.now) - (consent.decided_at or 0))
    return LONGEST - max(0, int(visitor.now) - written_at(consent))


def companion_line(visitor: Visitor, seconds: int) -> list[bytes]:
    """Return the Set-Cookie value that keeps the companion for so long, or removes it; [] if none.

    It is removed only where the browser has one.
    """
    cookie = visitor.site.companion_cookie(visitor.request)
    value = companion_of(visitor)
    if value and seconds > 0:
        return [cookie.line(value, seconds)]
    return [cookie.removal()] if sent_companion(visitor) is not None else []


def sent_companion(visitor: Visitor) -> bytes | None:
    """Return the companion that came with the request, if just one did; b"" if they differ."""
    cookies = visitor.cookies
    name = visitor.site.companion_cookie(visitor.request).name
    if cookies is None or name not in cookies.row.own:
        return None
    values = set(cookies.own(name))
    return values.pop() if len(values) == 1 else b""
