"""What handlers find in their framework's own `request.cookies`: nothing that was refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import bottle
import falcon
import falcon.asgi
import flask
import litestar
import pytest
import quart
from fastapi import FastAPI, Request
from pyramid.config import Configurator
from pyramid.response import Response
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from starlette.websockets import WebSocket

from consentgate import wrap
from wrap import django_site
from wrap.driving import ENVIRON, ask, choose, connect

SENT = b"sessionid=1; _ga=2; _ga_X=3; stray=4; =_ga=5; _ga; basket_x=7; sessionid.0=8"


def text(names: Iterable[str]) -> str:
    return " ".join(sorted(names))


def starlette_app() -> Any:
    def page(request: Any) -> PlainTextResponse:
        return PlainTextResponse(text(request.cookies))

    inner = Starlette(routes=[Route("/seen", page)])
    return Starlette(routes=[Route("/seen", page), Mount("/sub", inner)])


def fastapi_app() -> Any:
    app = FastAPI()

    @app.get("/seen", response_class=PlainTextResponse)
    def seen(request: Request) -> str:
        return text(request.cookies)

    return app


def litestar_app() -> Any:
    @litestar.get("/seen", media_type="text/plain")
    async def seen(request: litestar.Request[Any, Any, Any]) -> str:
        return text(request.cookies)

    return litestar.Litestar([seen], openapi_config=None, logging_config=None)


def quart_app() -> Any:
    app = quart.Quart(__name__)
    app.add_url_rule("/seen", "seen", lambda: text(quart.request.cookies))
    return app


def flask_app() -> Any:
    app = flask.Flask(__name__)
    app.add_url_rule("/seen", "seen", lambda: text(flask.request.cookies))
    return app


class _AsyncSeen:
    async def on_get(self, request: Any, response: Any) -> None:
        response.text = text(request.cookies)


class _Seen:
    def on_get(self, request: Any, response: Any) -> None:
        response.text = text(request.cookies)


def falcon_asgi_app() -> Any:
    app = falcon.asgi.App()
    app.add_route("/seen", _AsyncSeen())
    return app


def falcon_app() -> Any:
    app = falcon.App()
    app.add_route("/seen", _Seen())
    return app


def pyramid_app() -> Any:
    with Configurator() as config:
        config.add_route("seen", "/seen")
        config.add_view(lambda request: Response(text(request.cookies)), route_name="seen")
    return config.make_wsgi_app()


def bottle_app() -> Any:
    app = bottle.Bottle()
    app.get("/seen", callback=lambda: text(bottle.request.cookies))
    return app


APPS: dict[str, Callable[[], Any]] = {
    "starlette": starlette_app,
    "fastapi": fastapi_app,
    "litestar": litestar_app,
    "quart": quart_app,
    "django-asgi": django_site.asgi_site,
    "falcon-asgi": falcon_asgi_app,
    "flask": flask_app,
    "django-wsgi": django_site.wsgi_site,
    "falcon-wsgi": falcon_app,
    "pyramid": pyramid_app,
    "bottle": bottle_app,
}


@pytest.mark.parametrize("name", APPS)
def test_handlers_see_what_is_necessary_and_what_is_allowed(name: str, policy_file: Path) -> None:
    """However the framework reads cookies, there is none in the header that it must not find."""
    app = wrap(APPS[name](), policy_file, environ=ENVIRON)
    newcomer = ask(app, "/seen", cookie=SENT).text.split()
    assert newcomer == ["sessionid", "sessionid.0"]
    refused, granted = choose(app, "reject"), choose(app, "accept")
    assert ask(app, "/seen", cookie=refused + b"; " + SENT).text.split() == ["gate", *newcomer]
    # Some frameworks cannot read all of the header: see what they make of its first part alone.
    some = b"; sessionid=1; _ga=2; _ga_X=3; stray=4"
    assert ask(app, "/seen", cookie=granted + some).text.split() == [
        "_ga",
        "_ga_X",
        "gate",
        "sessionid",
    ]


def test_a_mounted_app_sees_no_more(policy_file: Path) -> None:
    """It gets the scope of the app around it."""
    app = wrap(starlette_app(), policy_file, environ=ENVIRON)
    assert ask(app, "/sub/seen", cookie=SENT).text.split() == ["sessionid", "sessionid.0"]


def test_a_websocket_sees_no_more(policy_file: Path) -> None:
    """The handshake brings cookies too."""
    app = FastAPI()

    @app.websocket("/ws")
    async def speak(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text(text(socket.cookies))
        await socket.close()

    gated = wrap(app, policy_file, environ=ENVIRON)
    assert connect(gated, SENT)[1].split() == ["sessionid", "sessionid.0"]
