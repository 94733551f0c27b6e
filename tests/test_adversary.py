"""Attacks that must stay blocked: tables of them, each with a title that says what is tried.

The attacker is, in turn: an app (or what it has installed) that wants a cookie out; another site,
or a browser, that wants a yes that nobody said; and anybody's bytes that want the site down.
"""

from __future__ import annotations

import asyncio
import copy
import gc
import logging
import pickle
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from time import process_time
from typing import Any
from wsgiref.util import setup_testing_defaults

import fastapi
import flask
import pytest
import quart
from itsdangerous import Signer, TimestampSigner, URLSafeTimedSerializer
from starlette.applications import Starlette
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route

from consentgate import Gate, RequestConsent, asgi, load_gate, wrap, wsgi
from consentgate.core.cookies import MAX_COOKIE_BYTES
from consentgate.core.http import Header, Request
from consentgate.core.matcher import PathMatcher
from consentgate.core.recorded import MAX_TWINS
from consentgate.core.token import Tokens
from consentgate.presets import necessary_rules
from consentgate.report import MAX_NAMES
from core import samples
from core.samples import ask, forward, make_gate, reply, sent, token_of, visit_of
from shells import gate
from wrap import driving

GA: Header = (b"set-cookie", b"_ga=1")
SID: Header = (b"set-cookie", b"sessionid=1")
PRIVATE = [(b"vary", b"Cookie"), (b"cache-control", b"private")]
NOTHING = frozenset({"necessary"})


# --- both shells, driven by hand -----------------------------------------------------------------


def scope_of(kind: str = "http", **more: Any) -> dict[str, Any]:
    return {
        "type": kind,
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "method": "GET",
        "path": "/",
        "scheme": "http",
        "query_string": b"",
        "headers": [(b"host", b"testserver")],
        **more,
    }


def asgi_messages(app: Any, scope: dict[str, Any] | None = None) -> list[Any]:
    """Every message that a server would get of a gated ASGI app."""
    return _run(asgi.ConsentMiddleware(app, gate()), scope or scope_of())


def _run(gated: Any, scope: dict[str, Any]) -> list[Any]:
    messages: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        messages.append(message)

    asyncio.run(gated(scope, receive, send))
    return messages


def wsgi_starts(gated: Any, environ: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
    """Every call of start_response, its header list read when the body is there, as servers do."""
    started: list[tuple[Any, ...]] = []
    if environ is None:
        environ = environ_of()
    list(gated(environ, lambda *args: started.append(args)))
    return [(status, list(headers), *rest) for status, headers, *rest in started]


def environ_of(**more: Any) -> dict[str, Any]:
    environ: dict[str, Any] = {"HTTP_HOST": "testserver", **more}
    setup_testing_defaults(environ)
    return environ


def cookies_in(messages: Iterable[Any]) -> list[bytes]:
    """Whatever could reach a browser as a cookie, in whatever message."""
    return [
        bytes(value)
        for message in messages
        for name, value in message.get("headers", ())
        if b"cookie" in bytes(name).lower() and bytes(name).lower() != b"vary"
    ]


# --- an app wants a cookie out: odd headers ------------------------------------------------------


class Twofaced(list[Any]):
    """A list that shows a harmless header first, and a cookie to whoever looks again."""

    looked = False

    def __iter__(self) -> Iterator[Any]:
        pairs = [GA] if self.looked else [(b"x-a", b"b")]
        self.looked = True
        return iter(pairs)


class Octets(bytes):
    """Bytes, but not of type bytes."""


ODD_HEADERS: dict[str, Callable[[], Any]] = {
    "upper case": lambda: [(b"SET-COOKIE", b"_ga=1")],
    "a space before the name": lambda: [(b" set-cookie", b"_ga=1")],
    "a tab after the name": lambda: [(b"set-cookie\t", b"_ga=1")],
    "NBSP around the name": lambda: [(b"\xa0set-cookie\xa0", b"_ga=1")],
    "NEL after the name": lambda: [(b"set-cookie\x85", b"_ga=1")],
    "a file separator before the name": lambda: [(b"\x1cset-cookie", b"_ga=1")],
    "the colon in the name": lambda: [(b"set-cookie:", b"_ga=1")],
    "the whole line in the name": lambda: [(b"Set-Cookie: _ga=1; x", b"y")],
    "a second line in the name": lambda: [(b"x-a: b\r\nset-cookie", b"_ga=1")],
    "a second line in a value": lambda: [(b"x-a", b"b\r\nset-cookie: _ga=1")],
    "a line feed in a value": lambda: [(b"x-a", b"b\nset-cookie: _ga=1")],
    "a bare CR in a value": lambda: [(b"x-a", b"b\rset-cookie: _ga=1")],
    "a bare CR after a good cookie": lambda: [(b"set-cookie", b"sessionid=1\rset-cookie: _ga=2")],
    "a NUL": lambda: [(b"x-a", b"b\0"), GA],
    "text": lambda: [("set-cookie", "_ga=1")],
    "the name as text": lambda: [("set-cookie", b"_ga=1")],
    "the value as text": lambda: [(b"set-cookie", "_ga=1")],
    "a subclass of bytes": lambda: [(Octets(b"Set-Cookie"), Octets(b"_ga=1"))],
    "bytearrays": lambda: [(bytearray(b"set-cookie"), bytearray(b"_ga=1"))],
    "memoryviews": lambda: [(memoryview(b"set-cookie"), memoryview(b"_ga=1"))],
    "a list for a pair": lambda: [[b"set-cookie", b"_ga=1"]],
    "three for a pair": lambda: [(b"set-cookie", b"_ga=1", b"x"), GA],
    "a tuple of pairs": lambda: (GA,),
    "a generator": lambda: (pair for pair in [GA]),
    "the items of a dictionary": lambda: dict([GA]).items(),
    "a dictionary": lambda: {b"set-cookie": b"_ga=1"},
    "a list that looks different the second time": Twofaced,
    "no name": lambda: [(b"set-cookie", b"_ga")],
    "an empty name": lambda: [(b"set-cookie", b"=_ga=1")],
    "NBSP before the cookie's name": lambda: [(b"set-cookie", b"\xa0_ga=1")],
    "an unknown name": lambda: [(b"set-cookie", b"brand_new=1")],
    "a necessary name in another case": lambda: [(b"set-cookie", b"SessionID=1")],
    "a necessary name with a tail": lambda: [(b"set-cookie", b"sessionid2=1")],
    "a necessary name in front": lambda: [(b"set-cookie", b"sessionid _ga=1")],
    "a necessary name with NBSP": lambda: [(b"set-cookie", b"sessionid\xa0=1")],
    "a necessary name in quotation marks": lambda: [(b"set-cookie", b'"sessionid"=1')],
    "Max-Age as the name": lambda: [(b"set-cookie", b"Max-Age=0; _ga=1")],
    "a deletion that a later word takes back": lambda: [
        (b"set-cookie", b"_ga=1; Max-Age=0; Max-Age=x")
    ],
    "an Expires that Max-Age overrides": lambda: [
        (b"set-cookie", b"_ga=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=999")
    ],
    "a year 69 that browsers read as 2069": lambda: [
        (b"set-cookie", b"_ga=1; Expires=Thu, 01-Jan-69 00:00:00 GMT")
    ],
    "a deletion that Safari reads as quoted": lambda: [
        (b"set-cookie", b'_ga="x; Max-Age=0; y"; Path=/')
    ],
    "a deletion in another digit": lambda: [(b"set-cookie", "_ga=1; Max-Age=٠".encode())],
    "a tab": lambda: [(b"set-cookie", b"_ga\t=1; Max-Age=0")],
    "the gate's own cookie": lambda: [(b"set-cookie", b"gate=" + TOKEN)],
    "the gate's own cookie in production": lambda: [(b"set-cookie", b"__Host-gate=" + TOKEN)],
    "the gate's own cookie without a name": lambda: [(b"set-cookie", b"=__Host-gate=" + TOKEN)],
    "the gate's own cookie in quotes": lambda: [(b"set-cookie", b'gate="' + TOKEN + b'"')],
}
TOKEN = gate().site.tokens.write(samples.consent_of("analytics"))


@pytest.mark.parametrize("headers", ODD_HEADERS.values(), ids=ODD_HEADERS)
def test_no_odd_header_carries_a_cookie_past_the_asgi_shell(headers: Callable[[], Any]) -> None:
    """Whatever shape the headers have, no optional cookie leaves, nor a line that could be one."""
    start = {"type": "http.response.start", "status": 200, "headers": headers()}
    message = asgi_messages(_sending(start))[0]
    left = [bytes(part) for pair in message["headers"] for part in pair]
    assert cookies_in([message]) == []
    assert not any(byte in part for part in left for byte in b"\r\n\0")


@pytest.mark.parametrize("headers", ODD_HEADERS.values(), ids=ODD_HEADERS)
def test_no_odd_header_carries_a_cookie_past_the_wsgi_shell(headers: Callable[[], Any]) -> None:
    """The same headers as WSGI writes them, in latin-1 text."""

    def text(part: Any) -> Any:
        return part if isinstance(part, str) else bytes(part).decode("latin-1")

    given = headers()
    pairs = given.items() if isinstance(given, dict) else given
    odd = [tuple(text(part) for part in pair) for pair in pairs]
    ((_, left),) = wsgi_starts(_starting(odd))
    assert not any("cookie" in name.lower() and name != "vary" for name, _ in left)
    assert not any(char in part for pair in left for part in pair for char in "\r\n\0")


def _sending(*messages: Any) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        for message in messages:
            await send(message)

    return app


def _starting(headers: Any, status: Any = "200 OK") -> Any:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response(status, headers)
        return [b"x"]

    return wsgi.ConsentMiddleware(app, gate())


# --- an app wants a cookie out: the order of things ----------------------------------------------


async def starts_twice(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.start", "status": 200, "headers": [GA]})


async def sets_it_on_an_informational_answer(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 103, "headers": [GA]})


async def grows_its_list_after_the_start(scope: Any, receive: Any, send: Any) -> None:
    headers = [(b"x-a", b"b")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    headers.append(GA)


async def changes_its_message_after_the_start(scope: Any, receive: Any, send: Any) -> None:
    message = {"type": "http.response.start", "status": 200, "headers": [(b"x-a", b"b")]}
    await send(message)
    message["headers"] = [GA]


async def says_it_in_the_trailers(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [], "trailers": True})
    await send({"type": "http.response.trailers", "headers": iter([GA, (b"Set-Cookie ", b"a=1")])})


async def says_it_while_refusing_a_websocket(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "websocket.http.response.start", "status": 403, "headers": [GA]})


