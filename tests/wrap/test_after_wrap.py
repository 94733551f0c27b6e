"""What is written after `wrap`, around it or beside it: the gate stays outermost and alone."""

from __future__ import annotations

import asyncio
import logging
import warnings
from copy import copy
from pathlib import Path
from typing import Any

import flask
import pytest
import quart
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.test.utils import override_settings
from django.urls import path as django_path
from fastapi import FastAPI, Request
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix

from consentgate import GrantRefused, UnknownCategory, asgi, load_gate, wrap, wsgi
from wrap import django_site
from wrap.driving import ENVIRON, ask, choose, names, starlette_client
from wrap.sites import SITES, Site


class AsgiCookieSetter:
    """An ASGI middleware that sets `_ga` on every answer."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def send_marked(message: Any) -> None:
            if message["type"] == "http.response.start":
                headers = [*message.get("headers", ()), (b"set-cookie", b"_ga=1")]
                message = {**message, "headers": headers}
            await send(message)

        await self.app(scope, receive, send_marked)


class WsgiCookieSetter:
    """A WSGI middleware that sets `_ga` on every answer, and looks like the app it wraps."""

    def __init__(self, app: Any) -> None:
        self.app = app

    def __call__(self, environ: Any, start_response: Any) -> Any:
        def start_marked(status: str, headers: Any, exc_info: Any = None) -> Any:
            return start_response(status, [*headers, ("Set-Cookie", "_ga=1")], exc_info)

        return self.app(environ, start_marked)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.app, name)


def _flask_app() -> flask.Flask:
    app = flask.Flask(__name__)
    app.add_url_rule("/", "page", lambda: "page")
    return app


# --- written after wrap ---------------------------------------------------------------------------


def _flask_proxy_fix(app: Any) -> None:
    app.wsgi_app = WsgiCookieSetter(app.wsgi_app)
    app.wsgi_app = ProxyFix(app.wsgi_app)


def _flask_after_request(app: Any) -> None:
    @app.after_request
    def mark(response: Any) -> Any:
        response.set_cookie("_ga", "1")
        return response


def _flask_mount(app: Any) -> None:
    other = wsgi_page([("Set-Cookie", "_ga=1")])
    app.wsgi_app = DispatcherMiddleware(other, {"/never": app.wsgi_app})


def _quart_asgi_app(app: Any) -> None:
    app.asgi_app = AsgiCookieSetter(app.asgi_app)


def _add_middleware(app: Any) -> None:
    app.add_middleware(AsgiCookieSetter)


def _fastapi_http_middleware(app: Any) -> None:
    @app.middleware("http")
    async def mark(request: Any, call_next: Any) -> Any:
        response = await call_next(request)
        response.set_cookie("_ga", "1")
        return response


def _error_handler(app: Any) -> None:
    async def failed(request: Any, error: Exception) -> PlainTextResponse:
        return PlainTextResponse("sorry", 500, headers={"set-cookie": "_ga=1"})

    def boom(request: Any) -> Any:
        raise RuntimeError("boom")

    app.router.routes.insert(0, Route("/", boom))
    app.add_exception_handler(500, failed)


def _starlette_mount(app: Any) -> None:
    async def page(request: Any) -> PlainTextResponse:
        return PlainTextResponse("mounted", headers={"set-cookie": "_ga=1"})

    app.router.routes.insert(0, Mount("/", Starlette(routes=[Route("/", page)])))


def wsgi_page(headers: list[tuple[str, str]]) -> Any:
    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", headers)
        return [b"page"]

    return app


def _quart_app() -> quart.Quart:
    app = quart.Quart(__name__)
    app.add_url_rule("/", "page", lambda: "page")
    return app


def _starlette_app() -> Starlette:
    return Starlette(routes=[Route("/", lambda request: PlainTextResponse("page"))])


def _fastapi_app() -> FastAPI:
    app = FastAPI()
    app.get("/")(lambda: "page")
    return app


@pytest.mark.parametrize(
    ("make", "afterwards"),
    [
        (_flask_app, _flask_proxy_fix),
        (_flask_app, _flask_after_request),
        (_flask_app, _flask_mount),
        (_quart_app, _quart_asgi_app),
        (_quart_app, _flask_after_request),
        (_fastapi_app, _add_middleware),
        (_fastapi_app, _fastapi_http_middleware),
        (_fastapi_app, _error_handler),
        (_fastapi_app, _starlette_mount),
        (_starlette_app, _add_middleware),
        (_starlette_app, _error_handler),
        (_starlette_app, _starlette_mount),
    ],
    ids=lambda one: one.__name__.strip("_"),
)
def test_what_is_added_after_wrap_is_gated(make: Any, afterwards: Any, policy_file: Path) -> None:
    """Middleware, hooks, handlers and mounts added after `wrap` lie inside the gate."""
    plain = make()
    afterwards(plain)
    assert names(ask(plain)) == ["_ga"]

    app = wrap(make(), policy_file, environ=ENVIRON)
    afterwards(app)
    assert names(ask(app)) == []
    assert names(ask(app, cookie=choose(app, "accept"))) == ["_ga"]


@pytest.mark.parametrize(
    "around",
    [
        lambda app: app.wsgi_app,
        lambda app: ProxyFix(app.wsgi_app),
        lambda app: DispatcherMiddleware(wsgi_page([]), {"": app.wsgi_app}),
    ],
    ids=["wsgi_app", "ProxyFix", "dispatcher"],
)
def test_serving_flasks_wsgi_app_does_not_go_around_the_gate(
    around: Any, policy_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Where `app.wsgi_app` is served in place of the app, and not put back into it."""
    app = wrap(_flask_app(), policy_file, environ=ENVIRON)
    _flask_after_request(app)
    served = around(app)
    assert names(ask(served)) == []
    assert names(ask(served, cookie=choose(served, "accept"))) == ["_ga"]
    assert _said(caplog, "twice") == []


