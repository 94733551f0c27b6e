"""What apps use to test themselves."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from consentgate import UnknownCategory
from consentgate.testing import assert_only_consented, consent_cookie
from shells import Script, gate, through_asgi, through_wsgi

HEADERS = [("Set-Cookie", "sessionid=secret"), ("set-cookie", "_ga=secret; Path=/")]


@pytest.mark.parametrize("shell", [through_asgi, through_wsgi])
@pytest.mark.parametrize(
    ("url", "secure"), [("http://testserver/", False), ("https://shop.example/", True)]
)
@pytest.mark.parametrize("granted", [(), ("analytics",), ("analytics", "marketing")])
def test_the_signed_cookie_is_a_choice_to_the_gate(
    shell: Any, url: str, secure: bool, granted: tuple[str, ...]
) -> None:
    """What was granted is allowed, all else is refused, under the name in force at that address."""
    seen: list[tuple[frozenset[str], bool, bool, bool]] = []

    def act(consent: Any) -> None:
        seen.append((consent.granted, consent.decided, consent.needs_choice, consent.id is None))

    cookies = consent_cookie(gate(), *granted, secure=secure)
    shell(gate(), Script(act=act), httpx.Request("GET", url, cookies=cookies))
    assert seen == [(frozenset({"necessary", *granted}), True, False, not granted)]


def test_an_unknown_category_is_the_testers_mistake() -> None:
    """The known ids are named."""
    with pytest.raises(UnknownCategory, match="necessary, analytics, marketing"):
        consent_cookie(gate(), "ads")


def test_a_cookie_without_consent_fails_the_assertion_without_its_value() -> None:
    """The names and reasons are told, never a value."""
    with pytest.raises(AssertionError) as caught:
        assert_only_consented(HEADERS, gate())
    assert str(caught.value) == (
        "cookies without consent:\n  _ga: the visitor has not allowed analytics"
    )


def test_what_is_consented_to_or_named_passes() -> None:
    """A grant, a name the app uses, a deletion and the gate's own cookie are in order."""
    assert_only_consented(HEADERS, gate(), "analytics")
    assert_only_consented(HEADERS, gate(), also=["_ga"])
    assert_only_consented([("set-cookie", "_ga=; Max-Age=0"), ("set-cookie", "gate=x")], gate())


def test_responses_of_every_framework_can_be_asserted_on() -> None:
    """httpx, Starlette, werkzeug (Flask) and Django keep headers each in their own way."""
    import django.conf
    from django.http import HttpResponse
    from starlette.responses import Response as StarletteResponse
    from werkzeug.wrappers import Response as WerkzeugResponse

    if not django.conf.settings.configured:
        django.conf.settings.configure()
    responses: list[Any] = [
        httpx.Response(200, headers=HEADERS),
        WerkzeugResponse("", headers=HEADERS),
    ]
    for framework in (StarletteResponse, HttpResponse):
        response = framework()
        response.set_cookie("sessionid", "secret")
        response.set_cookie("_ga", "secret")
        responses.append(response)
    for response in responses:
        assert_only_consented(response, gate(), "analytics")
        with pytest.raises(AssertionError, match="_ga"):
            assert_only_consented(response, gate())
