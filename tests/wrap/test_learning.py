"""The names an app has given its own session, CSRF, language … cookies need no consent.

Every app here sets the cookies that the table names, and `_ga`; the policy lists none of them.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import flask
import litestar
import pytest
import quart
from django.contrib import messages
from django.contrib.messages.storage.cookie import CookieStorage
from django.http import HttpResponse
from django.middleware.csrf import get_token
from django.test.utils import override_settings
from django.urls import path as django_path
from fastapi import APIRouter, FastAPI
from litestar.config.csrf import CSRFConfig
from litestar.middleware.session.client_side import CookieBackendConfig
from litestar.middleware.session.server_side import ServerSideSessionConfig
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix

from consentgate import wrap
from wrap import django_site
from wrap.driving import ENVIRON, POLICY, ByProtocol, Slotted, ask, names

LISTED = "strictly necessary, because the app is configured to use them"

# --- Flask, Quart ---------------------------------------------------------------------------------

FLASK_CONFIG = {
    "SESSION_COOKIE_NAME": "shop_session",
    "REMEMBER_COOKIE_NAME": "shop_remember",
    "JWT_ACCESS_COOKIE_NAME": "shop_jwt",
    "JWT_REFRESH_COOKIE_NAME": "shop_jwt_refresh",
    "JWT_ACCESS_CSRF_COOKIE_NAME": "shop_jwt_csrf",
    "JWT_REFRESH_CSRF_COOKIE_NAME": "shop_jwt_refresh_csrf",
    "CSRF_COOKIE_NAME": "shop_csrf",
    "SECURITY_CSRF_COOKIE_NAME": "shop_security_csrf",
    "SECURITY_TWO_FACTOR_VALIDITY_COOKIE_NAME": "shop_two_factor",
    "QUART_AUTH_COOKIE_NAME": "shop_auth",
}


def _flask_like(module: Any, **config: Any) -> Any:
    """A Flask or Quart app that sets its session, and every cookie that its config names."""
    app = module.Flask(__name__) if module is flask else module.Quart(__name__)
    app.secret_key = "k"
    app.config.update(config)

    def page() -> Any:
        module.session["user"] = "ada"
        others = [value for key, value in config.items() if key != "SESSION_COOKIE_NAME"]
        response = module.Response("page")
        for name in (*others, "_ga"):
            response.set_cookie(name, "1")
        return response

    app.add_url_rule("/", "page", page)
    return app


def _flask_mounted_in_flask() -> Any:
    outer = flask.Flask(__name__)
    admin = _flask_like(flask, SESSION_COOKIE_NAME="admin_session")
    outer.wsgi_app = DispatcherMiddleware(admin, {"/shop": outer.wsgi_app})  # type: ignore[method-assign]
    return outer


def _flask_in_dispatcher() -> Any:
    shop = _flask_like(flask, SESSION_COOKIE_NAME="shop_session")
    return DispatcherMiddleware(shop, {"/admin": flask.Flask(__name__)})


# --- Starlette, FastAPI ---------------------------------------------------------------------------


async def _session_page(request: Any) -> PlainTextResponse:
    request.session["user"] = "ada"
    return PlainTextResponse("page", headers={"set-cookie": "_ga=1"})


ROUTES = [Route("/", _session_page)]
SHOP = Middleware(SessionMiddleware, secret_key="k", session_cookie="shop_session")


def _by_keyword() -> Any:
    return Starlette(routes=ROUTES, middleware=[SHOP])


def _by_position() -> Any:
    return Starlette(
        routes=ROUTES, middleware=[Middleware(SessionMiddleware, "secret", "shop_session")]
    )


def _by_default() -> Any:
    return Starlette(routes=ROUTES, middleware=[Middleware(SessionMiddleware, secret_key="k")])


class _ShopSession(SessionMiddleware):
    def __init__(self, app: Any, session_cookie: str = "shop_session") -> None:
        super().__init__(app, "secret", session_cookie)


def _by_default_of_a_subclass() -> Any:
    return Starlette(routes=ROUTES, middleware=[Middleware(_ShopSession)])


def _fastapi_added() -> Any:
    app = FastAPI()
    app.add_route("/", _session_page)
    app.add_middleware(SessionMiddleware, secret_key="k", session_cookie="shop_session")
    return app


def _mounted() -> Any:
    return Starlette(routes=[Mount("/", _by_keyword())])


def _mounted_twice_in_fastapi() -> Any:
    app = FastAPI()
    app.mount("/", Starlette(routes=[Mount("/", _fastapi_added())]))
    return app


def _mounted_in_a_router() -> Any:
    router = APIRouter()
    router.mount("/in", _by_keyword())
    app = FastAPI()
    app.include_router(router)
    return app


def _mounted_before_a_thousand_routes() -> Any:
    many = [Route(f"/{number}", _session_page) for number in range(1000)]
    return Starlette(routes=[Mount("/", _by_keyword()), *many])


def _of_a_mount() -> Any:
    return Starlette(routes=[Mount("/", routes=ROUTES, middleware=[SHOP])])


def _of_a_route() -> Any:
    return Starlette(routes=[Route("/", _session_page, middleware=[SHOP])])


def _around() -> Any:
    return SessionMiddleware(Starlette(routes=ROUTES), "secret", session_cookie="shop_session")


# --- Litestar -------------------------------------------------------------------------------------


def _litestar(session: Any, size: int = 1) -> Any:
    @litestar.get("/")
    async def page(request: litestar.Request[Any, Any, Any]) -> litestar.Response[str]:
        request.session["basket"] = [f"{number:06}" for number in range(size)]
        return litestar.Response("page", headers={"set-cookie": "_ga=1"})

    return litestar.Litestar(
        [page],
        middleware=[session.middleware],
        csrf_config=CSRFConfig(secret="secret", cookie_name="shop_csrf"),
        openapi_config=None,
        logging_config=None,
    )


def _litestar_on_server() -> Any:
    return _litestar(ServerSideSessionConfig(key="shop_session"))


def _litestar_in_cookie() -> Any:
    return _litestar(CookieBackendConfig(secret=b"k" * 16, key="shop_session"))


def _litestar_in_pieces() -> Any:
    return _litestar(CookieBackendConfig(secret=b"k" * 16, key="shop_session"), size=1000)


# --- Django ---------------------------------------------------------------------------------------


class ShopMessages(CookieStorage):
    """Messages in a cookie of another name."""

    cookie_name = "shop_messages"


DJANGO_SETTINGS: dict[str, Any] = {
    "SESSION_COOKIE_NAME": "shop_session",
    "CSRF_COOKIE_NAME": "shop_csrf",
    "LANGUAGE_COOKIE_NAME": "shop_language",
    "MFA_TRUST_COOKIE_NAME": "shop_trusted",
    "TWO_FACTOR_REMEMBER_COOKIE_PREFIX": "shop_remember_",
    "REST_AUTH": {"JWT_AUTH_COOKIE": "shop_jwt", "JWT_AUTH_REFRESH_COOKIE": "shop_refresh"},
    "MESSAGE_STORAGE": f"{__name__}.ShopMessages",
}


def _django_page(request: Any) -> HttpResponse:
    request.session["user"] = "ada"
    messages.info(request, "hello")
    get_token(request)  # sets the CSRF cookie
    response = HttpResponse("page")
    for name in ("shop_language", "shop_trusted", "shop_remember_1", "shop_jwt", "shop_refresh"):
        response.set_cookie(name, "1")
    response.set_cookie("_ga", "1")
    return response


urlpatterns = [django_path("", _django_page)]


@pytest.fixture(autouse=True)
def _settings() -> Any:
    urls = type("urls", (), {"urlpatterns": urlpatterns})
    middleware = django_site.SETTINGS["MIDDLEWARE"][1:]
    with override_settings(ROOT_URLCONF=urls, MIDDLEWARE=middleware, **DJANGO_SETTINGS):
        yield


# --- the table ------------------------------------------------------------------------------------

FLASK_NAMES = {*FLASK_CONFIG.values()}
SHOP_NAMES = {"shop_session"}
LITESTAR_NAMES = {"shop_session", "shop_csrf"}
DJANGO_NAMES = {
    "shop_session",
    "shop_csrf",
    "shop_messages",
    "shop_language",
    "shop_trusted",
    "shop_remember_1",
    "shop_jwt",
    "shop_refresh",
}
TABLE: dict[str, tuple[Callable[[], Any], set[str]]] = {
    "flask": (lambda: _flask_like(flask, **FLASK_CONFIG), FLASK_NAMES),
    "flask in a middleware": (
        lambda: Slotted(ProxyFix(_flask_like(flask, SESSION_COOKIE_NAME="shop_session"))),
        SHOP_NAMES,
    ),
    "flask mounted in flask": (_flask_mounted_in_flask, {"admin_session"}),
    "flask in a dispatcher": (_flask_in_dispatcher, SHOP_NAMES),
    "quart": (lambda: _flask_like(quart, **FLASK_CONFIG), FLASK_NAMES),
    "starlette, by keyword": (_by_keyword, SHOP_NAMES),
    "starlette, by position": (_by_position, SHOP_NAMES),
    "starlette, by default": (_by_default, {"session"}),
    "starlette, by default of a subclass": (_by_default_of_a_subclass, SHOP_NAMES),
    "starlette, of a mounted app": (_mounted, SHOP_NAMES),
    "starlette, before a thousand routes": (_mounted_before_a_thousand_routes, SHOP_NAMES),
    "starlette, of a mount": (_of_a_mount, SHOP_NAMES),
    "starlette, of a route": (_of_a_route, SHOP_NAMES),
    "starlette, around the app": (_around, SHOP_NAMES),
    "fastapi, add_middleware": (_fastapi_added, SHOP_NAMES),
    "fastapi, of an app mounted in a mounted app": (_mounted_twice_in_fastapi, SHOP_NAMES),
    "fastapi, of an app mounted in a router": (_mounted_in_a_router, SHOP_NAMES),
    "litestar, on the server": (_litestar_on_server, LITESTAR_NAMES),
    "litestar, in a cookie": (_litestar_in_cookie, LITESTAR_NAMES),
    "litestar, in pieces": (
        _litestar_in_pieces,
        {*(f"shop_session-{number}" for number in range(4)), "shop_csrf"},
    ),
    "django-wsgi": (django_site.wsgi_site, DJANGO_NAMES),
    "django-asgi": (django_site.asgi_site, DJANGO_NAMES),
    "django, by protocol": (lambda: ByProtocol({"http": django_site.asgi_site()}), DJANGO_NAMES),
}


@pytest.mark.parametrize(("make", "expected"), TABLE.values(), ids=TABLE)
def test_a_renamed_cookie_survives_a_policy_that_does_not_list_it(
    make: Callable[[], Any], expected: set[str], policy_file: Path
) -> None:
    """Of what the app sets, all leaves but `_ga`: the app itself was asked for the names."""
    path = "/in/" if make is _mounted_in_a_router else "/"
    assert set(names(ask(make(), path))) == {*expected, "_ga"}
    assert set(names(ask(wrap(make(), policy_file, environ=ENVIRON), path))) == expected


@pytest.mark.parametrize("module", [flask, quart], ids=["flask", "quart"])
def test_the_app_is_asked_when_it_is_first_called(module: Any, policy_file: Path) -> None:
    """What is configured after `wrap` and before the first request counts."""
    app = wrap(_flask_like(module), policy_file, environ=ENVIRON)
    app.config["SESSION_COOKIE_NAME"] = "late_session"
    assert names(ask(app)) == ["late_session"]


def test_starlette_is_asked_when_it_is_first_called(policy_file: Path) -> None:
    """A SessionMiddleware added after `wrap` counts too."""
    app = wrap(Starlette(routes=ROUTES), policy_file, environ=ENVIRON)
    app.add_middleware(SessionMiddleware, secret_key="k", session_cookie="late_session")
    assert names(ask(app)) == ["late_session"]


def test_a_lifespan_is_no_first_call(policy_file: Path) -> None:
    """An app may still be configured while it starts up."""
    app = wrap(_flask_like(quart), policy_file, environ=ENVIRON)

    @app.before_serving
    async def configure() -> None:
        app.config["SESSION_COOKIE_NAME"] = "late_session"

    async def start_and_ask() -> list[str]:
        async with app.test_app():
            response = await app.test_client().get("/")
            return [line.partition("=")[0] for line in response.headers.getlist("set-cookie")]

    assert asyncio.run(start_and_ask()) == ["late_session"]


def test_learned_names_are_logged_once(policy_file: Path, caplog: pytest.LogCaptureFixture) -> None:
    """One line lists the names and where each comes from, however many requests follow."""
    caplog.set_level(logging.INFO, logger="consentgate")
    config = {"SESSION_COOKIE_NAME": "shop_session", "REMEMBER_COOKIE_NAME": "shop_remember"}
    app = wrap(_flask_like(flask, **config), policy_file, environ=ENVIRON)
    for _ in range(3):
        ask(app)
    assert [one.message for one in caplog.records if one.levelno == logging.INFO] == [
        f'{LISTED}: "shop_remember" (the app\'s REMEMBER_COOKIE_NAME), '
        '"shop_session" (the app\'s session)'
    ]


def test_a_rule_of_the_site_beats_a_learned_name(tmp_path: Path) -> None:
    """A name that the policy lists belongs where the policy lists it."""
    file = tmp_path / "site.toml"
    file.write_text(POLICY.replace('"_ga*"', '"_ga*", "shop_session"'))
    app = wrap(_flask_like(flask, SESSION_COOKIE_NAME="shop_session"), file, environ=ENVIRON)
    assert names(ask(app)) == []


def test_learned_names_hold_for_every_site_of_the_process(policy_file: Path) -> None:
    """With a policy per host, and for a host without one, the app's own names are known."""
    app = wrap(
        _flask_like(flask, SESSION_COOKIE_NAME="shop_session"),
        {"shop.localhost": policy_file}.__getitem__,
        environ=ENVIRON,
    )
    found = [names(ask(app, base=f"http://{host}.localhost")) for host in ("shop", "elsewhere")]
    assert found == [["shop_session"], ["shop_session"]]


