"""Where a visitor is, told by the app: `wrap(app, policy, locate=...)`."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import flask
import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request as StarletteRequest
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from consentgate import Policy, handler, wrap
from consentgate.core.http import Request
from consentgate.core.policy import Regions
from shells import KEY, policy

ENVIRON = {"CONSENTGATE_SECRET": KEY.decode()}


def by_header(request: Request) -> str | None:
    """What an app that trusts a header of its own would write."""
    value = request.single(b"x-place")
    return value.decode() if value else None


def through_flask(config: Any, locate: Any, headers: dict[str, str]) -> tuple[str, bool]:
    app = flask.Flask("shop")

    @app.get("/")
    def page() -> flask.Response:
        answer = flask.make_response(str(flask.request.state.consent.region))  # type: ignore[attr-defined]
        answer.set_cookie("_ga", "1")
        return answer

    client = wrap(app, config, environ=ENVIRON, locate=locate).test_client()
    response = client.get("/", headers=headers)
    return response.text, "_ga=" in str(response.headers)


def through_starlette(config: Any, locate: Any, headers: dict[str, str]) -> tuple[str, bool]:
    def page(request: StarletteRequest) -> Response:
        answer = PlainTextResponse(str(request.state.consent.region))
        answer.set_cookie("_ga", "1")
        return answer

    app = wrap(Starlette(routes=[Route("/", page)]), config, environ=ENVIRON, locate=locate)

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
            return await client.get("/", headers=headers)

    response = asyncio.run(ask())
    return response.text, "_ga=" in str(response.headers)


both = pytest.mark.parametrize("through", [through_flask, through_starlette])


@both
def test_a_callable_says_where_a_visitor_is(through: Any) -> None:
    """The built-in profiles say what follows, without a word in the policy."""
    assert through(policy(), by_header, {"x-place": "US-CA"}) == ("US-CA", True)
    assert through(policy(), by_header, {"x-place": "FR"}) == ("FR", False)
    assert through(policy(), by_header, {}) == ("None", False)
    assert through(policy(), None, {"x-place": "US-CA"}) == ("None", False)


@both
def test_where_the_callable_knows_nothing_the_policy_is_asked(through: Any) -> None:
    """Its header, and its own profiles."""
    config = policy(regions=Regions(country="CF-IPCountry"))
    headers = {"cf-ipcountry": "DE", "x-place": "US-CA"}
    assert through(config, by_header, headers) == ("US-CA", False)  # no profile: opt-in
    assert through(config, lambda _: None, headers) == ("DE", False)


@both
def test_a_callable_that_fails_costs_no_page(
    through: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who cannot be located is asked for consent; it is logged once for each kind of error."""
    monkeypatch.setattr(handler, "_failures", set())

    def failing(request: Request) -> str:
        raise LookupError(request.path)

    with caplog.at_level(logging.WARNING, "consentgate"):
        assert through(policy(), failing, {}) == ("None", False)
        assert through(policy(), failing, {}) == ("None", False)
    said = [one for one in caplog.messages if "where a visitor is" in one]
    assert said == [
        "where a visitor is could not be found out, so nothing optional is used without a yes: "
        f"LookupError at {__file__}:{failing.__code__.co_firstlineno + 1} "
        "(said once for each kind of error)"
    ]


@both
def test_a_callable_may_ask_the_connection(through: Any) -> None:
    """Its address, as the server tells it."""
    places = {"127.0.0.1": "US-CA"}
    assert through(policy(), lambda request: places.get(request.client), {}) == ("US-CA", True)


@both
def test_several_sites_are_all_located(through: Any) -> None:
    """Where the policy depends on the host, too."""

    def choose(host: str) -> Policy:
        return policy()

    assert through(choose, by_header, {"x-place": "US-CA"}) == ("US-CA", True)