async def says_it_while_accepting_a_websocket(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "websocket.accept", "subprotocol": "x", "headers": iter([GA])})


async def removes_the_mark(scope: Any, receive: Any, send: Any) -> None:
    del scope["consentgate"], scope["state"]
    await send({"type": "http.response.start", "status": 200, "headers": [GA]})


async def puts_its_own_consent_there(scope: Any, receive: Any, send: Any) -> None:
    generous = ask("POST", headers=[samples.SAME_ORIGIN], host=b"testserver")
    visit = gate().admit(generous, samples.NOW, samples.fresh_id, RequestConsent).visit
    visit.accept_all()
    scope["consentgate"] = scope["state"]["consent"] = visit
    await send({"type": "http.response.start", "status": 200, "headers": [GA]})


async def asks_an_inner_gated_app_with_its_own_scope(scope: Any, receive: Any, send: Any) -> None:
    answer = _sending({"type": "http.response.start", "status": 200, "headers": [GA]})
    await asgi.ConsentMiddleware(answer, gate())(dict(scope), receive, send)


@pytest.mark.parametrize(
    "app",
    [
        starts_twice,
        sets_it_on_an_informational_answer,
        grows_its_list_after_the_start,
        changes_its_message_after_the_start,
        says_it_in_the_trailers,
        says_it_while_refusing_a_websocket,
        says_it_while_accepting_a_websocket,
        removes_the_mark,
        puts_its_own_consent_there,
        asks_an_inner_gated_app_with_its_own_scope,
    ],
    ids=lambda app: app.__name__,
)
def test_no_order_of_messages_carries_a_cookie_out(app: Any) -> None:
    """Each message is decided when it passes, by what the gate knows; what passes is a copy."""
    kind = "websocket" if "websocket" in app.__name__ else "http"
    assert cookies_in(asgi_messages(app, scope_of(kind))) == []


