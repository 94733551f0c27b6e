"""What `wrap` takes, and what it returns: the same object, which servers and tools still know."""

from __future__ import annotations

import asyncio
import inspect
import os
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import falcon
import flask
import hypercorn.utils
import litestar
import litestar.testing
import pytest
import quart
import uvicorn
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.test import Client
from fastapi import FastAPI, Request
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from consentgate import Policy, load_gate, load_policy, wrap
from wrap.driving import ENVIRON, POLICY, ask, choose, names, starlette_client
from wrap.sites import SITES, Site

IN_PLACE = ("fastapi", "starlette", "litestar", "quart", "flask", "django-asgi", "django-wsgi")
ASGI_SITES = [site for site in SITES if site.is_asgi]


@pytest.mark.parametrize("site", SITES, ids=lambda site: site.name)
def test_wrap_returns_the_same_object_where_it_can(site: Site, policy_file: Path) -> None:
    """Of a framework gated in place, wrap returns the object itself, its type's name unchanged."""
    app = site.make()
    before = type(app)
    wrapped = wrap(app, policy_file, environ=ENVIRON)
    if site.name not in IN_PLACE:
        assert wrapped is not app
        return
    after = type(wrapped)
    assert wrapped is app
    assert isinstance(app, before)
    assert (after.__name__, after.__qualname__, after.__module__, after.__doc__) == (
        before.__name__,
        before.__qualname__,
        before.__module__,
        before.__doc__,
    )


def test_isinstance_holds_for_every_framework_gated_in_place(policy_file: Path) -> None:
    """Extensions and commands that ask for a Flask, a FastAPI … still get one."""
    classes = (FastAPI, Starlette, litestar.Litestar, quart.Quart, flask.Flask)
    expected = dict(zip(IN_PLACE, (*classes, ASGIHandler, WSGIHandler), strict=True))
    found = {
        site.name: isinstance(wrap(site.make(), policy_file, environ=ENVIRON), expected[site.name])
        for site in SITES
        if site.name in expected
    }
    assert found == dict.fromkeys(IN_PLACE, True)


def test_another_app_of_the_same_class_is_not_gated(policy_file: Path) -> None:
    """Wrapping one app leaves its class, and so every other app, as it was."""
    site = next(site for site in SITES if site.name == "flask")
    other = site.make()
    wrap(site.make(), policy_file, environ=ENVIRON)
    assert "_ga" in names(ask(other, "/page"))


# --- routes, clients, servers ---------------------------------------------------------------------


def _late_flask(app: Any) -> None:
    app.add_url_rule("/late", "late", lambda: ("late", {"Set-Cookie": "_ga=1"}))


def _late_starlette(app: Any) -> None:
    async def late(request: Any) -> PlainTextResponse:
        return PlainTextResponse("late", headers={"set-cookie": "_ga=1"})

    app.router.routes.append(Route("/late", late))


def _late_litestar(app: Any) -> None:
    @litestar.get("/late")
    async def late() -> litestar.Response[str]:
        return litestar.Response("late", headers={"set-cookie": "_ga=1"})

    app.register(late)


@pytest.mark.parametrize(
    ("name", "add"),
    [
        ("flask", _late_flask),
        ("quart", _late_flask),
        ("fastapi", _late_starlette),
        ("starlette", _late_starlette),
        ("litestar", _late_litestar),
    ],
)
def test_routes_may_be_added_after_wrap(
    name: str, add: Callable[[Any], None], policy_file: Path
) -> None:
    """A route added to the wrapped app is served, and gated."""
    site = next(site for site in SITES if site.name == name)
    app = wrap(site.make(), policy_file, environ=ENVIRON)
    add(app)
    response = ask(app, "/late")
    assert (response.text, "_ga" in names(response)) == ("late", False)


@pytest.mark.parametrize("site", ASGI_SITES, ids=lambda site: site.name)
def test_servers_take_it_for_an_asgi_app(site: Site, policy_file: Path) -> None:
    """Uvicorn and hypercorn, which look at what they are given, see an ASGI 3 app."""
    app: Any = wrap(site.make(), policy_file, environ=ENVIRON)
    config = uvicorn.Config(app, log_config=None)
    config.load()
    assert inspect.iscoroutinefunction(app.__call__)
    assert (config.interface, hypercorn.utils.is_asgi(app)) == ("asgi3", True)


@pytest.mark.parametrize("site", ASGI_SITES, ids=lambda site: site.name)
def test_starlettes_test_client_works(site: Site, policy_file: Path) -> None:
    """Starlette's TestClient, which drives any ASGI app, sees the session and no `_ga`."""
    client = starlette_client(wrap(site.make(), policy_file, environ=ENVIRON))
    assert set(client.get("/page").cookies) == {site.session}


