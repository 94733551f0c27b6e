"""The ASGI shell: every legal message shape, nothing mutated, all else passed by identity."""

from __future__ import annotations

import asyncio
import copy
import logging
from collections.abc import Awaitable, Callable
from time import process_time
from typing import Any

import anyio
import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from consentgate import Decision, Gate, ResponseStarted
from consentgate.asgi import MARK, ConsentMiddleware
from consentgate.testing import consent_cookie
from shells import gate

GA = (b"set-cookie", b"_ga=1")
SID = (b"set-cookie", b"sessionid=1")
PRIVATE = [(b"vary", b"Cookie"), (b"cache-control", b"private")]


def scope(kind: str = "http", **more: Any) -> dict[str, Any]:
    base = {
        "type": kind,
        "method": "GET",
        "path": "/",
        "scheme": "http",
        "query_string": b"",
        "headers": [(b"host", b"testserver")],
    }
    return {**base, **more}


async def receive_nothing() -> dict[str, Any]:
    return {"type": "http.disconnect"}


async def exchange(
    app: Callable[..., Awaitable[None]],
    scope: dict[str, Any],
    middleware: ConsentMiddleware | None = None,
) -> list[Any]:
    """Run one exchange; return the messages that came out."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    await (middleware or ConsentMiddleware(app, gate()))(scope, receive_nothing, send)
    return sent


def answering(*messages: dict[str, Any]) -> Callable[..., Awaitable[None]]:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        for message in messages:
            await send(message)

    return app


def start(headers: Any) -> dict[str, Any]:
    return {"type": "http.response.start", "status": 200, "headers": headers}


BODY = {"type": "http.response.body", "body": b"x"}


@pytest.mark.parametrize(
    "headers",
    [
        [SID, GA],
        (SID, GA),
        [list(SID), list(GA)],
        iter([SID, GA]),
        (pair for pair in (SID, GA)),
        [("set-cookie", "sessionid=1"), ("set-cookie", "_ga=1")],
        [(bytearray(b"set-cookie"), b"sessionid=1"), (b"set-cookie", memoryview(b"_ga=1"))],
    ],
    ids=["list", "tuple", "lists", "iterator", "generator", "text", "buffers"],
)
def test_headers_of_any_shape_are_filtered(headers: Any) -> None:
    """Lists, tuples, one-shot generators, even text that a server would quietly take."""
    sent = asyncio.run(exchange(answering(start(headers), BODY), scope()))
    assert [tuple(pair) for pair in sent[0]["headers"]] == [SID, *PRIVATE]


def test_a_start_without_headers_passes_by_identity() -> None:
    """ASGI lets the key be missing."""
    message = {"type": "http.response.start", "status": 204}
    sent = asyncio.run(exchange(answering(message), scope()))
    assert sent[0] is message


@pytest.mark.parametrize("name", [b"Set-Cookie", b"SET-COOKIE", b" set-cookie ", b"set-cookie\t"])
def test_the_name_of_the_header_is_read_as_servers_send_it(name: bytes) -> None:
    """Letter case and surrounding white space hide nothing."""
    sent = asyncio.run(exchange(answering(start([(name, b"_ga=1")])), scope()))
    assert sent[0]["headers"] == PRIVATE


def test_no_message_is_mutated_and_no_list_of_headers_is_the_apps_own() -> None:
    """A message may be shared, and its list may grow once it is sent: what leaves is a copy."""
    changed, untouched = start([SID, GA]), start([SID, (b"x-a", b"b")])
    before = copy.deepcopy(changed)
    sent = asyncio.run(exchange(answering(changed), scope()))
    assert changed == before
    assert sent[0] is not changed
    passed = asyncio.run(exchange(answering(untouched), scope()))[0]
    assert passed == untouched
    assert passed is not untouched
    assert passed["headers"] is not untouched["headers"]


def test_every_other_message_passes_by_identity() -> None:
    """Bodies, path sends, early hints, pushes and messages yet to be invented are not ours."""
    messages = [
        {"type": "http.response.early_hint", "links": [b"</a.css>; rel=preload"]},
        {"type": "http.response.push", "path": "/a", "headers": [(b"a", b"b")]},
        {"type": "http.response.debug", "info": {}},
        {"type": "http.response.pathsend", "path": "/a"},
        {"type": "http.response.zerocopysend", "file": 3},
        {"type": "x.unknown", "headers": [GA]},
        BODY,
    ]
    sent = asyncio.run(exchange(answering(*messages), scope()))
    assert [id(message) for message in sent] == [id(message) for message in messages]


def test_a_cookie_in_trailers_does_not_leave() -> None:
    """Trailers carry no cookies (RFC 9110 6.5.1); other fields pass."""
    trailers = {"type": "http.response.trailers", "headers": [GA, SID, (b"x-sum", b"1")]}
    sent = asyncio.run(exchange(answering(start([]), BODY, trailers), scope()))
    assert sent[2] == {"type": "http.response.trailers", "headers": [(b"x-sum", b"1")]}


def test_receive_is_handed_over_untouched() -> None:
    """The gate reads a body only at its own address."""
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(receive)

    asyncio.run(exchange(app, scope()))
    assert seen == [receive_nothing]


@pytest.mark.parametrize("kind", ["lifespan", "x-unknown"])
def test_other_scopes_pass_untouched(kind: str) -> None:
    """Neither the scope nor a message of theirs is looked at."""
    given = {"type": kind}
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope)
        await send(start([GA]))

    sent = asyncio.run(exchange(app, given))
    assert seen[0] is given
    assert given == {"type": kind}
    assert sent == [start([GA])]


@pytest.mark.parametrize("kind", ["websocket.accept", "websocket.http.response.start"])
def test_a_websocket_handshake_is_filtered(kind: str) -> None:
    """A browser stores cookies from a 101, and from a refused handshake."""
    message = {"type": kind, "headers": [SID, GA]}
    modern = {"asgi": {"version": "3.0", "spec_version": "2.4"}}
    sent = asyncio.run(exchange(answering(message), scope("websocket", scheme="ws", **modern)))
    assert sent == [{"type": kind, "headers": [SID, *PRIVATE]}]


def test_an_old_websocket_accept_gets_no_added_header() -> None:
    """Before version 2.1 of the protocol an accept takes no headers."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        scope["state"]["consent"].reject_all()
        await send({"type": "websocket.accept"})

    sent = asyncio.run(exchange(app, scope("websocket", asgi={"spec_version": "2.0"})))
    assert sent == [{"type": "websocket.accept"}]


