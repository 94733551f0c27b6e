"""The apps that are compared: a bare one, and the same one behind this and that."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping, Sequence
from typing import Any

from starlette.middleware.sessions import SessionMiddleware

from measure import Batch, drive, per_exchange

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Any, Any, Any], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

SESSION_KEY = "a key for the session, and for nothing else: 0123456789"
ORDINARY: Headers = [
    (b"content-type", b"text/html; charset=utf-8"),
    (b"content-length", b"2"),
    (b"vary", b"Accept-Encoding"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"strict-origin-when-cross-origin"),
]


def bare(answers: Sequence[Sequence[bytes]], content_type: bytes = b"") -> App:
    """Return an app that answers with five ordinary headers, and the next of these Set-Cookie."""
    turn = iter(_forever(answers))
    ordinary = [(b"content-type", content_type), *ORDINARY[1:]] if content_type else ORDINARY

    async def app(scope: Any, receive: Any, send: Send) -> None:
        headers = ordinary + [(b"set-cookie", line) for line in next(turn)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"ok"})

    return app


def _forever(answers: Sequence[Sequence[bytes]]) -> Iterable[Sequence[bytes]]:
    while True:
        yield from answers


class ScanOnly:
    """The least that a middleware does who wants to see cookies: look at every header's name."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.seen = 0

    async def __call__(self, scope: Any, receive: Any, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def scanning(message: Message) -> None:
            if message["type"] == "http.response.start":
                for name, _ in message["headers"]:
                    if name.lower() == b"set-cookie":
                        self.seen += 1
            await send(message)

        await self.app(scope, receive, scanning)


class LeanScan(ScanOnly):
    """The same without a coroutine for each message: the leanest that can be written."""

    async def __call__(self, scope: Any, receive: Any, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        def scanning(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                for name, _ in message["headers"]:
                    if name.lower() == b"set-cookie":
                        self.seen += 1
            return send(message)

        await self.app(scope, receive, scanning)


def with_session(app: App) -> App:
    """Put Starlette's SessionMiddleware, as people use it, around an app that counts visits."""

    async def counting(scope: Any, receive: Any, send: Send) -> None:
        session = scope["session"]
        session["visits"] = session.get("visits", 0) + 1
        await app(scope, receive, send)

    return SessionMiddleware(counting, SESSION_KEY, https_only=True)


async def _receive() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _send(message: Message) -> None:
    pass


def asgi_batch(app: App, requests: Sequence[Headers]) -> Batch:
    """Return a batch that sends an ASGI app these requests, one after another."""

    async def exchanges(chosen: list[Headers]) -> None:
        for headers in chosen:
            scope = {
                "type": "http",
                "asgi": {"version": "3.0", "spec_version": "2.3"},
                "http_version": "1.1",
                "method": "GET",
                "scheme": "https",
                "path": "/articles/17",
                "raw_path": b"/articles/17",
                "query_string": b"",
                "root_path": "",
                "headers": headers,
                "client": ("192.0.2.7", 50_000),
                "server": ("shop.example", 443),
                "state": {},
            }
            await app(scope, _receive, _send)

    def run(start: int, count: int) -> float:
        chosen = [requests[at % len(requests)] for at in range(start, start + count)]
        return per_exchange(lambda: drive(exchanges(chosen))) / count

    return run


# --- WSGI ---------------------------------------------------------------------------------------


def bare_wsgi(answers: Sequence[Sequence[bytes]]) -> Any:
    """Return the WSGI form of `bare`."""
    turn = iter(_forever([[line.decode() for line in lines] for lines in answers]))  # type: ignore[misc]
    ordinary = [(name.decode().title(), value.decode()) for name, value in ORDINARY]

    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", ordinary + [("Set-Cookie", line) for line in next(turn)])
        return [b"ok"]

    return app


class ScanOnlyWsgi:
    """The WSGI form of `ScanOnly`."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.seen = 0

    def __call__(self, environ: Any, start_response: Any) -> Any:
        def scanning(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            for name, _ in headers:
                if name.lower() == "set-cookie":
                    self.seen += 1
            return start_response(status, headers, exc_info)

        return self.app(environ, scanning)


def wsgi_batch(app: Any, requests: Sequence[Headers]) -> Batch:
    """Return a batch that sends a WSGI app these requests, one after another."""
    environs = [
        {
            "HTTP_" + name.decode().upper().replace("-", "_"): value.decode()
            for name, value in headers
        }
        for headers in requests
    ]

    def start_response(status: str, headers: Any, exc_info: Any = None) -> Any:
        return None

    def exchanges(chosen: list[dict[str, str]]) -> None:
        for given in chosen:
            environ = {
                "REQUEST_METHOD": "GET",
                "SCRIPT_NAME": "",
                "PATH_INFO": "/articles/17",
                "QUERY_STRING": "",
                "SERVER_NAME": "shop.example",
                "SERVER_PORT": "443",
                "wsgi.url_scheme": "https",
                **given,
            }
            for _ in app(environ, start_response):
                pass

    def run(start: int, count: int) -> float:
        chosen = [environs[at % len(environs)] for at in range(start, start + count)]
        return per_exchange(lambda: exchanges(chosen)) / count

    return run
