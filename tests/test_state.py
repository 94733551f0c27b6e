"""Finding the visitor's consent in whatever a framework calls a request."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from consentgate import Choice, GrantRefused, RequestConsent, consent_from
from shells import gate


@pytest.fixture
def consent() -> RequestConsent:
    visit = gate().newcomer(RequestConsent)
    assert isinstance(visit, RequestConsent)
    return visit


def test_it_is_found_in_scopes_environs_and_the_requests_that_hold_them(
    consent: RequestConsent,
) -> None:
    """An adapter from WSGI to ASGI keeps the scope in the environ that it makes of it."""
    scope, environ = {"consentgate": consent}, {"consentgate.consent": consent}
    places = [
        scope,
        environ,
        {"asgi.scope": scope},
        SimpleNamespace(scope=scope),
        SimpleNamespace(environ=environ),
        SimpleNamespace(META=environ),
        SimpleNamespace(env=environ),
    ]
    assert [consent_from(place) is consent for place in places] == [True] * len(places)


@pytest.mark.parametrize(
    "place", [None, {}, object(), {"consentgate": "forged"}, {"asgi.scope": 1}]
)
def test_outside_the_gate_it_is_a_newcomer_who_granted_nothing(place: object) -> None:
    """Never None, never an AttributeError; it can refuse, but not grant."""
    consent = consent_from(place)
    assert consent.allows("analytics") is False
    assert consent.choice("analytics") is Choice.UNSET
    assert (consent.decided, consent.id, consent.decided_at) == (False, None, None)
    consent.reject_all()
    with pytest.raises(GrantRefused):
        gate().newcomer().accept_all()


def test_outside_the_gate_everything_can_be_asked_and_taken_away() -> None:
    """Any category at all, for no policy says which there are; nothing is allowed."""
    consent = consent_from(None)
    assert (consent.basis("analytics"), consent.region, consent.gpc) == (None, None, "absent")
    assert consent.opt_out_notice == ""
    consent.restrict("marketing")
    consent.require_opt_in()
    consent.opt_out()
    consent.withdraw()
    assert consent.allows("marketing") is False