def test_a_cookie_set_while_streaming_does_not_slip_out_through_gzip() -> None:
    """GZip, around the gate, holds the start back until the body comes: the list must not grow."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        async def pieces() -> Any:
            response.set_cookie("_ga", "1")
            yield b"x"

        response = StreamingResponse(pieces())
        await response(scope, receive, send)

    around = GZipMiddleware(asgi.ConsentMiddleware(app, gate()))
    zipping = scope_of(headers=[(b"host", b"testserver"), (b"accept-encoding", b"gzip")])
    assert cookies_in(_run(around, zipping)) == []


def grows_its_list(environ: Any, start_response: Any) -> Iterable[bytes]:
    headers = [("X-A", "b")]
    start_response("200 OK", headers)
    headers.append(("Set-Cookie", "_ga=1"))
    return []


def starts_again(environ: Any, start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", [])
    start_response("500 Oops", [("Set-Cookie", "_ga=1")], (ValueError, ValueError(), None))
    return []


def names_its_arguments(environ: Any, start_response: Any) -> Iterable[bytes]:
    start_response(status="200 OK", headers=[("Set-Cookie", "_ga=1")], exc_info=None)
    return []


def starts_while_iterated(environ: Any, start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", [("Set-Cookie", "_ga=1")])
    yield b"x"


def writes_it_into_the_status(environ: Any, start_response: Any) -> Iterable[bytes]:
    start_response("200 OK\r\nSet-Cookie: _ga=1", [])
    start_response("200 OK\nSet-Cookie: _ga=1", [])
    start_response("200 OK\rSet-Cookie: _ga=1", [])
    return []


def removes_the_gate_from_the_environ(environ: Any, start_response: Any) -> Iterable[bytes]:
    environ.clear()
    start_response("200 OK", [("Set-Cookie", "_ga=1")])
    return []


def asks_an_inner_gated_app(environ: Any, start_response: Any) -> Iterable[bytes]:
    return _starting([("Set-Cookie", "_ga=1")])(dict(environ), start_response)  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    "app",
    [
        grows_its_list,
        starts_again,
        names_its_arguments,
        starts_while_iterated,
        writes_it_into_the_status,
        removes_the_gate_from_the_environ,
        asks_an_inner_gated_app,
    ],
    ids=lambda app: app.__name__,
)
def test_no_use_of_start_response_carries_a_cookie_out(app: Any) -> None:
    """Called again, late, by keyword, or with a status of two lines: it is gated all the same."""
    started = wsgi_starts(wsgi.ConsentMiddleware(app, gate()))
    assert started
    assert not any(name == "Set-Cookie" for _, headers, *_ in started for name, _ in headers)
    assert not any(char in status for status, *_ in started for char in "\r\n")


@pytest.mark.parametrize("status", [HTTPStatus.OK, 200, b"200 OK", None])
def test_a_status_of_an_odd_type_is_the_servers_to_judge(status: Any) -> None:
    """The gate hands it on, and drops the cookie all the same."""
    assert wsgi_starts(_starting([("Set-Cookie", "_ga=1")], status)) == [
        (status, [("vary", "Cookie"), ("cache-control", "private")])
    ]


def test_a_wsgi_header_list_that_can_be_read_once_keeps_its_headers() -> None:
    """A generator where a list should be must not cost the session."""
    pairs = (pair for pair in [("X-A", "b"), ("Set-Cookie", "sessionid=1")])
    assert wsgi_starts(_starting(pairs)) == [
        ("200 OK", [("X-A", "b"), ("Set-Cookie", "sessionid=1")])
    ]


# --- the mark of a gate around this one ----------------------------------------------------------


@pytest.mark.parametrize("mark", [True, object(), "1", {}, None])
def test_a_mark_that_is_no_gates_opens_no_way_past(mark: Any) -> None:
    """Whatever else lies in the scope or environ under the gate's key, the answer is gated."""
    start = {"type": "http.response.start", "status": 200, "headers": [GA]}
    assert cookies_in(asgi_messages(_sending(start), scope_of(consentgate=mark))) == []
    environ = environ_of(**{"consentgate.consent": mark})
    ((_, headers),) = wsgi_starts(_starting([("Set-Cookie", "_ga=1")]), environ)
    assert headers == [("vary", "Cookie"), ("cache-control", "private")]


def test_a_scope_used_twice_is_gated_twice() -> None:
    """A middleware outside that tries a second app, or the same again, finds no way past."""
    start = {"type": "http.response.start", "status": 404, "headers": [GA]}
    scope = scope_of()
    assert [cookies_in(asgi_messages(_sending(start), scope)) for _ in range(3)] == [[], [], []]


def test_an_environ_used_twice_is_gated_twice() -> None:
    """The same for a cascade of WSGI apps."""
    environ = environ_of()
    first = wsgi_starts(_starting([("Set-Cookie", "_ga=1")], "404 Not Found"), environ)
    again = wsgi_starts(_starting([("Set-Cookie", "_ga=1")]), environ)
    assert [first[0][1], again[0][1]] == [[("vary", "Cookie"), ("cache-control", "private")]] * 2


