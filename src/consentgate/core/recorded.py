"""What a visitor's cookies say of the choice made, fairly read: no error, and in doubt a no."""

from __future__ import annotations

from dataclasses import replace

from .consent import NEWCOMER, UNREADABLE, Consent
from .policy import Policy
from .request_cookies import RequestCookies
from .token import Tokens

# A clock may run this much ahead of the one that signed; more is a token from the future.
CLOCK_SKEW = 60
# A browser may hold a cookie of one name for the host and each parent domain; more is a flood, and
# every one of them would cost a signature.
MAX_TWINS = 16


def recorded(
    cookies: RequestCookies, name: bytes, tokens: Tokens, policy: Policy, now: float
) -> tuple[Consent, bool]:
    """Return the choice carried by cookies of this name, and whether it has twins.

    A yes older than the policy's `accepted_for` has lapsed; a no older than `refused_for` stands,
    but is asked about again. Of several choices the newest counts.
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
    return aged(newest, now - (newest.decided_at or 0), policy), twins


def aged(consent: Consent, age: float, policy: Policy) -> Consent:
    """Return what is left of a choice that is so many seconds old."""
    if consent.grants and age > policy.accepted_for:
        consent = replace(
            consent,
            granted=frozenset(),
            older=frozenset(),
            over_gpc=False,
            id=None,
            others=consent.others_without_yes(),
        )
        if not consent.refuses:
            return NEWCOMER
    if consent.denied and age > policy.refused_for:
        consent = replace(consent, reopened=consent.reopened | consent.denied)
    return consent
