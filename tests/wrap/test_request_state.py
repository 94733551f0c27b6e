"""`request.state.consent` in the handlers of every framework, WebSockets included."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import bottle
import falcon
import falcon.asgi
import flask
import litestar
import pytest
import quart
from django.http import HttpResponse
from django.test.utils import override_settings
from django.urls import path as django_path
from fastapi import FastAPI
from pyramid.config import Configurator
from pyramid.response import Response as PyramidResponse
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from consentgate import RequestConsent, consent_from, wrap
from wrap import django_site
from wrap.driving import ENVIRON, ask, choose, connect, names

GA = {"Set-Cookie": "_ga=1"}


def _say(*found: Any) -> str:
    """Return what the handler learns; every way of asking must lead to one and the same object."""
    first = found[0]
    assert isinstance(first, RequestConsent)
    assert all(one is first for one in found)
    return first.choice("analytics").value


def _fastapi(act: Callable[[Any], Any]) -> Any:
    app = FastAPI()

    @app.get("/")
    async def page(request: Request) -> PlainTextResponse:
        scope = request.scope
        consent = request.state.consent
        text = _say(consent, scope["state"]["consent"], consent_from(request), consent_from(scope))
        act(consent)
        return PlainTextResponse(text, headers=GA)

    @app.websocket("/ws")
    async def socket(websocket: WebSocket) -> None:
        consent = websocket.state.consent
        await websocket.accept(headers=[(b"set-cookie", b"_ga=1")])
        await websocket.send_text(_say(consent, consent_from(websocket)))
        await websocket.close()

    return app


def _starlette(act: Callable[[Any], Any]) -> Any:
    async def page(request: Request) -> PlainTextResponse:
        consent = request.state.consent
        text = _say(consent, request.scope["state"]["consent"], consent_from(request))
        act(consent)
        return PlainTextResponse(text, headers=GA)

    async def socket(websocket: WebSocket) -> None:
        consent = websocket.state.consent
        await websocket.accept(headers=[(b"set-cookie", b"_ga=1")])
        await websocket.send_text(_say(consent, consent_from(websocket)))
        await websocket.close()

    return Starlette(routes=[Route("/", page), WebSocketRoute("/ws", socket)])


def _litestar(act: Callable[[Any], Any]) -> Any:
    @litestar.get("/")
    async def page(request: litestar.Request[Any, Any, Any]) -> litestar.Response[str]:
        consent = request.state.consent
        text = _say(consent, request.scope["state"]["consent"], consent_from(request))
        act(consent)
        return litestar.Response(text, headers=GA)

    @litestar.websocket("/ws")
    async def socket(socket: litestar.WebSocket[Any, Any, Any]) -> None:
        consent = socket.state.consent
        await socket.accept(headers=GA)
        await socket.send_text(_say(consent, consent_from(socket)))
        await socket.close()

    return litestar.Litestar([page, socket], openapi_config=None, logging_config=None)


def _quart(act: Callable[[Any], Any]) -> Any:
    app = quart.Quart(__name__)

    @app.get("/")
    async def page() -> Any:
        request = quart.request
        consent = request.state.consent  # type: ignore[attr-defined]
        text = _say(consent, request.scope["state"]["consent"], consent_from(request))
        act(consent)
        return text, GA

    @app.websocket("/ws")
    async def socket() -> None:
        consent = quart.websocket.state.consent  # type: ignore[attr-defined]
        await quart.websocket.accept(headers=GA)
        await quart.websocket.send(_say(consent, consent_from(quart.websocket)))

    return app


def _falcon_asgi(act: Callable[[Any], Any]) -> Any:
    class Page:
        async def on_get(self, request: Any, response: Any) -> None:
            consent = consent_from(request)
            response.text = _say(consent, request.scope["state"]["consent"])
            act(consent)
            response.set_cookie("_ga", "1")

    class Socket:
        async def on_websocket(self, request: Any, socket: Any) -> None:
            await socket.accept(headers=GA)
            await socket.send_text(_say(consent_from(request)))
            await socket.close()

    app = falcon.asgi.App()
    app.add_route("/", Page())
    app.add_route("/ws", Socket())
    return app


def _bare_asgi(act: Callable[[Any], Any]) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        consent = scope["state"]["consent"]
        text = _say(consent, consent_from(scope))
        headers = [(b"set-cookie", b"_ga=1")]
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept", "headers": headers})
            await send({"type": "websocket.send", "text": text})
            await send({"type": "websocket.close"})
            return
        act(consent)
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": text.encode()})

    return app


def _flask(act: Callable[[Any], Any]) -> Any:
    app = flask.Flask(__name__)

    @app.get("/")
    def page() -> Any:
        request = flask.request
        consent = request.state.consent  # type: ignore[attr-defined]
        text = _say(consent, request.environ["consentgate.consent"], consent_from(request))
        act(consent)
        return text, GA

    return app


def _django(handler: Callable[[], Any]) -> Callable[[Callable[[Any], Any]], Any]:
    def make(act: Callable[[Any], Any]) -> Any:
        def page(request: Any) -> Any:
            consent = request.state.consent
            raw = getattr(request, "scope", {}).get("state", {}).get("consent", consent)
            environ = request.META.get("consentgate.consent", consent)
            text = _say(consent, raw, environ, consent_from(request))
            act(consent)
            return HttpResponse(text, headers=GA)

        urlpatterns[:] = [django_path("", page)]
        return handler()

    return make


def _falcon_wsgi(act: Callable[[Any], Any]) -> Any:
    class Page:
        def on_get(self, request: Any, response: Any) -> None:
            consent = consent_from(request)
            response.text = _say(consent, request.env["consentgate.consent"])
            act(consent)
            response.set_cookie("_ga", "1")

    app = falcon.App()
    app.add_route("/", Page())
    return app


def _pyramid(act: Callable[[Any], Any]) -> Any:
    def page(request: Any) -> Any:
        consent = consent_from(request)
        text = _say(consent, request.environ["consentgate.consent"])
        act(consent)
        return PyramidResponse(text, headers=GA)

    with Configurator() as config:
        config.add_route("page", "/")
        config.add_view(page, route_name="page")
    return config.make_wsgi_app()


def _bottle(act: Callable[[Any], Any]) -> Any:
    app = bottle.Bottle()

    @app.get("/")
    def page() -> Any:
        consent = consent_from(bottle.request)
        text = _say(consent, bottle.request.environ["consentgate.consent"])
        act(consent)
        bottle.response.set_cookie("_ga", "1")
        return text

    return app


def _bare_wsgi(act: Callable[[Any], Any]) -> Any:
    def app(environ: Any, start_response: Any) -> Any:
        consent = consent_from(environ)
        text = _say(consent, environ["consentgate.consent"])
        act(consent)
        start_response("200 OK", list(GA.items()))
        return [text.encode()]

    return app


urlpatterns: list[Any] = []  # Django's
ASGI = {
    "fastapi": _fastapi,
    "starlette": _starlette,
    "litestar": _litestar,
    "quart": _quart,
    "falcon-asgi": _falcon_asgi,
    "bare-asgi": _bare_asgi,
}
HTTP = {
    **ASGI,
    "django-asgi": _django(django_site.asgi_site),
    "django-wsgi": _django(django_site.wsgi_site),
    "flask": _flask,
    "falcon-wsgi": _falcon_wsgi,
    "pyramid": _pyramid,
    "bottle": _bottle,
    "bare-wsgi": _bare_wsgi,
}


@pytest.fixture(autouse=True)
def _urls() -> Any:
    urls = type("urls", (), {"urlpatterns": urlpatterns})
    with override_settings(ROOT_URLCONF=urls, MIDDLEWARE=[]):
        yield


def _nothing(consent: RequestConsent) -> None:
    pass


@pytest.mark.parametrize("make", HTTP.values(), ids=HTTP)
def test_a_handler_reads_what_the_visitor_said(make: Any, policy_file: Path) -> None:
    """Every way to the consent leads to one object, which knows a newcomer, a no and a yes."""
    app = wrap(make(_nothing), policy_file, environ=ENVIRON)
    refused, granted = choose(app, "reject"), choose(app, "accept")
    found = [ask(app, cookie=cookie) for cookie in (b"", refused, granted)]
    assert [(one.text, names(one)) for one in found] == [
        ("unset", []),
        ("denied", []),
        ("granted", ["_ga"]),
    ]


@pytest.mark.parametrize("make", HTTP.values(), ids=HTTP)
def test_a_handler_takes_the_consent_back(make: Any, policy_file: Path) -> None:
    """After `reject_all()` in a handler that very answer carries the new choice and no `_ga`."""
    app = wrap(make(RequestConsent.reject_all), policy_file, environ=ENVIRON)
    assert names(ask(app, cookie=choose(app, "accept"))) == ["gate"]


@pytest.mark.parametrize("make", ASGI.values(), ids=ASGI)
def test_a_websocket_endpoint_reads_what_the_visitor_said(make: Any, policy_file: Path) -> None:
    """In a WebSocket endpoint too, and the handshake sets `_ga` with consent only."""
    app = wrap(make(_nothing), policy_file, environ=ENVIRON)
    refused, granted = choose(app, "reject"), choose(app, "accept")
    assert [connect(app, cookie) for cookie in (b"", refused, granted)] == [
        ([], "unset"),
        ([], "denied"),
        ([b"_ga=1"], "granted"),
    ]