class FailsOnce:
    """An app that raises the first time it is asked, before it answers."""

    def __init__(self) -> None:
        self.asked = 0

    def _ask(self) -> None:
        self.asked += 1
        if self.asked == 1:
            raise RuntimeError("try again")

    async def asgi(self, scope: Any, receive: Any, send: Any) -> None:
        self._ask()
        await send({"type": "http.response.start", "status": 200, "headers": [GA]})

    def wsgi(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        self._ask()
        start_response("200 OK", [("Set-Cookie", "_ga=1")])
        return []


def test_a_second_try_after_an_error_is_gated(policy_file: Path) -> None:
    """A middleware outside that asks again, with the same scope or environ, gets a gated answer."""
    environ = driving.ENVIRON
    scope = scope_of()
    bare = wrap(FailsOnce().asgi, policy_file, environ=environ)
    for gated in (asgi.ConsentMiddleware(FailsOnce().asgi, gate()), bare):
        with pytest.raises(RuntimeError):
            _run(gated, scope)
        assert cookies_in(_run(gated, scope)) == []
    wsgi_environ = environ_of()
    wsgi_gated = wsgi.ConsentMiddleware(FailsOnce().wsgi, gate())
    with pytest.raises(RuntimeError):
        wsgi_starts(wsgi_gated, wsgi_environ)
    assert wsgi_starts(wsgi_gated, wsgi_environ)[0][1] == [
        ("vary", "Cookie"),
        ("cache-control", "private"),
    ]


# --- copies and relatives of a wrapped app -------------------------------------------------------


@pytest.fixture
def policy_file(tmp_path: Path) -> Path:
    file = tmp_path / "consentgate.toml"
    file.write_text(driving.POLICY)
    return file


def a_flask() -> Any:
    app = flask.Flask(__name__)
    app.add_url_rule("/", view_func=lambda: ("x", {"Set-Cookie": "_ga=1"}))
    return app


def a_quart() -> Any:
    app = quart.Quart(__name__)

    async def page() -> Any:
        return "x", {"Set-Cookie": "_ga=1"}

    app.add_url_rule("/", view_func=page)
    return app


def _page(request: Any) -> Any:
    return PlainTextResponse("x", headers={"set-cookie": "_ga=1"})


def a_starlette() -> Any:
    return Starlette(routes=[Route("/", _page)])


def a_fastapi() -> Any:
    return fastapi.FastAPI(routes=[Route("/", _page)])


@pytest.mark.parametrize("make", [a_flask, a_quart, a_starlette, a_fastapi])
def test_a_copy_of_a_wrapped_app_is_gated_too(make: Any, policy_file: Path) -> None:
    """Also where somebody wraps the copy, which `wrap` takes for wrapped already."""
    app = wrap(make(), policy_file, environ=driving.ENVIRON)
    twin = copy.copy(app)
    assert driving.names(driving.ask(twin)) == []
    assert driving.names(driving.ask(wrap(twin, policy_file, environ=driving.ENVIRON))) == []


def test_an_app_made_of_the_class_of_a_wrapped_one_is_gated_too(policy_file: Path) -> None:
    """`type(app)(...)`, and a subclass of it: `wrap` takes them for wrapped, so they are."""
    app: Any = wrap(a_flask(), policy_file, environ=driving.ENVIRON)
    subclass: Any = type("Shop", (type(app),), {})
    for cls in (type(app), subclass):
        relative = cls("relative")
        relative.add_url_rule("/", view_func=lambda: ("x", {"Set-Cookie": "_ga=1"}))
        assert driving.names(driving.ask(relative)) == []


def test_a_wrapped_app_mounted_in_an_unwrapped_one_gates_its_part(policy_file: Path) -> None:
    """The gate is where the app is, also below another app's prefix."""
    app = wrap(a_fastapi(), policy_file, environ=driving.ENVIRON)
    around = Starlette(routes=[Mount("/shop", app=app)])
    assert driving.names(driving.ask(around, "/shop/")) == []


# --- somebody wants a yes that was not said: tokens ----------------------------------------------


def _other_gate() -> Gate:
    return make_gate(keys=[b"a-key-of-somebody-else-0123456789-ABCDEFGHIJ"])


def _forged(signer: Any) -> bytes:
    return bytes(signer.sign(TOKEN_OF_SHOP.rpartition(b".")[0]))


TOKEN_OF_SHOP = token_of("analytics", "marketing")
HOST_GATE = b"__Host-gate="
FUTURE = samples.NOW + 3600
PAST = samples.NOW - 183 * samples.DAY

NO_YES: dict[str, bytes] = {
    "another key": HOST_GATE + token_of("analytics", gate=_other_gate()),
    "no signature": HOST_GATE + TOKEN_OF_SHOP.rpartition(b".")[0],
    "an empty signature": HOST_GATE + TOKEN_OF_SHOP.rpartition(b".")[0] + b".",
    "the signature of another token": HOST_GATE
    + TOKEN_OF_SHOP.rpartition(b".")[0]
    + b"."
    + token_of("analytics").rpartition(b".")[2],
    "another payload under the signature": HOST_GATE
    + TOKEN_OF_SHOP.replace(TOKEN_OF_SHOP[12:13], b"A" if TOKEN_OF_SHOP[12:13] != b"A" else b"B"),
    "the key with the salt of itsdangerous": HOST_GATE + _forged(Signer(samples.KEY)),
    "the key with the salt of Flask's session": HOST_GATE
    + _forged(TimestampSigner(samples.KEY, salt="cookie-session")),
    "a serializer under the same key": HOST_GATE
    + bytes(URLSafeTimedSerializer(samples.KEY).dumps({"analytics": True}), "ascii"),
    "from the future": HOST_GATE + token_of("analytics", at=FUTURE),
    "grown old": HOST_GATE + token_of("analytics", at=PAST, denied=()),
    "the name of development": b"gate=" + TOKEN_OF_SHOP,
    "the name in small letters": b"__host-gate=" + TOKEN_OF_SHOP,
    "the name behind NBSP": b"\xa0__Host-gate=" + TOKEN_OF_SHOP,
    "the name behind NEL": b"\x85__Host-gate=" + TOKEN_OF_SHOP,
    "the name behind a vertical tab": b"\x0b__Host-gate=" + TOKEN_OF_SHOP,
    "the name behind $Version": b"$Version=1; $__Host-gate=" + TOKEN_OF_SHOP,
    "the name as a path of $Version": b'$Version="1", __Host-gate=' + TOKEN_OF_SHOP,
    "the name percent-encoded": b"__Host%2Dgate=" + TOKEN_OF_SHOP,
    "no name": b"=__Host-gate=" + TOKEN_OF_SHOP,
    "the value of another cookie": b"a=__Host-gate=" + TOKEN_OF_SHOP,
    "the value in quotation marks": b'__Host-gate="' + TOKEN_OF_SHOP + b'"',
    "within quotation marks": b'a="; __Host-gate=x' + TOKEN_OF_SHOP + b'"',
    "joined by a comma": b"a=1,__Host-gate=" + TOKEN_OF_SHOP,
    "followed by a comma": HOST_GATE + TOKEN_OF_SHOP + b",a=1",
    "a newer no after the yes": HOST_GATE
    + token_of("analytics", at=samples.NOW - samples.DAY)
    + b"; __Host-gate="
    + token_of(at=samples.NOW),
    "a newer no before the yes": HOST_GATE
    + token_of(at=samples.NOW)
    + b"; __Host-gate="
    + token_of("analytics", at=samples.NOW - samples.DAY),
    "a no of the same day": HOST_GATE
    + token_of("analytics", at=samples.NOW)
    + b"; __Host-gate="
    + token_of(at=samples.TODAY),
    "more twins than a browser could hold": b"; ".join(
        [HOST_GATE + TOKEN_OF_SHOP] * (MAX_TWINS + 1)
    ),
    "513 cookies": b"; ".join([HOST_GATE + TOKEN_OF_SHOP] + [b"a=1"] * 512),
    "one byte over 64 KiB": (HOST_GATE + TOKEN_OF_SHOP + b"; a=").ljust(MAX_COOKIE_BYTES + 1, b"x"),
    "a token of more than 1 KiB": HOST_GATE + TOKEN_OF_SHOP.rjust(1025, b"A"),
}


@pytest.mark.parametrize("cookie", NO_YES.values(), ids=NO_YES)
def test_no_cookie_header_is_a_yes_that_was_not_said(cookie: bytes) -> None:
    """Forged, foreign, old, misnamed, outnumbered or oversized: nothing optional is allowed."""
    visit = visit_of(make_gate(), ask(cookie=cookie))
    assert (visit.peek(), visit.granted) == (NOTHING, NOTHING)
    assert sent(make_gate(), b"_ga=1", b"_fbp=1", b"sid=1", cookie=cookie)[:1] == [b"sid=1"]


@pytest.mark.parametrize(
    "cookie",
    [
        HOST_GATE + TOKEN_OF_SHOP,
        b"a=1; \t__Host-gate \t=\t " + TOKEN_OF_SHOP + b" ;b=2",
        b"; ".join([b"a=1"] * 511 + [HOST_GATE + TOKEN_OF_SHOP]),
        (HOST_GATE + TOKEN_OF_SHOP + b"; a=").ljust(MAX_COOKIE_BYTES, b"x"),
        b"; ".join([HOST_GATE + b"x"] * (MAX_TWINS - 1) + [HOST_GATE + TOKEN_OF_SHOP]),
        b'a={"b":"c","d":1}; e[f]=2; =g; h; ' + HOST_GATE + TOKEN_OF_SHOP,
    ],
    ids=["alone", "white space", "512 cookies", "64 KiB", "twins", "odd neighbours"],
)
def test_a_yes_that_was_said_is_heard_in_the_same_company(cookie: bytes) -> None:
    """The other side of that table: the same yes, one byte or one cookie within the limits."""
    assert visit_of(make_gate(), ask(cookie=cookie)).peek() == NOTHING | samples.OPTIONAL


def test_no_flipped_bit_of_a_token_grants_more() -> None:
    """Each bit of a token that grants one category, flipped: never the other one too."""
    token = token_of("analytics")
    allowed = set()
    for at in range(len(token)):
        for bit in range(8):
            flipped = token[:at] + bytes([token[at] ^ 1 << bit]) + token[at + 1 :]
            if flipped[at] not in b";":
                cookie = HOST_GATE + flipped
                allowed.add(visit_of(make_gate(), ask(cookie=cookie)).peek())
    assert allowed <= {NOTHING, NOTHING | {"analytics"}}


def test_a_withdrawal_takes_the_yes_back_in_whatever_form_it_is_stored() -> None:
    """Where `domain` was set later, a yes for the host alone must not outlive the withdrawal."""
    shared = make_gate(domain="shop.example")
    request = ask("POST", "/_gate/choice", cookie=b"gate=" + TOKEN_OF_SHOP, headers=[samples.FORM])
    end = b"gate=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/"
    gone, kept, *told = lines(reply(shared, request, b"action=withdraw").response.headers)
    assert gone == end + b"; Secure; HttpOnly"
    # What scripts were told goes in each form as well.
    end = end.replace(b"gate=", b"gate-choice=")
    assert told == [
        end + b"; Secure; HttpOnly",
        end + b"; Domain=shop.example; Secure; SameSite=Lax",
    ]
    # Another site with this cookie may use something unasked: there it must not be forgotten.
    pair, _, rest = kept.partition(b";")
    assert rest == b" Max-Age=34560000; Path=/; Domain=shop.example; Secure; HttpOnly; SameSite=Lax"
    said = shared.site.tokens.read(pair.partition(b"=")[2])
    assert said is not None
    assert (said.granted, said.reopened) == (frozenset(), {"analytics", "marketing"})


# --- somebody wants a yes that was not said: requests --------------------------------------------


@dataclass(frozen=True)
class Forced:
    """A request by which somebody else tries to accept for the visitor."""

    title: str
    status: int
    method: str = "POST"
    path: str = "/_gate/choice"
    headers: tuple[Header, ...] = ()
    body: bytes = b"action=accept"
    type: Header = samples.FORM
    host: bytes = samples.HOST
    scheme: str = "https"
    policy: dict[str, Any] = field(default_factory=dict)


OURS: Header = (b"origin", b"https://shop.example")
SAME: Header = samples.SAME_ORIGIN
CROSS: Header = (b"sec-fetch-site", b"cross-site")

FORCED = [
    Forced("a form of another site", 403, headers=((b"origin", b"https://evil.example"), CROSS)),
    Forced("an image", 405, "GET", headers=(SAME,)),
    Forced("a link with the answer in its query", 405, "GET", "/_gate/choice", (SAME, OURS)),
    Forced("HEAD", 405, "HEAD", headers=(SAME,)),
    Forced("PUT", 405, "PUT", headers=(SAME,)),
    Forced("a method in small letters", 405, "post", headers=(SAME,)),
    Forced("an override of the method", 405, "GET",
           headers=(SAME, (b"x-http-method-override", b"POST"))),
    Forced("no proof at all", 403),
    Forced("an opaque origin", 403, headers=((b"origin", b"null"), CROSS)),
    Forced("a sister site", 403,
           headers=((b"origin", b"https://www.shop.example"), (b"sec-fetch-site", b"same-site"))),
    Forced("two origins", 403, headers=(OURS, (b"origin", b"https://evil.example"))),
    Forced("two Sec-Fetch-Site", 403, headers=(CROSS, SAME)),
    Forced("Sec-Fetch-Site with underscores", 403, headers=((b"sec_fetch_site", b"same-origin"),)),
    Forced("our host as user name", 403, headers=((b"origin", b"https://shop.example@evil.ex"),)),
    Forced("our host as a label", 403, headers=((b"origin", b"https://shop.example.evil.ex"),)),
    Forced("our host with a dot behind", 403, headers=((b"origin", b"https://shop.example."),)),
    Forced("another port", 403, headers=((b"origin", b"https://shop.example:8443"),)),
    Forced("a look-alike letter", 403, headers=((b"origin", "https://shоp.example".encode()),)),
    Forced("the host of the attacker, whose Origin fits", 403, host=b"evil.example",
           headers=((b"origin", b"https://evil.example"),), policy={"site": "https://shop.example"}),
    Forced("a page over http, the request over https", 403,
           headers=((b"origin", b"http://shop.example"), CROSS)),
    Forced("a page over http, TLS ended at the proxy", 403, scheme="http",
           headers=((b"origin", b"http://shop.example"), CROSS)),
    Forced("a forged forwarded host", 403,
           headers=((b"origin", b"https://evil.example"), (b"x-forwarded-host", b"evil.example"))),
    Forced("text/plain, which needs no preflight", 415, headers=(SAME,),
           type=(b"content-type", b"text/plain"), body=b'{"action":"accept"}'),
    Forced("two actions", 400, body=b"action=reject&action=accept", headers=(SAME,)),
    Forced("an unknown action", 400, body=b"action=ACCEPT", headers=(SAME,)),
    Forced("an unknown category", 400, body=b"action=save&grant=everything", headers=(SAME,)),
    Forced("save without proof", 403, body=b"action=save&grant=analytics"),
    Forced("save as JSON without proof", 403, type=samples.JSON,
           body=b'{"action":"save","grant":["analytics"]}'),
    Forced("a next that leaves the site", 400, body=b"action=accept&next=//evil.example",
           headers=(SAME,)),
    Forced("a preflight of another site", 204, "OPTIONS",
           headers=((b"origin", b"https://evil.example"),
                    (b"access-control-request-method", b"POST"))),
    Forced("two slashes before the prefix", 0, path="//_gate/choice", headers=(SAME,)),
    Forced("a dot segment before the prefix", 0, path="/x/../_gate/choice", headers=(SAME,)),
    Forced("two slashes after the prefix", 404, path="/_gate//choice", headers=(SAME,)),
    Forced("a path after ours", 404, path="/_gate/choice/", headers=(SAME,)),
]  # fmt: skip


@pytest.mark.parametrize("forced", FORCED, ids=lambda forced: forced.title)
def test_nobody_else_accepts_for_the_visitor(forced: Forced) -> None:
    """No status of success, no cookie of ours, no receipt, no word to another origin's script."""
    request = ask(
        forced.method,
        forced.path,
        host=forced.host,
        scheme=forced.scheme,
        headers=[forced.type, *forced.headers],
        query=b"action=accept",
    )
    step = make_gate(**forced.policy)
    if forced.status == 0:  # an ordinary page of the app
        assert lines(forward(step, request).finish([], samples.NOW).headers) == []
        return
    answer = reply(step, request, forced.body)
    names = {name for name, _ in answer.response.headers}
    assert (answer.response.status, answer.receipt) == (forced.status, None)
    assert names.isdisjoint({b"set-cookie", b"access-control-allow-origin"})


def lines(headers: Iterable[Header]) -> list[bytes]:
    return [value for name, value in headers if name == b"set-cookie"]


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("GET", [SAME]),
        ("HEAD", [SAME]),
        ("OPTIONS", [SAME, OURS]),
        ("POST", []),
        ("POST", [CROSS]),
        ("POST", [(b"origin", b"null")]),
        ("DELETE", [(b"origin", b"https://evil.example")]),
    ],
)
def test_no_handler_can_grant_what_no_page_of_ours_asked_for(
    method: str, headers: list[Header]
) -> None:
    """Nor does it help a handler to change the request's headers first, or to refuse something."""
    request = ask(method, headers=headers)
    visit = visit_of(make_gate(), request)
    visit.reject_all()
    for grant in (visit.accept_all, lambda: visit.set(analytics=True, marketing=False)):
        with pytest.raises(PermissionError):
            grant()
    assert visit.granted == NOTHING


