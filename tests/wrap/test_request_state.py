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
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix

from consentgate import RequestConsent, consent_from, wrap
from wrap import django_site
from wrap.driving import ENVIRON, ByProtocol, Slotted, ask, choose, connect, names

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


def _inside(make: Any, around: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The same app within another object, of which alone `wrap` is told."""
    return lambda act: around(make(act))


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
    "flask in a middleware": _inside(_flask, lambda app: Slotted(ProxyFix(app))),
    "flask in a dispatcher": _inside(_flask, DispatcherMiddleware),
    "quart in a middleware": _inside(_quart, lambda app: ByProtocol({"http": app})),
    "django by protocol": _inside(
        _django(django_site.asgi_site), lambda app: ByProtocol({"http": app})
    ),
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
    assert names(ask(app, cookie=choose(app, "accept"))) == ["gate", "gate-choice"]


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


def test_an_app_mounted_after_wrap_has_it_too(policy_file: Path) -> None:
    """A Flask app put into a wrapped one finds the consent on its own requests."""
    app = wrap(flask.Flask(__name__), policy_file, environ=ENVIRON)
    mounted = DispatcherMiddleware(app.wsgi_app, {"/in": _flask(_nothing)})
    app.wsgi_app = mounted  # type: ignore[method-assign]
    assert ask(app, "/in/").text == "unset"


def _streaming_flask() -> Any:
    app = flask.Flask(__name__)

    @app.get("/")
    def page() -> Any:
        def body() -> Any:
            yield flask.request.state.consent.choice("analytics").value  # type: ignore[attr-defined]

        return flask.Response(flask.stream_with_context(body()))

    return app


def _streaming_starlette() -> Any:
    async def page(request: Request) -> StreamingResponse:
        async def body() -> Any:
            yield request.state.consent.choice("analytics").value

        return StreamingResponse(body())

    return Starlette(routes=[Route("/", page)])


@pytest.mark.parametrize("make", [_streaming_flask, _streaming_starlette])
@pytest.mark.parametrize("eager", [False, True])
def test_a_stream_that_reads_late_is_answered_as_refused_unless_eager(
    make: Any, eager: bool, policy_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Caches must know before the first byte: `eager` says it of every answer."""
    app = wrap(make(), policy_file, environ=ENVIRON, eager=eager)
    response = ask(app, cookie=choose(app, "accept"))
    late = [one for one in caplog.records if "after the response had started" in one.message]
    found = (response.text, response.headers.get("vary"), len(late))
    assert found == (("granted", "Cookie", 0) if eager else ("unset", None, 1))
