"""What a visitor's cookies say of the choice made. See also test_visit, and the laws."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consentgate.core.consent import NEWCOMER, UNREADABLE, Consent
from consentgate.core.policy import CHOICE_LIFETIME
from consentgate.core.recorded import CLOCK_SKEW, MAX_TWINS, recorded
from core.samples import NOW, OPTIONAL, TODAY, ask, consent_of, cookie_of, make_gate, visit_of

GATE = make_gate()
NAME = b"__Host-gate"
YES, NO = cookie_of("analytics"), cookie_of(at=TODAY)
MARKETING = frozenset({"marketing"})
LATER = NOW + CHOICE_LIFETIME + 1


def read(header: bytes, now: float = NOW) -> tuple[Consent, bool]:
    cookies = visit_of(GATE, ask(cookie=header)).cookies
    assert cookies is not None
    return recorded(cookies, NAME, GATE.site.tokens, GATE.policy, now)


@pytest.mark.parametrize(
    ("header", "now", "expected"),
    [
        (b"sid=1", NOW, (NEWCOMER, False)),
        (b"gate=x", NOW, (NEWCOMER, False)),
        (YES, NOW, (consent_of("analytics"), False)),
        (YES + b"; sid=1; " + NO, NOW, (consent_of(at=TODAY), True)),
        (YES + b"; " + NAME + b"=forged", NOW, (consent_of("analytics"), True)),
        (NAME + b"=forged", NOW, (UNREADABLE, False)),
        (YES, NOW - CLOCK_SKEW - 1, (UNREADABLE, False)),
        (YES, NOW - CLOCK_SKEW, (consent_of("analytics"), False)),
        (YES, LATER, (Consent(denied=MARKETING, reopened=MARKETING, decided_at=NOW), False)),
        (cookie_of("analytics", "marketing"), LATER, (NEWCOMER, False)),
        (NO, LATER, (replace(consent_of(at=TODAY), reopened=OPTIONAL), False)),
        (b"; ".join([YES] * MAX_TWINS), NOW, (consent_of("analytics"), True)),
        (b"; ".join([YES] * (MAX_TWINS + 1)), NOW, (UNREADABLE, False)),
        (YES + b"; x=" + b"y" * 65_536, NOW, (UNREADABLE, False)),
    ],
)
def test_the_newest_choice_that_holds_counts(
    header: bytes, now: float, expected: tuple[Consent, bool]
) -> None:
    """A yes lapses and a no does not; what cannot be believed is a no; and whether it has twins."""
    assert read(header, now) == expected