@pytest.mark.parametrize(
    ("host", "headers", "scheme", "local"),
    [
        (b"localhost", [], "http", True),
        (b"LOCALHOST:8000", [], "http", True),
        (b"localhost.", [], "http", True),
        (b"shop.localhost:8000", [], "http", True),
        (b"127.0.0.1:8000", [], "http", True),
        (b"127.9.9.9", [], "http", True),
        (b"[::1]:8000", [], "http", True),
        (b"testserver", [], "http", True),
        (b"localhost", [], "https", False),
        (b"localhost", [(b"x-forwarded-for", b"")], "http", False),
        (b"localhost", [(b"forwarded", b"for=192.0.2.1")], "http", False),
        (b"localhost", [(b"Via", b"1.1 proxy")], "http", False),
        (b"localhost.evil.example", [], "http", False),
        (b"evil-localhost", [], "http", False),
        (b"localhostx", [], "http", False),
        (b"127.0.0.1.evil.example", [], "http", False),
        (b"127.0.0.1:80:80.evil.example", [], "http", False),
        (b"1270.0.0.1", [], "http", False),
        (b"127.1", [], "http", False),
        (b"2130706433", [], "http", False),
        (b"0x7f.0.0.1", [], "http", False),
        (b"0.0.0.0", [], "http", False),
        (b"[::2]", [], "http", False),
        (b"[::ffff:127.0.0.1]", [], "http", False),
        (b"", [], "http", False),
        (b"localhost\xa0", [], "http", False),
        ("１２７.0.0.1".encode(), [], "http", False),
        (None, [], "http", False),
    ],
)
def test_only_this_very_machine_is_development(
    host: bytes | None, headers: list[Header], scheme: str, local: bool
) -> None:
    """Where it is, the cookie is `gate`; everywhere else only `__Host-gate` is read or written."""
    for name, granted in ((b"gate", local), (b"__Host-gate", not local)):
        cookie = (b"cookie", name + b"=" + TOKEN_OF_SHOP)
        request = ask(host=host, headers=[cookie, *headers], scheme=scheme)
        assert ("analytics" in visit_of(make_gate(), request).peek()) is granted


