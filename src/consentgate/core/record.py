"""What an answer writes on the device of the choice, and the proof of it.

Rule 1. By mere visiting only a no is ever written: a slow answer must not bring back a yes.
Rule 2. Nothing written again lives longer for it, but for a no where something may be used without
        consent: there it must not lapse.
"""

from __future__ import annotations

from dataclasses import replace

from .changes import day_of
from .consent import Consent, Receipt, Tries
from .own_cookie import OwnCookie, host_of
from .visit import Visit

# RFC 6265bis 5.5: browsers keep no cookie for longer.
LONGEST = 400 * 86_400


def tries_of(visit: Visit) -> Tries | None:
    """Return how often refused cookies were expired; None where it is not counted.

    Only a full refusal counts. A choice that grants something is neither written by mere visiting
    nor are its twins removed: a slow answer could bring back a yes that was taken back meanwhile, a
    removal one that is older. A gate that reports writes nothing either.
    """
    consent = visit.said
    refused = consent.denied or consent.reopened
    if visit.site.policy.mode == "report" or consent.grants or not refused:
        return None
    return consent.tries


def own_size(visit: Visit) -> int:
    """Return the most bytes that the value of `own_lines(visit, tries)` has, where tries count."""
    token = b" " * visit.site.tokens.length(visit.said)
    return len(visit.site.own_cookie(visit.request).line(token, LONGEST))


def own_lines(visit: Visit, tries: Tries | None = None) -> list[bytes]:
    """Return the Set-Cookie values by which the choice is recorded; [] where it stands.

    `tries` is how often refused cookies have been expired, this answer included.
    """
    # Without a choice only a refusal is written, and tidied up: see `tries_of`.
    renews = visit.renews
    if not visit.action and (tries_of(visit) is None or not (visit.spare or tries or renews)):
        return []
    consent = visit.said
    if renews:  # it is asked about again already, so its age no longer matters
        consent = replace(consent, decided_at=day_of(visit.now))
    cookie = visit.site.own_cookie(visit.request)
    # A withdrawal leaves nothing that could outweigh a yes stored in another form, so that goes
    # too. Of `__Host-` there is no other form.
    bare = not cookie.name.startswith(b"__Host-")
    everywhere = visit.spare or (bare and visit.action == "withdraw")
    lines = cookie.removals_elsewhere(host_of(visit.request)) if everywhere else []
    return lines + _own_line(visit, cookie, replace(consent, tries=tries or consent.tries))


def _own_line(visit: Visit, cookie: OwnCookie, consent: Consent) -> list[bytes]:
    if consent.decided_at is None:
        return [cookie.removal()]
    policy = visit.site.policy
    refused = consent.denied or consent.reopened
    left = max(policy.accepted_for, policy.refused_for if refused else 0)
    if not consent.grants:
        left = policy.refused_for
    if visit.site.lenient and refused:
        left = LONGEST
    # Written again without a choice, or along with an older yes, it never lives longer.
    if consent.grants or not (visit.action or visit.site.lenient):
        left -= max(0, int(visit.now) - consent.decided_at)
    if left <= 0:
        return []  # the browser forgets it by itself: no reason for us to hurry
    return [cookie.line(visit.site.tokens.write(consent), left)]


def signal_line(visit: Visit) -> bytes:
    """Return the Set-Cookie value by which a signal is recorded: a later absence is no yes."""
    return visit.site.signal_cookie(visit.request).line(b"1", LONGEST)


def receipt(visit: Visit, action: str = "") -> Receipt:
    """Return the proof of the choice made during this request, or of a signal ("gpc")."""
    consent, site = visit.said, visit.site
    older = dict(consent.older)
    refuses = not consent.granted and (bool(consent.denied) or action == "gpc")
    return Receipt(
        action=action or visit.action,
        id=consent.id,
        # The act is of this moment, whatever older yes it keeps; a refusal is of its day only.
        decided_at=day_of(visit.now) if refuses else int(visit.now),
        version=site.policy.version,
        granted=tuple(sorted(consent.granted)),
        denied=tuple(sorted(consent.denied)),
        revisions=tuple((id, site.revision(id, older.get(id))) for id in sorted(consent.granted)),
        region=visit.place,
        gpc=visit.standing.signal,
    )
