"""From one choice to the next: what an act of the visitor makes of what was said before.

Rule 1. What was not spoken of stays as it was, and a yes merely kept does not become younger.
Rule 2. A refusal leaves nothing to recognise a visitor by: no id, and only the day.
Rule 3. What other policies were told stands, but that a no to everything is one to them as well.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from .consent import NEWCOMER, NO, REOPENED, Consent

DAY = 86_400


def day_of(now: float) -> int:
    """Return the beginning of the day (UTC), in seconds since 1970."""
    return int(now) - int(now) % DAY


def chosen(
    before: Consent,
    *,
    granted: frozenset[str],
    denied: frozenset[str],
    asked: frozenset[str],
    over_gpc: bool,
    everything: bool,
    remember: bool,
    now: float,
    fresh_id: Callable[[], bytes],
) -> Consent:
    """Return the choice after `granted` and `denied`.

    Of what is granted, `asked` is granted by this act. `everything`: all was refused, and if that
    must be remembered (see `taken_back`) all that is named nowhere too.
    """
    reopened = before.reopened - granted - denied
    others = before.others_as(NO) if everything else before.others
    if everything and remember:
        others = replace(before, others=others).others_and_no_other()
    kept = granted - asked
    if granted or Consent(others=others).grants:
        keeps = bool(kept) or Consent(others=others).grants
        return Consent(
            granted=granted,
            denied=denied,
            reopened=reopened,
            older=frozenset(one for one in before.older if one[0] in kept),
            over_gpc=over_gpc,
            id=before.id or fresh_id().hex(),
            decided_at=before.decided_at if keeps and before.decided_at else int(now),
            others=others,
        )
    refusal = Consent(denied=denied, reopened=reopened, decided_at=day_of(now), others=others)
    return refusal if refusal.refuses else NEWCOMER


def taken_back(before: Consent, optional: frozenset[str], remember: bool, now: float) -> Consent:
    """Return the choice after everything was taken back, and is to be asked about again.

    `remember`: something may be used without consent, here or on a site with the same cookie, so
    that forgetting a no would allow more than before. There it is written that none of it may be,
    until the visitor answers.
    """
    if not remember and not before.others:
        return NEWCOMER
    others = replace(before, others=before.others_as(REOPENED)).others_and_no_other()
    return Consent(reopened=optional, decided_at=day_of(now), others=others)