# --- a page that pretends to be excluded ---------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "gated"),
    [
        ("/hooks/pay", False),
        ("/hooks/", False),
        ("/hooks/.well-known/x", False),
        ("/hooks/a..b", False),
        ("/hooks", True),
        ("/hooksx/pay", True),
        ("/Hooks/pay", True),
        ("//hooks/pay", True),
        ("/./hooks/pay", True),
        ("/x/../hooks/pay", True),
        ("/hooks/../shop", True),
        ("/hooks/pay/../../shop", True),
        ("/hooks/..", True),
        ("/hooks/./pay", True),
        ("/x/hooks/pay", True),
        ("/hooks\\pay", True),
        ("/hooks%2fpay", True),
        ("/ping", False),
        ("/ping/", True),
        ("/ping\n", True),
        ("/\ud800", True),
    ],
)
def test_a_page_cannot_pretend_to_be_excluded(path: str, gated: bool) -> None:
    """Dot segments, which some apps resolve, and other spellings of a path gain no exemption."""
    excluding = make_gate(exclude=("/hooks/*", "/ping"))
    left = lines(forward(excluding, ask(path=path)).finish([GA], samples.NOW).headers)
    assert left == ([] if gated else [b"_ga=1"])


# --- somebody wants the site down ----------------------------------------------------------------

NECESSARY = {
    "quotation marks": b'sessionid="a b"; Path=/',
    "a comma": b"sessionid=a,b; Path=/",
    "a brace and quotes": b'csrftoken={"a":"b"}; Path=/',
    "an equals sign": b"sessionid=a==; Path=/",
    "spaces around the name": b" sessionid =1; Path=/",
    "no space after the semicolon": b"sessionid=1;Path=/;HttpOnly",
    "attributes in small letters": b"sessionid=1; path=/; httponly; samesite=lax; max-age=60",
    "attributes nobody knows": b"sessionid=1; Priority=High; x; =; ;",
    "bytes above 0x7F": b"sessionid=caf\xe9; Path=/",
    "UTF-8": "sessionid=日本; Path=/".encode(),
    "4096 bytes": b"sessionid=" + b"x" * 4087,
    "an empty value": b"sessionid=; Path=/",
    "the __Host- form": b"__Host-sessionid=1; Secure; Path=/",
    "the __Secure- form, in capitals": b"__SECURE-csrftoken=1; Secure",
    "Django's messages": b'messages="[[\\"__json_message\\"\\0540\\05425\\054\\"x\\"]]"; Path=/',
    "Django's language": b"django_language=pt-br; Path=/",
    "Django's deletion": b'sessionid=""; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/',
    "Flask's deletion": b"session=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/",
    "a piece of Litestar's session": b"session-3=data; Path=/",
    "a deletion that says nonsense": b"sessionid=1; Max-Age=-; Expires=never",
    "Google's sign-in": b"g_csrf_token=1; Path=/",
}


@pytest.mark.parametrize("line", NECESSARY.values(), ids=NECESSARY)
def test_a_necessary_cookie_leaves_byte_for_byte(line: bytes) -> None:
    """However odd it is written: the same line, the same pair, nothing added, in both shells."""
    headers = [(b"Set-Cookie", line), (b"Cache-Control", b"public, max-age=60")]
    start = {"type": "http.response.start", "status": 200, "headers": headers}
    assert asgi_messages(_sending(start)) == [start]
    text = [(name.decode(), value.decode("latin-1")) for name, value in headers]
    assert wsgi_starts(_starting(text)) == [("200 OK", text)]


def test_no_query_of_the_preferences_page_raises() -> None:
    """More fields than anybody sends, and bytes that are no text."""
    queries = [
        b"&" * 3000,
        b"next=" + b"%" * 3000,
        b"\xff" * 3000,
        b"next=%ff&next=/a",
        b";" * 3000,
    ]
    answers = [reply(make_gate(), ask(path="/_gate/", query=query)) for query in queries]
    assert [answer.response.status for answer in answers] == [200] * len(queries)