def test_serving_quarts_asgi_app_does_not_go_around_the_gate(
    policy_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The same for Quart, lifespan included."""
    app = wrap(_quart_app(), policy_file, environ=ENVIRON)
    _flask_after_request(app)
    served = app.asgi_app
    assert names(ask(served)) == []
    assert names(ask(served, cookie=choose(served, "accept"))) == ["_ga"]
    with starlette_client(served) as client:  # starts and ends the lifespan
        assert client.get("/").text == "page"
    assert _said(caplog, "twice") == []


def test_a_copy_of_a_gated_app_is_gated(policy_file: Path) -> None:
    """Copying the app object is no way out, and the copy answers for itself."""
    twin = copy(wrap(_flask_app(), policy_file, environ=ENVIRON))
    headers = [("Set-Cookie", "_ga=1"), ("Content-Language", "tw")]
    twin.wsgi_app = wsgi_page(headers)  # type: ignore[method-assign]
    response = ask(twin)
    assert (response.headers["content-language"], names(response)) == ("tw", [])


# --- wrapped twice --------------------------------------------------------------------------------


@pytest.mark.parametrize("site", SITES, ids=lambda site: site.name)
def test_wrapping_twice_gates_once_and_says_so_once(
    site: Site, policy_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The second `wrap` returns the gated app as it is, and one line says so."""
    app = wrap(site.make(), policy_file, environ=ENVIRON)
    assert wrap(app, policy_file, environ=ENVIRON) is app
    assert names(ask(app, "/page")) == [site.session]
    choose(app, "accept")  # one choice cookie, not two
    assert _said(caplog, "twice", "already") == [
        "the app is wrapped already: the first gate stays, this one is left out"
    ]


def _said(caplog: pytest.LogCaptureFixture, *words: str) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if record.name == "consentgate" and any(word in record.getMessage() for word in words)
    ]