def test_consent_is_found_in_the_scope_with_or_without_a_state_of_the_server() -> None:
    """Some servers give no state, some the same dict to every request."""
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append((scope["state"]["consent"], scope[MARK], dict(scope["state"])))

    shared = {"pool": 1}
    asyncio.run(exchange(app, scope()))
    asyncio.run(exchange(app, scope(state=shared)))
    assert all(consent is marked for consent, marked, _ in seen)
    assert seen[1][2] == {"pool": 1, "consent": seen[1][0]}
    assert shared == {"pool": 1}


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_it_runs_under_any_event_loop(backend: str) -> None:
    """Nothing in the gate belongs to asyncio."""

    async def run() -> list[Any]:
        return await exchange(answering(start([SID, GA]), BODY), scope())

    sent = anyio.run(run, backend=backend)
    assert sent == [start([SID, *PRIVATE]), BODY]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_own_pages_run_under_any_event_loop(backend: str) -> None:
    """The body of a choice is read, and answered, in either."""

    async def run() -> tuple[int, list[str]]:
        app = ConsentMiddleware(answering(), gate())
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
            url = "http://testserver/_gate/choice"
            response = await client.post(url, json={"action": "reject"})
            return response.status_code, response.json()["allowed"]

    assert anyio.run(run, backend=backend) == (200, ["necessary"])


def test_one_response_object_sent_a_thousand_times_leaks_nothing() -> None:
    """A module-level Response serves those who refused and those who granted, in turn."""
    shared = Response("x")
    shared.set_cookie("_ga", "1")
    shared.set_cookie("sessionid", "1")
    app = ConsentMiddleware(Starlette(routes=[Route("/", lambda request: shared)]), gate())
    granted = consent_cookie(gate(), "analytics")

    async def run() -> list[tuple[str, ...]]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
            seen = []
            for number in range(1000):
                cookie = "; ".join(f"{k}={v}" for k, v in granted.items()) if number % 2 else ""
                response = await client.get("http://testserver/", headers={"cookie": cookie})
                client.cookies.clear()
                lines = response.headers.get_list("set-cookie")
                seen.append(tuple(line.partition("=")[0] for line in lines))
            return seen

    assert asyncio.run(run()) == [("sessionid",), ("_ga", "sessionid")] * 500


def test_two_requests_at_once_keep_their_own_consent() -> None:
    """Nothing of a request is kept on the middleware."""
    token = "; ".join(f"{k}={v}" for k, v in consent_cookie(gate(), "analytics").items())
    granting = scope(headers=[(b"host", b"testserver"), (b"cookie", token.encode())])

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for _ in range(3):
            await asyncio.sleep(0)
        allowed = scope["state"]["consent"].allows("analytics")
        await asyncio.sleep(0)
        await send(start([GA, (b"x-allowed", str(allowed).encode())]))

    async def run() -> list[list[Any]]:
        shell = ConsentMiddleware(app, gate())
        return await asyncio.gather(
            *(exchange(app, granting if n % 2 else scope(), shell) for n in range(20))
        )

    for number, sent in enumerate(asyncio.run(run())):
        headers = sent[0]["headers"]
        assert (GA in headers) is bool(number % 2)
        assert (b"x-allowed", str(bool(number % 2)).encode()) in headers


