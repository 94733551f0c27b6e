"""The companion of the choice: what the site's scripts may know of it, in a cookie they can read.

    DAY "." KEY ["!"] *( "&" ID "=" [REVISION] )

    DAY       whole days since 1970 of the choice
    KEY       four hexadecimal digits that tell which key signed the choice: a script that does not
              know them knows that the gate could not read it either
    "!"       it was given over a signal, after notice
    ID        a category's id, percent-encoded
    REVISION  four hexadecimal digits: granted, to this revision; nothing: refused

Rule 1. It follows the choice and is never read here to decide: no signature, and no id.
Rule 2. Only the answer to a choice writes one, and a no that is written again: a slow answer to
        anything else could bring a yes back that was taken back meanwhile.
Rule 3. It goes whenever it could say more than the choice, in every form that it may have.

Pages that come from a cache are decided in the browser, and Safari empties a script's own storage
after seven days without a visit (WebKit, "Full Third-Party Cookie Blocking and More", 2020); a
cookie that a server sets lives on.
"""

from __future__ import annotations

from urllib.parse import quote, unquote

from .changes import DAY
from .own_cookie import LONGEST, host_of
from .visitor import Visitor, written_at


def companion_of(visitor: Visitor) -> bytes:
    """Return the companion's value for what this visitor has chosen; b"" where there is none."""
    consent, standing, site = visitor.said, visitor.standing, visitor.site
    if consent.decided_at is None or not (consent.granted or consent.denied):
        return b""
    older = dict(consent.older)
    value = f"{consent.decided_at // DAY}.{site.key_tags[0]}" + "!" * consent.over_gpc
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


def companion_lines(visitor: Visitor, seconds: int) -> list[bytes]:
    """Return the Set-Cookie values that keep the companion for so long, or remove it.

    Others of its name are removed with it: of a parent domain, say, from before `domain` changed.
    """
    cookie = visitor.site.companion_cookie(visitor.request)
    value = companion_of(visitor)
    lines = cookie.removals_elsewhere(host_of(visitor.request)) if cookie.has_forms else []
    return [*lines, cookie.line(value, seconds) if value and seconds > 0 else cookie.removal()]


def says_more(visitor: Visitor) -> bool:
    """Say whether scripts would read more out of the companion sent than the visitor has granted.

    One that says less, or what scripts no longer believe, does no harm and is left alone.
    """
    cookies, site = visitor.cookies, visitor.site
    name = site.companion_cookie(visitor.request).name
    if cookies is None or name not in cookies.row.own:
        return False
    granted = visitor.standing.granted
    for value in cookies.own(name):
        for pair in value.decode("latin-1").split("&")[1:]:
            id, _, revision = pair.partition("=")
            id = unquote(id)
            believed = revision in {f"{one:04x}" for one in site.stamps.get(id, ())}
            if believed and id not in granted:
                return True
    return False