def test_an_app_that_cannot_be_asked_is_served(
    policy_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Settings that raise are logged; the page is served, and gated."""

    class Broken(flask.sessions.SecureCookieSessionInterface):
        asked = 0

        def get_cookie_name(self, app: Any) -> str:
            self.asked += 1
            if self.asked == 1:
                raise RuntimeError("no name yet")
            return "shop_session"

    app = _flask_like(flask)
    app.session_interface = Broken()
    assert names(ask(wrap(app, policy_file, environ=ENVIRON))) == []
    assert "could not ask the app for its cookie names" in caplog.text


def test_an_object_that_refuses_to_be_looked_at_is_served(policy_file: Path) -> None:
    """Werkzeug's stand-ins for the current app raise outside of a request: nothing breaks."""

    class Holding:
        def __init__(self) -> None:
            self.app = flask.current_app

        def __call__(self, environ: Any, start_response: Any) -> Any:
            return app(environ, start_response)

    app = _flask_like(flask)
    assert names(ask(wrap(Holding(), policy_file, environ=ENVIRON))) == ["session"]


def test_first_calls_at_the_same_time_ask_once(
    policy_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Sixteen threads that meet an app's first request find one gate, and all the names."""
    caplog.set_level(logging.INFO, logger="consentgate")
    app = wrap(_flask_like(flask, SESSION_COOKIE_NAME="shop_session"), policy_file, environ=ENVIRON)
    start = Barrier(16)

    def visit(_: int) -> list[str]:
        start.wait(5)
        return names(ask(app))

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # so that threads do meet
    try:
        with ThreadPoolExecutor(16) as pool:
            assert list(pool.map(visit, range(16))) == [["shop_session"]] * 16
    finally:
        sys.setswitchinterval(interval)
    assert len([one for one in caplog.records if LISTED in one.message]) == 1


class SessionReplayMiddleware:
    """Records what visitors do, under a cookie of its own: no session in the sense of a sign-in."""

    def __init__(self, app: Any, cookie_name: str) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


def test_only_middlewares_known_by_name_are_taken_at_their_word(policy_file: Path) -> None:
    """A `cookie_name` alone makes nothing necessary, and an asterisk in a name is no pattern."""

    async def home(request: Any) -> PlainTextResponse:
        response = PlainTextResponse("x")
        for name in ("replay_id", "shop_session", "star*"):
            response.set_cookie(name, "1")
        return response

    app = Starlette(
        routes=[Route("/", home)],
        middleware=[
            Middleware(SessionReplayMiddleware, cookie_name="replay_id"),
            Middleware(SessionMiddleware, secret_key="x", session_cookie="shop_session"),
            Middleware(SessionMiddleware, secret_key="x", session_cookie="star*"),
        ],
    )
    assert names(ask(wrap(app, policy_file, environ=ENVIRON))) == ["shop_session"]