def test_an_app_that_raises_after_the_start_raises_through() -> None:
    """The server must learn of it, and nothing more is written."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(start([GA]))
        raise RuntimeError("half way")

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    with pytest.raises(RuntimeError, match="half way"):
        asyncio.run(ConsentMiddleware(app, gate())(scope(), receive_nothing, send))
    assert sent == [start(PRIVATE)]


def test_a_client_that_leaves_mid_stream_is_the_apps_to_see() -> None:
    """The server's OSError reaches the app as it is (ASGI 2.4)."""
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(start([GA]))
        try:
            await send(BODY)
        except OSError as error:
            seen.append(str(error))
            raise

    async def send(message: Any) -> None:
        if message is BODY:
            raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        asyncio.run(ConsentMiddleware(app, gate())(scope(), receive_nothing, send))
    assert seen == ["gone"]


def test_a_visitor_who_leaves_while_sending_a_choice_gets_no_answer() -> None:
    """A disconnect in the middle of the body is no choice."""
    posted = scope(
        method="POST",
        path="/_gate/choice",
        headers=[(b"content-type", b"application/json")],
    )
    assert asyncio.run(exchange(answering(), posted)) == []


def test_the_choice_at_response_start_decides_every_cookie_of_the_response() -> None:
    """A cookie set before the change of mind and one set after it share its fate."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        response = Response("x")
        response.set_cookie("_ga", "before")
        scope["state"]["consent"].reject_all()
        response.set_cookie("_gid", "after")
        response.set_cookie("sessionid", "s")
        await response(scope, receive, send)

    token = "; ".join(f"{k}={v}" for k, v in consent_cookie(gate(), "analytics").items())
    granting = scope(headers=[(b"host", b"testserver"), (b"cookie", token.encode())])
    headers = asyncio.run(exchange(app, granting))[0]["headers"]
    names = [value.partition(b"=")[0] for name, value in headers if name == b"set-cookie"]
    assert names == [b"sessionid", b"gate", b"gate-choice"]


def test_after_the_start_a_change_is_an_error_and_a_first_read_is_refused(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What has been sent cannot be taken back, nor marked as private any more."""
    seen: list[bool] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        consent = scope["state"]["consent"]
        await send(start([]))
        seen.append(consent.allows("analytics"))
        with pytest.raises(ResponseStarted):
            consent.reject_all()

    token = "; ".join(f"{k}={v}" for k, v in consent_cookie(gate(), "analytics").items())
    granting = scope(headers=[(b"host", b"testserver"), (b"cookie", token.encode())])
    with caplog.at_level(logging.WARNING, "consentgate"):
        asyncio.run(exchange(app, dict(granting)))
        assert len(caplog.records) == 1
        assert "after the response had started" in caplog.text
        eager = ConsentMiddleware(app, gate(), eager=True)
        sent = asyncio.run(exchange(app, dict(granting), eager))
    assert seen == [False, True]
    assert sent[0]["headers"] == PRIVATE
    assert len(caplog.records) == 1


def test_scope_headers_that_can_be_read_once_are_read_once() -> None:
    """The app finds all of them, whatever the gate has looked at."""
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        scope["state"]["consent"].allows("analytics")
        seen.extend(scope["headers"])

    pairs = [(b"host", b"testserver"), (b"cookie", b"basket=1")]
    asyncio.run(exchange(app, scope(headers=iter(pairs))))
    assert seen == pairs