def test_flasks_test_client_works(policy_file: Path) -> None:
    """Flask's test client goes through the gate, and keeps a choice."""
    site = next(site for site in SITES if site.name == "flask")
    client = wrap(site.make(), policy_file, environ=ENVIRON).test_client()
    client.get("/page")
    assert (client.get_cookie("session") is None, client.get_cookie("_ga")) == (False, None)
    origin = {"Origin": "http://localhost"}
    client.post("/_gate/choice", data={"action": "accept"}, headers=origin)
    client.get("/page")
    assert client.get_cookie("_ga").value == "1"


def test_quarts_test_client_works(policy_file: Path) -> None:
    """Quart's test client goes through the gate."""
    site = next(site for site in SITES if site.name == "quart")
    app = wrap(site.make(), policy_file, environ=ENVIRON)

    async def get() -> Any:
        async with app.test_app():
            return await app.test_client().get("/page")

    response = asyncio.run(get())
    found = [line.partition("=")[0] for line in response.headers.getlist("set-cookie")]
    assert found == ["session"]


def test_litestars_test_client_works(policy_file: Path) -> None:
    """Litestar's TestClient goes through the gate."""
    site = next(site for site in SITES if site.name == "litestar")
    with litestar.testing.TestClient(wrap(site.make(), policy_file, environ=ENVIRON)) as client:
        assert set(client.get("/page").cookies) == {"session"}


def test_djangos_test_client_works(policy_file: Path) -> None:
    """Django's test client builds a handler of its own, which no gate changes."""
    site = next(site for site in SITES if site.name == "django-wsgi")
    wrap(site.make(), policy_file, environ=ENVIRON)
    assert set(Client().get("/page").cookies) == {"sessionid", "_ga", "_ga_hook"}


# --- lifespan -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["lifespan", "x-unknown"])
def test_other_scopes_pass_through_untouched(kind: str, policy_file: Path) -> None:
    """Of a lifespan, and of a scope type nobody knows, all three arguments are handed on."""
    seen: list[Any] = []

    async def app(*given: Any) -> None:
        seen.extend(given)

    async def receive() -> Any:
        raise AssertionError("not asked")

    async def send(message: Any) -> None:
        raise AssertionError("not asked")

    scope = {"type": kind}
    asyncio.run(_call(wrap(_three(app), policy_file, environ=ENVIRON), scope, receive, send))
    assert [one is other for one, other in zip(seen, (scope, receive, send), strict=True)] == [
        True,
        True,
        True,
    ]
    assert scope == {"type": kind}


def _three(app: Any) -> Any:
    async def call(scope: Any, receive: Any, send: Any) -> None:
        await app(scope, receive, send)

    return call


async def _call(app: Any, *arguments: Any) -> None:
    await app(*arguments)


def test_the_state_of_the_lifespan_is_kept(policy_file: Path) -> None:
    """What the lifespan yields is in `request.state` beside the consent."""
    events = []

    @asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[dict[str, Any]]:
        events.append("startup")
        yield {"database": "open"}
        events.append("shutdown")

    app = FastAPI(lifespan=lifespan)

    @app.get("/")
    async def page(request: Request) -> list[Any]:
        return [request.state.database, request.state.consent.allows("analytics")]

    with starlette_client(wrap(app, policy_file, environ=ENVIRON)) as client:
        assert client.get("/").json() == ["open", False]
    assert events == ["startup", "shutdown"]


# --- the configuration ----------------------------------------------------------------------------


def _page() -> flask.Flask:
    app = flask.Flask(__name__)

    @app.get("/")
    def page() -> Any:
        consent = flask.request.state.consent  # type: ignore[attr-defined]
        headers = [("Set-Cookie", "_ga=1"), ("Set-Cookie", "_fbp=1"), ("Set-Cookie", "session=1")]
        return str(consent.allows("analytics")), headers

    return app


@pytest.mark.parametrize(
    "config_of",
    [
        str,
        Path,
        load_policy,
        lambda file: load_gate(file, environ=ENVIRON),
        lambda file: lambda host: file,
        lambda file: lambda host: str(file),
        lambda file: partial(lambda policy, host: policy, load_policy(file)),
    ],
    ids=["str", "Path", "Policy", "Gate", "host-to-Path", "host-to-str", "host-to-Policy"],
)
def test_config_may_be_any_of_these(config_of: Callable[[Path], Any], policy_file: Path) -> None:
    """A path, a Policy, a Gate, and a callable of the host that returns one of them."""
    app = wrap(_page(), config_of(policy_file), environ=ENVIRON)
    assert names(ask(app)) == ["session"]
    assert names(ask(app, cookie=choose(app, "accept"))) == ["_ga", "session"]


