"""Ask an app, ASGI or WSGI, through httpx; and the one policy of these tests."""

from __future__ import annotations

import asyncio
import inspect
import warnings
from collections.abc import Mapping
from typing import Any

import httpx

ENVIRON = {"CONSENTGATE_SECRET": "a key of more than thirty-two bytes for tests"}
POLICY = """
version = "2026-11"

[categories.necessary]
always = true

[categories.analytics]
cookies = ["_ga*"]
"""


def ask(
    app: Any,
    path: str = "/",
    *,
    cookie: bytes = b"",
    headers: Mapping[str, str] | None = None,
    form: Mapping[str, str] | None = None,
    base: str = "http://testserver",
    root: str = "",
) -> httpx.Response:
    """Send one request. `path` may begin with a method; `root` is the path of the mount."""
    method, _, path = path.rpartition(" ")
    sent = {"cookie": cookie.decode("latin-1")} if cookie else {}
    request = httpx.Request(
        method or "GET", base + path, headers={**sent, **(headers or {})}, data=form
    )
    if not (inspect.iscoroutinefunction(app) or inspect.iscoroutinefunction(app.__call__)):
        wsgi = httpx.WSGITransport(app, raise_app_exceptions=False, script_name=root)
        with httpx.Client(transport=wsgi) as client:
            return client.send(request)

    async def exchange() -> httpx.Response:
        asgi = httpx.ASGITransport(app, raise_app_exceptions=False, root_path=root)
        async with httpx.AsyncClient(transport=asgi) as client:
            response = await client.send(request)
            await response.aread()
            return response

    return asyncio.run(exchange())


def starlette_client(app: Any, cookie: bytes = b"") -> Any:
    """Return Starlette's test client, which drives any ASGI app and speaks WebSocket."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says which version of httpx it would like better
        from starlette.testclient import TestClient
    return TestClient(app, headers={"cookie": cookie.decode()} if cookie else {})


def connect(app: Any, cookie: bytes = b"") -> tuple[list[bytes], str]:
    """Open a WebSocket at /ws: the Set-Cookie values of the handshake, and the first text."""
    sent: list[Any] = []

    async def exchange() -> None:
        closed = asyncio.Event()
        opening = [{"type": "websocket.connect"}]

        async def receive() -> Any:
            if opening:
                return opening.pop()
            await closed.wait()
            return {"type": "websocket.disconnect", "code": 1000}

        async def send(message: Any) -> None:
            sent.append(message)
            if message["type"] == "websocket.send":
                closed.set()

        scope = {
            "type": "websocket",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "scheme": "ws",
            "path": "/ws",
            "raw_path": b"/ws",
            "query_string": b"",
            "root_path": "",
            "headers": [(b"host", b"testserver"), *([(b"cookie", cookie)] if cookie else [])],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
            "subprotocols": [],
        }
        await app(scope, receive, send)

    asyncio.run(exchange())
    accept, text = sent[:2]
    cookies = [
        bytes(one) for name, one in accept["headers"] if bytes(name).lower() == b"set-cookie"
    ]
    return cookies, text["text"]


class Slotted:
    """A WSGI middleware that keeps its app in a slot, as that of Sentry does."""

    __slots__ = ("app",)

    def __init__(self, app: Any) -> None:
        self.app = app

    def __call__(self, environ: Any, start_response: Any) -> Any:
        return self.app(environ, start_response)


class ByProtocol:
    """An ASGI app that chooses another by the scope's type, as Django Channels does."""

    def __init__(self, application_mapping: dict[str, Any]) -> None:
        self.application_mapping = application_mapping

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.application_mapping[scope["type"]](scope, receive, send)


def lines(response: httpx.Response) -> list[bytes]:
    """Return the Set-Cookie values as sent, in order."""
    return [value for name, value in response.headers.raw if name.lower() == b"set-cookie"]


def names(response: httpx.Response) -> list[str]:
    """Return the names of the cookies that are set, in order."""
    # Django's WSGI handler writes a space before each of them.
    return [line.partition(b"=")[0].strip().decode() for line in lines(response)]


def choose(app: Any, action: str, *, root: str = "") -> bytes:
    """Make a choice as a visitor's form does, and return the Cookie header that carries it."""
    response = ask(
        app,
        "POST /_gate/choice",
        form={"action": action},
        headers={"origin": "http://testserver"},
        root=root,
    )
    assert response.status_code == 303, response.text
    assert names(response) == ["gate", "gate-choice"]
    return lines(response)[0].partition(b";")[0]