def test_every_decision_reaches_the_hook_and_a_failing_hook_harms_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The hook gets each decision, kept or dropped; what it raises is logged, once."""
    seen: list[Decision] = []

    def hook(decision: Decision) -> None:
        seen.append(decision)
        raise ValueError("hook")

    app = answering(start([SID, GA, (b"set-cookie", b"x=1")]))
    shell = ConsentMiddleware(app, gate(), on_decision=hook)
    sent = asyncio.run(exchange(app, scope(), shell))
    assert sent[0]["headers"] == [SID, *PRIVATE]
    assert [(one.name, one.category, one.rule, one.action) for one in seen] == [
        ("sessionid", "necessary", "sessionid", "kept"),
        ("_ga", "analytics", "_ga*", "dropped"),
        ("x", None, None, "dropped"),
    ]
    assert caplog.text.count("the on_decision hook failed") == 1


def test_a_gate_may_be_chosen_by_the_host() -> None:
    """Several sites in one process, each with its own policy."""
    strict, lenient = gate(), gate(unknown="allow")

    def choose(host: str) -> Gate:
        return lenient if host == "b.example" else strict

    app = answering(start([(b"set-cookie", b"stray=1")]))
    shell = ConsentMiddleware(app, choose)

    def headers(host: bytes) -> Any:
        return asyncio.run(exchange(app, scope(headers=[(b"host", host)]), shell))[0]["headers"]

    assert headers(b"a.example") == PRIVATE
    assert headers(b"b.example") == [(b"set-cookie", b"stray=1")]


def test_ever_so_many_headers_take_time_in_proportion() -> None:
    """Twenty thousand of them pass, in their order, and the cookie among them does not."""
    many = [(b"x-%d" % number, b"v" * 50) for number in range(20_000)]
    began = process_time()
    sent = asyncio.run(exchange(answering(start([GA, *many])), scope()))
    assert sent[0]["headers"] == [*many, *PRIVATE]
    assert asyncio.run(exchange(answering(start(many)), scope()))[0] == start(many)
    assert process_time() - began < 5


HTML = (b"content-type", b"text/html")
REFUSED = [(b"host", b"testserver"), (b"cookie", b"sessionid=1; _ga=2"), (b"x", b"y")]


def test_the_app_gets_a_scope_of_its_own_without_refused_cookies() -> None:
    """The server's scope, and its list of headers, are as they were."""
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope)
        await send(start([HTML]))

    given = scope(headers=list(REFUSED), state={"pool": 1})
    sent = asyncio.run(exchange(app, given))
    (inner,) = seen
    assert inner is not given
    assert inner["headers"] == [REFUSED[0], (b"cookie", b"sessionid=1"), REFUSED[2]]
    assert given["headers"] == REFUSED
    assert inner["state"] == given["state"] == {"pool": 1, "consent": inner[MARK]}
    assert (b"set-cookie", b"_ga=; Max-Age=0; Path=/") in sent[0]["headers"]


def test_without_anything_to_hide_the_scope_is_the_servers_own() -> None:
    """No copy for nothing."""
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope)

    for cookie in (b"sessionid=1", b"basket=1; csrftoken=2"):
        given = scope(headers=[(b"cookie", cookie)])
        asyncio.run(exchange(app, given))
        assert seen.pop() is given


@pytest.mark.parametrize("fails", [False, True])
def test_what_the_app_adds_to_its_scope_is_seen_outside(fails: bool) -> None:
    """As without a gate: tracing asks for `route` and `endpoint`, then and after an error."""
    at_start: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        scope["route"] = "/shop"
        scope["path"] = "/changed"
        await send(start([HTML]))
        scope["endpoint"] = "shop"
        if fails:
            raise RuntimeError("boom")

    async def drive() -> None:
        async def send(message: Any) -> None:
            at_start.append(given.get("route"))

        await ConsentMiddleware(app, gate())(given, receive_nothing, send)

    given = scope(headers=list(REFUSED))
    if fails:
        with pytest.raises(RuntimeError, match="boom"):
            asyncio.run(drive())
    else:
        asyncio.run(drive())
    assert at_start == ["/shop"]
    assert (given["route"], given["endpoint"], given["path"]) == ("/shop", "shop", "/changed")
    assert (MARK in given) is not fails


def test_several_cookie_fields_become_one_where_something_is_hidden() -> None:
    """HTTP/2 sends one field for each; untouched they stay as they are."""
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append([value for name, value in scope["headers"] if name.lower() == b"cookie"])

    fields = [(b"Cookie", b"sessionid=1"), (b"x", b"y"), (b"cookie", b"basket=2")]
    asyncio.run(exchange(app, scope(headers=fields)))
    asyncio.run(exchange(app, scope(headers=[*fields, (b"COOKIE", b"_ga=3")])))
    asyncio.run(exchange(app, scope(headers=[(b"cookie", b"_ga=3"), (b"cookie", b"_fbp=3")])))
    assert seen == [[b"sessionid=1", b"basket=2"], [b"sessionid=1; basket=2"], []]


def test_a_mark_that_decided_nothing_opens_no_way_past() -> None:
    """An app that gave no answer is asked again with the same scope, by whoever retries."""
    asked: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        asked.append(scope)
        if len(asked) > 1:
            await send(start([GA, SID]))

    given = scope()
    gated = ConsentMiddleware(app, gate())
    assert asyncio.run(exchange(app, given, gated)) == []
    (answer,) = asyncio.run(exchange(app, given, gated))
    assert answer["headers"] == [SID, *PRIVATE]