BODIES = [
    b"[" * 4096,
    b'{"a":' * 800,
    b"9" * 4096,
    b'{"action":"reject","next":"\\ud800"}',
    b'{"action":"save","grant":["\\ud800"]}',
    b'{"action":NaN}',
    b'{"action":["accept"]}',
    b'{"action":"save","grant":"analytics"}',
    b"\xff\xfe",
    b"\xef\xbb\xbf{}",
    b"",
    b"&" * 4096,
    b"action=%ff",
    b"action=" + b"%" * 4000,
    b"+" * 4096,
]


@pytest.mark.parametrize("kind", [samples.JSON, samples.FORM], ids=["json", "form"])
@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_no_body_raises_or_changes_anything(body: bytes, kind: Header) -> None:
    """Deep, long, broken or not text: 400, one sentence, no cookie."""
    answer = reply(make_gate(), ask("POST", "/_gate/choice", headers=[kind, SAME]), body)
    assert (answer.response.status, lines(answer.response.headers)) == (400, [])
    assert answer.response.body.count(b"\n") == 1


def _reading(cookie: bytes) -> Callable[[], object]:
    return lambda: visit_of(
        make_gate(keys=[samples.KEY, samples.OLD_KEY]), ask(cookie=cookie)
    ).peek()


def _judging(*values: bytes) -> Callable[[], object]:
    headers = [(b"set-cookie", value) for value in values]
    return lambda: forward(make_gate(), ask()).finish(headers, samples.NOW)


SLOW: dict[str, Callable[[], object]] = {
    "64 KiB of spaces": _reading(b" " * 65_536),
    "64 KiB of tabs before the name": _reading(b"\t" * 65_000 + HOST_GATE + b"x"),
    "64 KiB of semicolons": _reading(b";" * 65_536),
    "64 KiB of equals signs": _reading(b"=" * 65_536),
    "64 KiB of the name": _reading(HOST_GATE * 5000),
    "500 forged tokens": _reading(
        b";".join(HOST_GATE + TOKEN_OF_SHOP[:-3] + b"%03d" % n for n in range(500))
    ),
    "a name of 100 KiB": _judging(b"x" * 100_000 + b"=1"),
    "a name of 100,000 quotation marks": _judging(b'"' * 100_000 + b"=1"),
    "a name of 100 KiB above 0x7F": _judging(b"\xc3" * 100_000 + b"=1"),
    "100,000 semicolons": _judging(b"_ga=1" + b";" * 100_000),
    "100 KiB of spaces after a semicolon": _judging(b"_ga=1;" + b" " * 100_000 + b"x"),
    "100 KiB of spaces after max-age": _judging(b"_ga=1; max-age" + b" " * 100_000),
    "10,000 times max-age": _judging(b"_ga=1" + b";max-age=0" * 10_000),
    "2,500 dates": _judging(b"_ga=1" + b";expires=Thu, 01 Jan 1970 00:00:00 GMT" * 2500),
    "3,000 Set-Cookie of names never seen": _judging(*(b"n%d=1" % n for n in range(3000))),
    "a long path and many globs": lambda: PathMatcher(
        f"/*a*b*c{n}*d/*x" for n in range(200)
    ).matches("/" + "abcd/" * 12_000),
    "a glob of a hundred stars": lambda: PathMatcher(["/" + "*a" * 100 + "*z"]).matches(
        "/" + "a" * 64_000
    ),
    "Vary of 50,000 items": lambda: forward(make_gate(), ask()).finish(
        [GA, (b"vary", b"a," * 50_000), (b"cache-control", b'"' * 50_000)], samples.NOW
    ),
}


@pytest.mark.parametrize("act", SLOW.values(), ids=SLOW)
def test_nothing_hostile_takes_long(act: Callable[[], object]) -> None:
    """None takes half a second of the processor, where anything quadratic takes minutes."""
    start = process_time()
    act()
    assert process_time() - start < 0.5


def _flood(shell: asgi.ConsentMiddleware, tokens: Tokens, start: int) -> None:
    """Set 10,000 cookies of new names, among as many new headers, and read 5,000 new tokens."""
    for number in range(start, start + 10_000, 200):
        names = [b"%d" % one for one in range(number, number + 200)]
        headers = [(b"set-cookie", b"n" + name + b"=1") for name in names]
        headers += [(b"x-" + name, b"1") for name in names]
        _run(shell, scope_of(answer=headers))
    for number in range(start, start + 2500):
        tokens.read(tokens.write(samples.consent_of("analytics", at=samples.NOW + number)))
        tokens.read(b"forged%d.x" % number)


def test_a_flood_of_names_and_tokens_grows_neither_memory_nor_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Once every memory is full, a second flood adds less than one object for every name."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": scope["answer"]})

    flooded = make_gate()
    shell = asgi.ConsentMiddleware(app, flooded)
    with caplog.at_level(logging.WARNING, "consentgate"):
        _flood(shell, flooded.site.tokens, 0)
        said = len(caplog.records)
        gc.collect()
        before = len(gc.get_objects())
        _flood(shell, flooded.site.tokens, 10_000)
        gc.collect()
    assert len(gc.get_objects()) - before < 10_000
    assert len(caplog.records) == said <= MAX_NAMES + 1


# --- what must not be told -----------------------------------------------------------------------

SECRET = "s3cret-value"
TELLTALES = [
    b"_ga=" + SECRET.encode(),
    SECRET.encode(),
    b"=" + SECRET.encode(),
    SECRET.encode() + b"; Path=/",
    b"a\tb=" + SECRET.encode(),
    b"x\x1b[31m\r\nevil\n=" + SECRET.encode(),
    b"\xe2\x80\xae\xff=" + SECRET.encode(),
    b"n" * 300 + b"=" + SECRET.encode(),
]


def test_no_value_and_no_control_character_reaches_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Names are printable and short; values, also those that pose as names, are never told."""
    headers = [(b"set-cookie", line) for line in TELLTALES]
    headers += [(b"Set-Cookie: sid=" + SECRET.encode(), b"x"), (b"x-a", SECRET.encode() + b"\r\n")]
    seen: list[Any] = []
    start = {"type": "http.response.start", "status": 200, "headers": headers}
    with caplog.at_level(logging.DEBUG, "consentgate"):
        _run(asgi.ConsentMiddleware(_sending(start), gate(), on_decision=seen.append), scope_of())
    told = [record.getMessage() for record in caplog.records] + [repr(one) for one in seen]
    assert len(seen) == len(headers)
    assert not any(SECRET in text for text in told)
    assert all(text.isprintable() and len(text) < 500 for text in told)


def test_no_repr_and_no_error_shows_a_key_or_a_cookie() -> None:
    """What a debugger, an error reporter or a log could print of the gate's own objects."""
    loaded = make_gate()
    request = ask("POST", "/_gate/choice", cookie=HOST_GATE + TOKEN_OF_SHOP, headers=[samples.FORM])
    visit = loaded.admit(request, samples.NOW, samples.fresh_id, RequestConsent).visit
    step = forward(loaded, ask(cookie=HOST_GATE + TOKEN_OF_SHOP))
    errors: list[Exception] = []
    for act in (
        visit.accept_all,
        lambda: visit.allows("x"),
        lambda: make_gate(keys=[b"short-key"]),
    ):
        with pytest.raises(Exception) as caught:  # noqa: PT011
            act()
        errors.append(caught.value)
    things = [
        loaded, loaded.site, loaded.site.tokens, loaded.policy, loaded.judge, request, visit, step,
        step.finish([SID, (b"set-cookie", b"_ga=" + SECRET.encode())], samples.NOW),
        reply(loaded, request, b"action=reject"), *errors,
    ]  # fmt: skip
    told = " ".join(map(repr, things)) + " ".join(map(str, things))
    hidden = [samples.KEY.decode(), TOKEN_OF_SHOP.decode(), SECRET, "short-key", "sessionid=1"]
    assert [text for text in hidden if text in told] == []


