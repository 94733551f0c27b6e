"""Which categories may be used now, and why. See also the table of legal situations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from consentgate.core.consent import NEWCOMER, UNREADABLE, Choice, Consent
from consentgate.core.policy import Category, Exemption
from consentgate.core.regions import STRICTEST, Law
from consentgate.core.standing import Basis, Signal, Situation, Standing, Standings

OPT_OUT = Law(False, frozenset())
MEASURING = Law(True, frozenset({"audience-measurement"}))
CATEGORIES = (
    Category(id="necessary", always=True),
    Category(id="audience", exemption=Exemption(kind="audience-measurement")),
    Category(id="analytics"),
    Category(id="ads", sale_or_sharing=True),
)
STANDINGS = Standings(CATEGORIES, signal_refuses=True)
LENIENT = Standings(CATEGORIES, signal_refuses=False)
UNMARKED = Standings(CATEGORIES[:3], signal_refuses=False)


def said(granted: Iterable[str] = (), denied: Iterable[str] = (), **more: object) -> Consent:
    return Consent(granted=frozenset(granted), denied=frozenset(denied), **more)  # type: ignore[arg-type]


def standing(
    consent: Consent = NEWCOMER,
    law: Law = STRICTEST,
    *,
    signalled: bool = False,
    restricted: Iterable[str] = (),
    of: Standings = STANDINGS,
) -> Standing:
    return of.of(Situation(consent, law, signalled, frozenset(restricted)))


def bases(found: Standing) -> dict[str, str]:
    """The basis of each category that is allowed, by the first letters of both."""
    return {id: found.basis(id) for id in sorted(found.allowed)}  # type: ignore[misc]


NECESSARY = {"necessary": Basis.NECESSARY}
ALL_OPT_OUT = {"audience": Basis.OPT_OUT, "analytics": Basis.OPT_OUT, "ads": Basis.OPT_OUT}


@pytest.mark.parametrize(
    ("found", "allowed", "asks"),
    [
        (standing(), {}, True),
        (standing(law=MEASURING), {"audience": Basis.EXEMPT}, True),
        (standing(law=OPT_OUT), ALL_OPT_OUT, False),
        (standing(said(["analytics"])), {"analytics": Basis.CONSENT}, True),
        (
            standing(said(["analytics"], ["ads"]), MEASURING),
            {"analytics": Basis.CONSENT, "audience": Basis.EXEMPT},
            False,
        ),
        (standing(said((), ["audience", "analytics", "ads"]), OPT_OUT), {}, False),
        (standing(said((), ["audience"]), MEASURING), {}, True),
        (standing(UNREADABLE, OPT_OUT), {}, False),
        (standing(UNREADABLE, MEASURING), {}, True),
        (standing(restricted=["ads"], law=OPT_OUT), ALL_OPT_OUT | {"ads": None}, False),
        (standing(said(["ads"]), restricted=["ads", "analytics", "audience"]), {}, False),
        (
            standing(Consent(reopened=frozenset({"ads"})), OPT_OUT),
            ALL_OPT_OUT | {"ads": None},
            False,
        ),
        (standing(Consent(reopened=frozenset({"ads"}))), {}, True),
    ],
)
def test_what_is_allowed_rests_on_something(
    found: Standing, allowed: dict[str, Basis | None], asks: bool
) -> None:
    """A yes, an exemption of the region, or its opt-out; what was refused never is."""
    expected = {id: basis for id, basis in allowed.items() if basis} | NECESSARY
    assert (bases(found), found.asks) == (expected, asks)


@pytest.mark.parametrize(
    ("found", "allowed", "signal", "ads", "analytics"),
    [
        (standing(signalled=True), {}, "applied", "denied", "denied"),
        (standing(signalled=True, law=MEASURING), {}, "applied", "denied", "denied"),
        (
            standing(signalled=True, law=OPT_OUT),
            ALL_OPT_OUT | {"ads": None},
            "applied",
            "denied",
            "unset",
        ),
        (
            standing(said(["ads", "analytics"]), signalled=True),
            {"analytics": Basis.CONSENT},
            "applied",
            "denied",
            "granted",
        ),
        (
            standing(said(["ads"], over_gpc=True), signalled=True),
            {"ads": Basis.CONSENT},
            "overridden",
            "granted",
            "denied",
        ),
        (
            standing(said(["ads"], over_gpc=True)),
            {"ads": Basis.CONSENT},
            "absent",
            "granted",
            "unset",
        ),
        (standing(signalled=True, of=LENIENT), {}, "applied", "denied", "unset"),
        (
            standing(signalled=True, law=MEASURING, of=LENIENT),
            {"audience": Basis.EXEMPT},
            "applied",
            "denied",
            "unset",
        ),
    ],
)
def test_a_signal_opts_out(
    found: Standing,
    allowed: dict[str, Basis | None],
    signal: str,
    ads: str,
    analytics: str,
) -> None:
    """Of what is sold, even over a yes; of all that was not granted, if the policy says so."""
    expected = {id: basis for id, basis in allowed.items() if basis} | NECESSARY
    assert bases(found) == expected
    assert (found.signal, found.choice("ads"), found.choice("analytics")) == (
        signal,
        ads,
        analytics,
    )


def test_a_signal_where_nothing_is_marked_is_a_no_to_what_was_not_granted() -> None:
    """Nobody has said what it is about, so it is about everything."""
    assert bases(standing(signalled=True, law=OPT_OUT, of=UNMARKED)) == NECESSARY
    yes = standing(said(["analytics"]), OPT_OUT, signalled=True, of=UNMARKED)
    assert bases(yes) == {"analytics": Basis.CONSENT} | NECESSARY
    assert yes.choice("audience") is Choice.DENIED


def test_who_sends_a_signal_is_not_asked() -> None:
    """In opt-in regions it is an answer: no banner for those who have said no already."""
    assert [standing(signalled=signalled).asks for signalled in (False, True)] == [True, False]
    taken_back = Consent(reopened=frozenset({"audience", "analytics", "ads"}))
    assert standing(taken_back).asks
    assert not standing(taken_back, signalled=True).asks
    assert standing(signalled=True, of=LENIENT).asks


def test_what_is_sold_is_never_exempt() -> None:
    """No exemption is for that, whatever a policy made in Python says."""
    sold = (replace(CATEGORIES[1], sale_or_sharing=True),)
    found = standing(law=MEASURING, of=Standings(sold, signal_refuses=True))
    assert (found.allowed, found.asks) == (frozenset(), True)


def test_only_what_is_honoured_is_true() -> None:
    """So that `if consent.gpc` reads as it should."""
    assert [bool(one) for one in Signal] == [True, False, False]


def test_visitors_alike_share_one_standing() -> None:
    """It is worked out once for each kind, whoever they are and whenever they chose."""
    one = standing(said(["ads"], id="1", decided_at=5))
    assert one is standing(said(["ads"], id="2", decided_at=7))
    assert one is not standing(said(["ads"], id="1", decided_at=5), OPT_OUT)


@pytest.mark.parametrize(
    ("law", "unasked"), [(STRICTEST, False), (MEASURING, True), (OPT_OUT, True)]
)
def test_it_is_known_whether_a_law_lets_anything_be_used_unasked(law: Law, unasked: bool) -> None:
    """Else nobody needs to know where a visitor is."""
    assert STANDINGS.lets_unasked(law) is unasked
    assert not Standings(CATEGORIES[:1], signal_refuses=True).lets_unasked(law)
