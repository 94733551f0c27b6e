"""What a visitor's cookies say of the choice made, fairly read: no error, and in doubt a no."""

from __future__ import annotations

from .consent import NEWCOMER, UNREADABLE, Consent
from .request_cookies import RequestCookies
from .token import Tokens

# A clock may run this much ahead of the one that signed; more is a token from the future.
CLOCK_SKEW = 60
# A browser may hold a cookie of one name for the host and each parent domain; more is a flood, and
# every one of them would cost a signature.
MAX_TWINS = 16


def recorded(
    cookies: RequestCookies, name: bytes, tokens: Tokens, lifetime: int, now: float
) -> tuple[Consent, bool]:
    """Return the choice carried by cookies of this name, and whether it has twins.

    A yes older than `lifetime`, in seconds, has lapsed. Of several choices the newest counts.
    """
    if not cookies.readable:
        return UNREADABLE, False
    values = cookies.own(name)
    if not values:
        return NEWCOMER, False
    if len(values) > MAX_TWINS:
        return UNREADABLE, False
    newest: Consent | None = None
    for value in values:
        consent = tokens.read(value)
        if consent is None or (consent.decided_at or 0) > now + CLOCK_SKEW:
            continue
        if newest is None or consent.age_order() > newest.age_order():
            newest = consent
    if newest is None:
        return UNREADABLE, False
    twins = len(values) > 1
    if newest.grants and now - (newest.decided_at or 0) > lifetime:
        if not newest.denied:
            return NEWCOMER, twins
        return Consent(denied=newest.denied, decided_at=newest.decided_at), twins
    return newest, twins