def test_nothing_that_holds_the_keys_can_be_pickled(policy_file: Path) -> None:
    """A task queue or a cache that pickles a request's state must not carry the keys away."""
    loaded = load_gate(policy_file, environ=driving.ENVIRON)
    for thing in (loaded, loaded.site, loaded.newcomer(RequestConsent)):
        with pytest.raises(TypeError, match="never pickled"):
            pickle.dumps(thing)
    consent = loaded.newcomer(RequestConsent)
    assert copy.deepcopy({"consent": consent})["consent"].granted == consent.granted


# --- caches --------------------------------------------------------------------------------------

PERSONAL: dict[str, tuple[list[Header], list[Header]]] = {
    "nothing said": ([], PRIVATE),
    "public": ([(b"Cache-Control", b"public, max-age=60")],
               [(b"Cache-Control", b"max-age=60, private"), (b"vary", b"Cookie")]),
    "for shared caches alone": ([(b"cache-control", b"s-maxage=600")], PRIVATE),
    "capitals": ([(b"CACHE-CONTROL", b"PUBLIC"), (b"cache-control", b"S-MaxAge=9")], PRIVATE),
    "for a delivery network alone": ([(b"CDN-Cache-Control", b"max-age=600")], PRIVATE),
    "for one delivery network": ([(b"Cloudflare-CDN-Cache-Control", b"max-age=600")], PRIVATE),
    "for surrogates": ([(b"surrogate-control", b"max-age=600")], PRIVATE),
    "for nginx": ([(b"X-Accel-Expires", b"600")], PRIVATE),
    "private only in part": ([(b"cache-control", b'private="set-cookie"')],
                             [(b"cache-control", b'private="set-cookie", private'),
                              (b"vary", b"Cookie")]),
    "private within a quoted text": ([(b"cache-control", b'x="a, private"')],
                                     [(b"cache-control", b'x="a, private", private'),
                                      (b"vary", b"Cookie")]),
    "Vary on something else": ([(b"Vary", b"Accept-Encoding")],
                               [(b"Vary", b"Accept-Encoding, Cookie"), PRIVATE[1]]),
    "Vary on something that resembles it": ([(b"Vary", b"Cookie2")],
                                            [(b"Vary", b"Cookie2, Cookie"), PRIVATE[1]]),
    "Vary on all": ([(b"Vary", b"*")], [(b"Vary", b"*"), PRIVATE[1]]),
    "not to be stored": ([(b"cache-control", b"no-store")],
                         [(b"cache-control", b"no-store"), PRIVATE[0]]),
}  # fmt: skip


@pytest.mark.parametrize(("given", "expected"), PERSONAL.values(), ids=PERSONAL)
@pytest.mark.parametrize("why", ["dropped", "kept", "deleted", "read", "changed"])
def test_no_shared_cache_keeps_an_answer_made_for_one_visitor(
    given: list[Header], expected: list[Header], why: str
) -> None:
    """Whether a cookie was dropped, kept by consent or deleted, or consent was read or changed."""
    cookie = HOST_GATE + TOKEN_OF_SHOP if why == "kept" else None
    step = forward(make_gate(), ask(cookie=cookie))
    line = {"dropped": b"_ga=1", "kept": b"_ga=1", "deleted": b"_ga=; Max-Age=0"}.get(why)
    if why == "read":
        step.visit.allows("analytics")
    elif why == "changed":
        step.visit.reject_all()
    headers = given if line is None else [*given, (b"set-cookie", line)]
    left = step.finish(headers, samples.NOW).headers
    assert sorted(pair for pair in left if pair[0] != b"set-cookie") == sorted(expected)


@pytest.mark.parametrize("line", [None, b"sid=1", b"lang=en", b"sid=; Max-Age=0"])
def test_an_answer_that_is_the_same_for_all_is_left_to_the_caches(line: bytes | None) -> None:
    """Also for somebody with a consent cookie: what was not asked cannot matter."""
    headers = [(b"cache-control", b"public, s-maxage=60"), (b"surrogate-control", b"max-age=60")]
    if line is not None:
        headers.append((b"set-cookie", line))
    step = forward(make_gate(), ask(cookie=HOST_GATE + TOKEN_OF_SHOP))
    assert step.finish(headers, samples.NOW).headers == headers


def test_no_page_of_the_gate_is_ever_stored() -> None:
    """Every answer below the prefix, refusals and redirects too, says no-store."""
    requests = [
        ask(path="/_gate"),
        ask(path="/_gate/"),
        ask(path="/_gate/state"),
        ask(path="/_gate/nothing"),
        ask("PUT", "/_gate/state"),
        ask("OPTIONS", "/_gate/choice"),
        ask("POST", "/_gate/choice", headers=[samples.FORM]),
        ask("POST", "/_gate/choice", headers=[(b"content-type", b"text/plain")]),
        ask("POST", "/_gate/choice", headers=[samples.FORM, SAME]),
    ]
    for request in requests:
        answer = reply(make_gate(), request, b"action=accept")
        assert (b"cache-control", b"no-store") in answer.response.headers


def test_presets_name_nothing_that_a_tracker_is_known_by() -> None:
    """No built-in rule lets out the cookies that analytics and advertising are known for."""
    trackers = (
        b"_ga _gid _gat _gcl_au _fbp _fbc _pk_id _hjid _clck _clsk _uetsid ajs_anonymous_id "
        b"IDE NID DSID fr MUID personalization_id uid uuid visitor_id id user_id device_id token "
        b"_ga_ABC123 __gads __gpi optimizely amplitude_id mp_token hubspotutk __hstc _session_id2 "
        b"session-id session-replay sessionid2 csrftoken2 languages langid localeid"
    ).split()
    gate_of_presets = Gate(samples.POLICY, [samples.KEY], known=necessary_rules())
    step = forward(gate_of_presets, Request("GET", "/"))
    left = step.finish([(b"set-cookie", name + b"=1") for name in trackers], samples.NOW)
    # The policy of the samples calls everything that begins with "lang" necessary.
    assert lines(left.headers) == [b"languages=1", b"langid=1"]
