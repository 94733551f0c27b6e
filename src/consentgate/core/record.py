"""What an answer writes on the device of the choice, and the proof of it.

Rule 1. By mere visiting only a no is ever written: a slow answer must not bring back a yes.
Rule 2. A yes written again does not live longer for it. A no lives for as long as browsers keep a
        cookie, and is written again before that: forgotten, it could be taken for no word at all.
"""

from __future__ import annotations

from dataclasses import replace

from .changes import DAY, day_of
from .companion import companion_lines, seconds_left
from .consent import Consent, Receipt, Tries
from .own_cookie import LONGEST, OwnCookie, host_of
from .visit import Visit


def tries_of(visit: Visit) -> Tries | None:
    """Return how often refused cookies were expired; None where it is not counted.

    Only a full refusal counts: a slow answer that writes a partial one could bring back less of a
    no than there is. A choice that grants something is neither written by mere visiting nor are
    its twins removed: a slow answer could bring back a yes that was taken back meanwhile, a removal
    one that is older. A gate that reports writes nothing either.
    """
    consent, optional = visit.said, visit.site.optional
    if visit.site.policy.mode == "report" or consent.grants or not consent.refuses:
        return None
    return consent.tries if optional <= consent.denied | consent.reopened else None


def own_size(visit: Visit) -> int:
    """Return the most bytes that the value of `own_lines(visit, tries)` has, where tries count."""
    token = b" " * visit.site.tokens.length(visit.said)
    return len(visit.site.own_cookie(visit.request).line(token, LONGEST))


def own_lines(visit: Visit, tries: Tries | None = None, *, renew: bool = True) -> list[bytes]:
    """Return the Set-Cookie values by which the choice is recorded; [] where it stands.

    `renew`: whether a no that grows old may be written again. `tries` is how often refused cookies
    have been expired, this answer included.
    """
    # Without a choice only a refusal is written, and tidied up: see `tries_of`.
    renews = renew and visit.renews
    full = tries_of(visit) is not None
    if not (visit.action or renews or (full and (visit.spare or tries))):
        return []
    consent = visit.said
    if renews:
        days = (day_of(visit.now) - (consent.decided_at or 0)) // DAY
        consent = replace(consent, renewed=min(max(days, 0), 65_535))
    cookie = visit.site.own_cookie(visit.request)
    # A withdrawal leaves nothing that could outweigh a yes stored in another form, so that goes
    # too.
    everywhere = visit.spare or (cookie.has_forms and visit.action == "withdraw")
    lines = cookie.removals_elsewhere(host_of(visit.request)) if everywhere else []
    anew = bool(visit.action) or renews
    left = LONGEST if anew and consent.refuses else seconds_left(visit)
    lines += _own_line(visit, cookie, replace(consent, tries=tries or consent.tries), left)
    # It says nothing of tries, so it stands where only these are counted.
    return lines + companion_lines(visit, left) if anew else lines


def _own_line(visit: Visit, cookie: OwnCookie, consent: Consent, left: int) -> list[bytes]:
    if consent.decided_at is None:
        return [cookie.removal()]
    if left <= 0:
        return []  # the browser forgets it by itself: no reason for us to hurry
    return [cookie.line(visit.site.tokens.write(consent), left)]


def signal_line(visit: Visit) -> bytes:
    """Return the Set-Cookie value by which a signal is recorded: a later absence is no yes."""
    return visit.site.signal_cookie(visit.request).line(b"%d" % (visit.now // DAY), LONGEST)


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