def test_the_key_is_read_from_the_environment(
    policy_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without `environ` the signing key comes from the process's own environment."""
    monkeypatch.setenv("CONSENTGATE_SECRET", ENVIRON["CONSENTGATE_SECRET"])
    theirs = wrap(_page(), policy_file)
    ours = wrap(_page(), policy_file, environ=ENVIRON)
    assert names(ask(theirs, cookie=choose(ours, "accept"))) == ["_ga", "session"]


def test_several_sites_have_a_policy_each(tmp_path: Path) -> None:
    """The host chooses the policy; of a host without one, only the necessary cookies leave."""
    shop, blog = tmp_path / "shop.toml", tmp_path / "blog.toml"
    shop.write_text(POLICY)
    blog.write_text(POLICY.replace("[categories.analytics]", "[categories.statistics]"))
    sites = {"shop.localhost": shop, "blog.localhost": blog}
    app = wrap(_bare(), lambda host: sites[host], environ=ENVIRON)
    accepted = {host: _accept(app, host) for host in sites}
    found = {
        (host, choice): names(ask(app, base=f"http://{host}", cookie=accepted[choice]))
        for host in (*sites, "elsewhere.localhost")
        for choice in sites
    }
    shop_host, blog_host = sites
    assert found == {
        (shop_host, shop_host): ["_ga", "session"],
        (shop_host, blog_host): ["session"],  # that policy does not know the category
        (blog_host, shop_host): ["session"],
        (blog_host, blog_host): ["_ga", "session"],
        ("elsewhere.localhost", shop_host): ["session"],
        ("elsewhere.localhost", blog_host): ["session"],
    }


def _bare() -> Any:
    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [("Set-Cookie", "_ga=1"), ("Set-Cookie", "session=1")])
        return [b"page"]

    return app


def _accept(app: Any, host: str) -> bytes:
    response = ask(
        app,
        "POST /_gate/choice",
        form={"action": "accept"},
        headers={"origin": f"http://{host}"},
        base=f"http://{host}",
    )
    assert response.status_code == 303
    return response.headers["set-cookie"].partition(";")[0].encode()


def test_a_host_without_a_policy_breaks_no_handler(
    policy_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """For an unknown host every category is refused, and made-up hosts log little."""
    app = wrap(_page(), {"shop.localhost": policy_file}.__getitem__, environ=ENVIRON)
    hosts = [f"host{number}.localhost" for number in range(300)]
    answers = {ask(app, base=f"http://{host}").text for host in hosts}
    assert answers == {"False"}
    assert len([one for one in caplog.records if "no policy for this host" in one.message]) == 100


def test_a_host_without_a_policy_hides_no_cookie(policy_file: Path) -> None:
    """Nobody knows which of them the app needs: a failing callable signs nobody out."""

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [("Set-Cookie", "_ga=1")])
        return [environ["HTTP_COOKIE"].encode()]

    gated = wrap(app, {"shop.localhost": policy_file}.__getitem__, environ=ENVIRON)
    answer = ask(gated, base="http://elsewhere.localhost", cookie=b"shopsession=1; _ga=2")
    assert (answer.content, names(answer)) == (b"shopsession=1; _ga=2", [])


@pytest.mark.parametrize("kind", [str, Path], ids=["str", "Path"])
def test_a_sites_file_is_read_once(kind: type, tmp_path: Path) -> None:
    """The callable may make a new path for each request: the file is read for the first one."""
    file = tmp_path / "site.toml"
    file.write_text(POLICY)
    app = wrap(_page(), lambda host: kind(os.fspath(file)), environ=ENVIRON)
    cookie = choose(app, "accept")
    file.unlink()
    assert names(ask(app, cookie=cookie)) == ["_ga", "session"]


# --- which callables ------------------------------------------------------------------------------


def _wsgi_with_option(environ: Any, start_response: Any, option: Any = None) -> Any:
    start_response("200 OK", [("Set-Cookie", "_ga=1"), ("Set-Cookie", "session=1")])
    return [b"page"]


def _wsgi_with_rest(environ: Any, start_response: Any, *rest: Any) -> Any:
    return _wsgi_with_option(environ, start_response)


async def _asgi(scope: Any, receive: Any, send: Any) -> None:
    headers = [(b"set-cookie", b"_ga=1"), (b"set-cookie", b"session=1")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"page"})