def _flask_middleware_inside(app: Any, policy_file: Path) -> None:
    gate = load_gate(policy_file, environ=ENVIRON)
    app.wsgi_app = wsgi.ConsentMiddleware(app.wsgi_app, gate)


def _asgi_middleware_inside(app: Any, policy_file: Path) -> None:
    gate = load_gate(policy_file, environ=ENVIRON)
    app.add_middleware(asgi.ConsentMiddleware, gate=gate)


@pytest.mark.parametrize(
    ("make", "inside"),
    [
        (_flask_app, _flask_middleware_inside),
        (_fastapi_app, _asgi_middleware_inside),
        (_starlette_app, _asgi_middleware_inside),
    ],
    ids=["flask", "fastapi", "starlette"],
)
def test_a_second_gate_inside_steps_aside_and_says_so_once(
    make: Any, inside: Any, policy_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A middleware of ours within a wrapped app leaves all to the outer gate."""
    app = wrap(make(), policy_file, environ=ENVIRON)
    inside(app, policy_file)
    for _ in range(3):
        assert ask(app).status_code == 200
    choose(app, "accept")
    assert _said(caplog, "twice", "inside") == [
        "the app is wrapped twice: the outer gate decides alone"
    ]


@pytest.mark.parametrize("make", [_fastapi_app, _starlette_app], ids=["fastapi", "starlette"])
def test_add_middleware_works_and_says_once_what_it_misses(
    make: Any, policy_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """`add_middleware(ConsentMiddleware, gate=gate)` gates, but for the framework's own errors."""
    app = make()
    app.add_middleware(AsgiCookieSetter)
    _asgi_middleware_inside(app, policy_file)
    assert [names(ask(app)) for _ in range(3)] == [[], [], []]
    assert names(ask(app, cookie=choose(app, "accept"))) == ["_ga"]
    assert len(_said(caplog, "error pages therefore lie outside")) == 1


def test_a_wrapper_that_imitates_a_gated_app_is_gated_itself(policy_file: Path) -> None:
    """A middleware that hands out its app's attributes is no gate, even around a gated app."""
    inner = wrap(_flask_app(), policy_file, environ=ENVIRON)
    app = wrap(WsgiCookieSetter(inner), policy_file, environ=ENVIRON)
    assert names(ask(app)) == []


# --- below a prefix -------------------------------------------------------------------------------


def _with_root_path() -> FastAPI:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # newer versions ask for the server's root path instead
        app = FastAPI(root_path="/shop")

    @app.get("/")
    async def page(request: Request) -> str:
        return str(request.url_for("page"))

    return app


def _mounted_in_starlette(app: Any) -> Any:
    return Starlette(routes=[Mount("/shop", app)])


def _mounted_in_dispatcher(app: Any) -> Any:
    return DispatcherMiddleware(wsgi_page([]), {"/shop": app})


@pytest.mark.parametrize(
    ("make", "around", "root", "prefix"),
    [
        # The server's form of old uvicorn and hypercorn, and that of the specification.
        (_fastapi_app, None, "/shop", ""),
        (_fastapi_app, None, "/shop", "/shop"),
        (_starlette_app, None, "/shop", ""),
        (_starlette_app, None, "/shop", "/shop"),
        (_quart_app, None, "/shop", "/shop"),
        (_flask_app, None, "/shop", ""),
        (_flask_app, None, "/shop", "/shop"),
        # The app says it itself; a proxy cuts the prefix off, or does not.
        (_with_root_path, None, "", ""),
        (_with_root_path, None, "", "/shop"),
        (_fastapi_app, _mounted_in_starlette, "", "/shop"),
        (_starlette_app, _mounted_in_starlette, "", "/shop"),
        (_flask_app, _mounted_in_dispatcher, "", "/shop"),
    ],
)
def test_a_gate_below_a_prefix_finds_its_own_paths(
    make: Any, around: Any, root: str, prefix: str, policy_file: Path
) -> None:
    """Whether the path includes the prefix or not, the state is served and the page is too."""
    app = wrap(make(), policy_file, environ=ENVIRON)
    outer = around(app) if around else app
    state = ask(outer, f"{prefix}/_gate/state", root=root)
    assert (state.status_code, state.json()["decided"]) == (200, False)
    assert ask(outer, f"{prefix}/_gate/nothing", root=root).status_code == 404
    assert ask(outer, f"{prefix}/_gateway", root=root).text != "page"


@pytest.mark.parametrize("path", ["/", "/shop/"])
def test_the_root_path_of_fastapi_is_as_without_the_gate(path: str, policy_file: Path) -> None:
    """Routing and generated addresses below FastAPI(root_path=...) are those of the plain app."""
    app = wrap(_with_root_path(), policy_file, environ=ENVIRON)
    assert ask(app, path).text == ask(_with_root_path(), path).text != ""


# --- outside of the gate --------------------------------------------------------------------------


def _assert_newcomer(consent: Any) -> None:
    """Assert that the consent is that of a visitor who granted nothing and cannot."""
    assert {name: getattr(consent, name) for name in ("granted", "decided", "needs_choice")} == {
        "granted": frozenset({"necessary"}),
        "decided": False,
        "needs_choice": True,
    }
    assert (consent.id, consent.decided_at, consent.allows("analytics")) == (None, None, False)
    with pytest.raises(UnknownCategory):
        consent.allows("analytcs")
    with pytest.raises(GrantRefused):
        consent.accept_all()


def test_flasks_test_request_context_has_a_newcomer(policy_file: Path) -> None:
    """In `app.test_request_context()` the consent is a newcomer's."""
    app = wrap(_flask_app(), policy_file, environ=ENVIRON)
    with app.test_request_context("/"):
        _assert_newcomer(flask.request.state.consent)  # type: ignore[attr-defined]


def test_quarts_test_request_context_has_a_newcomer(policy_file: Path) -> None:
    """In Quart's `app.test_request_context()` the consent is a newcomer's."""
    app = wrap(_quart_app(), policy_file, environ=ENVIRON)

    async def inside() -> None:
        async with app.test_request_context("/"):
            _assert_newcomer(quart.request.state.consent)  # type: ignore[attr-defined]

    asyncio.run(inside())


@pytest.mark.parametrize("handler", [django_site.wsgi_site, django_site.asgi_site])
def test_djangos_test_tools_have_a_newcomer(handler: Any, policy_file: Path) -> None:
    """Django's test client and request factory go around every handler, and find a newcomer."""
    seen = []

    def page(request: Any) -> HttpResponse:
        seen.append(request.state.consent)
        return HttpResponse("page")

    wrap(handler(), policy_file, environ=ENVIRON)
    urls = type("urls", (), {"urlpatterns": [django_path("", page)]})
    with override_settings(ROOT_URLCONF=urls):
        assert Client().get("/").status_code == 200
    seen.append(RequestFactory().get("/").state.consent)
    first, second = seen
    assert first is not second
    _assert_newcomer(first)
    _assert_newcomer(second)


def test_a_request_keeps_its_newcomer(policy_file: Path) -> None:
    """Asking twice gives the same object, so that a refusal within a test is seen."""
    app = wrap(_flask_app(), policy_file, environ=ENVIRON)
    with app.test_request_context("/"):
        flask.request.state.consent.reject_all()  # type: ignore[attr-defined]
        assert flask.request.state.consent.decided is True  # type: ignore[attr-defined]


def test_wrapping_says_nothing_when_all_is_well(
    policy_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """No warning where there is nothing to warn of."""
    caplog.set_level(logging.WARNING, logger="consentgate")
    app = wrap(_fastapi_app(), policy_file, environ=ENVIRON)
    assert ask(app).status_code == 200
    assert _said(caplog, "") == []