class _WsgiObject:
    def __call__(self, environ: Any, start_response: Any) -> Any:
        return _wsgi_with_option(environ, start_response)

    method = __call__

    @staticmethod
    def static(environ: Any, start_response: Any) -> Any:
        return _wsgi_with_option(environ, start_response)


class _AsgiObject:
    def __call__(self, scope: Any, receive: Any, send: Any) -> Any:
        return _asgi(scope, receive, send)  # no coroutine function, and yet an ASGI app

    async def method(self, scope: Any, receive: Any, send: Any) -> None:
        await _asgi(scope, receive, send)


class _Endpoint(HTTPEndpoint):
    async def get(self, request: Any) -> PlainTextResponse:
        response = PlainTextResponse("page", headers={"set-cookie": "_ga=1"})
        response.set_cookie("session", "1")
        return response


@pytest.mark.parametrize(
    "app",
    [
        _wsgi_with_option,
        _wsgi_with_rest,
        _WsgiObject(),
        _WsgiObject().method,
        _WsgiObject.static,
        partial(lambda option, environ, start_response: _WsgiObject()(environ, start_response), 1),
        lambda environ, start_response: _wsgi_with_option(environ, start_response),
        _asgi,
        _AsgiObject(),
        _AsgiObject().method,
        partial(_asgi),
        lambda scope, receive, send: _asgi(scope, receive, send),
        _Endpoint,  # a class: calling it gives something to await
    ],
    ids=lambda app: re.sub(" at 0x[0-9a-f]+", "", repr(app)),  # the same in every process
)
def test_any_callable_is_gated(app: Any, policy_file: Path) -> None:
    """Functions, methods, objects, partials and classes, ASGI or WSGI."""
    gated = wrap(app, policy_file, environ=ENVIRON)
    response = ask(gated)
    assert (response.text, names(response)) == ("page", ["session"])


@pytest.mark.parametrize(
    ("app", "message"),
    [
        (3, "an ASGI or WSGI app is callable; int is not"),
        ("shop:app", "an ASGI or WSGI app is callable; str is not"),
        (None, "an ASGI or WSGI app is callable; NoneType is not"),
        (lambda *arguments: None, "cannot tell whether the app is ASGI or WSGI"),
        (lambda request: None, "cannot tell whether the app is ASGI or WSGI"),
        (print, "cannot tell whether the app is ASGI or WSGI"),
        (dict, "cannot tell whether the app is ASGI or WSGI"),
    ],
)
def test_what_is_no_app_is_refused_with_a_remedy(app: Any, message: str, policy_file: Path) -> None:
    """A TypeError says what was given, or names the two explicit middlewares."""
    with pytest.raises(TypeError) as caught:
        wrap(app, policy_file, environ=ENVIRON)
    assert message in str(caught.value)
    if callable(app):
        assert "consentgate.asgi.ConsentMiddleware" in str(caught.value)
        assert "consentgate.wsgi.ConsentMiddleware" in str(caught.value)


def test_falcons_apps_are_told_apart(policy_file: Path) -> None:
    """falcon.App is WSGI, and its ASGI sister, a subclass of it, is not."""
    found = [
        hypercorn.utils.is_asgi(wrap(app, policy_file, environ=ENVIRON))
        for app in (falcon.App(), falcon.asgi.App())
    ]
    assert found == [False, True]


def test_a_policy_is_not_modified(policy_file: Path) -> None:
    """Learning names makes a new gate: the Policy and the Gate passed in stay as they are."""
    gate = load_gate(policy_file, environ=ENVIRON)
    before = (gate.policy, gate.judge)
    app = _page()
    app.config["SESSION_COOKIE_NAME"] = "shop_session"
    assert ask(wrap(app, gate)).status_code == 200
    assert (gate.policy, gate.judge) == before
    assert isinstance(gate.policy, Policy)
    assert gate.judge.rule(b"shop_session") is None


def test_a_host_without_a_policy_takes_no_choice() -> None:
    """Its answer would replace a choice that it cannot read; the pages of the app are served."""

    def nobody(host: str) -> str:
        raise LookupError(host)

    app = flask.Flask("shop")
    app.get("/")(lambda: "page")
    client = wrap(app, nobody, environ={}).test_client()
    for response in (
        client.post("/_gate/choice", data={"action": "reject"}),
        client.post("/_gate/opt-out"),
        client.get("/_gate/"),
    ):
        assert (response.status_code, response.headers.getlist("Set-Cookie")) == (503, [])
    assert client.get("/").text == "page"
