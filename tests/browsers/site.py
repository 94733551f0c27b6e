"""The site that browsers visit: a small app behind the gate, under ASGI and WSGI, https and http.

/plant/..    outside the gate: sets what its path names, see PLANTED
/set         sets `k_app`, through the gate
all others   a document that lists the cookies that the app saw
"""

from __future__ import annotations

import re
import ssl
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any, Literal, NamedTuple

import trustme
import uvicorn
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from browsers.driving import StoredCookie
from consentgate import Category, Gate, Policy, Rule, wrap

HOST = "www.app.shop.test"
PARENT = "app.shop.test"
GRANDPARENT = "shop.test"
HOSTS = (HOST, PARENT, GRANDPARENT)
KEY = b"a-signing-key-of-the-tests-0123456789-ABCDEF"
START_SECONDS = 20.0

Shell = Literal["asgi", "wsgi"]
SHELLS: tuple[Shell, ...] = ("asgi", "wsgi")
Scheme = Literal["https", "http"]
SCHEMES: tuple[Scheme, ...] = ("https", "http")
Variant = Literal["declared", "undeclared"]


class Kind(NamedTuple):
    """A line that plants a cookie, and what a browser makes of it."""

    line: str
    stored: StoredCookie

    @property
    def rule(self) -> Rule:
        """The rule that says with which attributes this cookie is set."""
        stored = self.stored
        return Rule(
            name=stored.name,
            category="analytics",
            domain="" if stored.host_only else stored.domain,
            path=stored.path,
            partitioned=stored.partitioned,
        )


def _kind(
    name: str, attributes: str = "Path=/", domain: str = HOST, value: str = "1", **stored: Any
) -> Kind:
    host_only = "Domain=" not in attributes
    line = f"{name}={value}; {attributes}"
    return Kind(line, StoredCookie(name, domain, host_only=host_only, value=value, **stored))


_SECURE = {"secure": True, "same_site": "None"}
_SECURE_LINE = "Path=/; Secure; SameSite=None"

# What rules name: one of each way to set a cookie.
OPTIONAL = (
    _kind("k_host"),
    _kind("k_acct", "Path=/acct", path="/acct"),
    _kind("k_self", f"Path=/; Domain={HOST}"),
    _kind("k_parent", f"Path=/; Domain={PARENT}", domain=PARENT),
    _kind("k_grandparent", f"Path=/; Domain={GRANDPARENT}", domain=GRANDPARENT),
    _kind("k_http_only", "Path=/; HttpOnly", http_only=True),
    _kind("k_strict", "Path=/; SameSite=Strict", same_site="Strict"),
    _kind("k_none", _SECURE_LINE, **_SECURE),
    _kind("k_partitioned", f"{_SECURE_LINE}; Partitioned", **_SECURE, partitioned=True),
    _kind("__Host-k_fixed", "Path=/; Secure", secure=True),
    _kind("__Secure-k_safe", "Path=/; Secure", secure=True),
)
# One name in as many ways; the values are such as a rewrite would change.
NECESSARY = (
    _kind("sessionid", "Path=/; HttpOnly", http_only=True, value='"a b"=%41'),
    _kind(
        "sessionid",
        f"Path=/; Domain={GRANDPARENT}; Max-Age=86400",
        domain=GRANDPARENT,
        value="of.the.site",
    ),
    _kind("sessionid", "Path=/acct; SameSite=Strict", path="/acct", same_site="Strict"),
    _kind("sessionid", f"{_SECURE_LINE}; Partitioned", **_SECURE, partitioned=True, value="a+b"),
    _kind("__Host-sessionid", "Path=/; Secure; SameSite=Lax", secure=True, same_site="Lax"),
)
STRAY = _kind("stray")  # no rule names it
SET = _kind("k_app")

PLANTED = {"optional": OPTIONAL, "necessary": NECESSARY, "stray": (STRAY,)}


def of_scheme(scheme: Scheme, kinds: Iterable[Kind]) -> list[Kind]:
    """Return those that browsers store over this scheme: over http nothing that asks for more."""
    return [kind for kind in kinds if scheme == "https" or not kind.stored.secure]


def policy(variant: Variant, scheme: Scheme) -> Policy:
    """Return the policy: it declares each kind with its attributes, or all by name alone."""
    if variant == "declared":
        rules = tuple(kind.rule for kind in (*OPTIONAL, SET))
    else:
        rules = (Rule(name="k_*", category="analytics"),)
    necessary = (Rule(name="sessionid", category="necessary"),)
    return Policy(
        version="1",
        categories=(
            Category(id="necessary", always=True, rules=necessary),
            Category(id="analytics", rules=rules),
        ),
        exclude=("/plant*",),
        secure=scheme == "https",
    )


# --- the app -------------------------------------------------------------------------------------

Lines = list[tuple[str, str]]
_DOCUMENT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{path}</title><link rel="icon" href="data:,">
</head><body><ul>{items}</ul></body></html>
"""


def _document(path: str, cookie: str, lines: Iterable[str]) -> tuple[Lines, bytes]:
    """Return the headers and the body for a path."""
    pairs = [pair for pair in cookie.split("; ") if pair]
    items = "".join(f"<li>{escape(pair)}</li>" for pair in pairs)
    body = _DOCUMENT.format(path=escape(path), items=items).encode()
    headers = [("content-type", "text/html; charset=utf-8"), ("content-length", str(len(body)))]
    return headers + [("set-cookie", line) for line in lines], body


def _asgi_app(lines: dict[str, list[str]]) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        cookie = b"; ".join(value for name, value in scope["headers"] if name == b"cookie")
        path = scope["path"]
        headers, body = _document(path, cookie.decode("latin-1"), lines.get(path, ()))
        raw = [(name.encode(), value.encode()) for name, value in headers]
        await send({"type": "http.response.start", "status": 200, "headers": raw})
        await send({"type": "http.response.body", "body": body})

    return app


def _wsgi_app(lines: dict[str, list[str]]) -> Any:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        path = environ["PATH_INFO"]
        headers, body = _document(path, environ.get("HTTP_COOKIE", ""), lines.get(path, ()))
        start_response("200 OK", headers)
        return [body]

    return app


# --- what is seen outside the gate ---------------------------------------------------------------


class Exchange(NamedTuple):
    """One request, and the Set-Cookie lines of its answer."""

    request: str
    lines: list[str]


@dataclass
class Site:
    """A running site, and all that was asked of it and answered, in order."""

    address: str
    exchanges: list[Exchange] = field(default_factory=list)

    def url(self, path: str) -> str:
        return self.address + path

    @property
    def requests(self) -> list[str]:
        """What was asked for, but for what a browser asks of any page by itself."""
        own = re.compile(r"GET /favicon\.ico|GET /_gate/g\.\w+\.(?:js|css)")
        requests = [exchange.request for exchange in self.exchanges]
        return [request for request in requests if not own.fullmatch(request)]


def _asgi_noted(app: Any, exchanges: list[Exchange]) -> Any:
    async def noted(scope: Any, receive: Any, send: Callable[[Any], Awaitable[None]]) -> None:
        async def note(message: Any) -> None:
            if message["type"] == "http.response.start":
                headers = [
                    (name.decode(), value.decode("latin-1")) for name, value in message["headers"]
                ]
                exchanges.append(_exchange(scope["method"], scope["path"], headers))
            await send(message)

        await app(scope, receive, note)

    return noted


def _wsgi_noted(app: Any, exchanges: list[Exchange]) -> Any:
    def noted(environ: Any, start_response: Any) -> Any:
        def note(status: str, headers: Lines, *rest: Any) -> Any:
            exchanges.append(_exchange(environ["REQUEST_METHOD"], environ["PATH_INFO"], headers))
            return start_response(status, headers, *rest)

        return app(environ, note)

    return noted


def _exchange(method: str, path: str, headers: Iterable[tuple[str, str]]) -> Exchange:
    lines = [value for name, value in headers if name.lower() == "set-cookie"]
    return Exchange(f"{method} {path}", lines)


# --- the servers ---------------------------------------------------------------------------------


def write_certificate(folder: Path) -> Path:
    """Write a new key and its certificate for the host into one file, and return it."""
    file = folder / "certificate.pem"
    trustme.CA().issue_cert(HOST).private_key_and_cert_chain_pem.write_to_path(file)
    return file


@contextmanager
def served(shell: Shell, scheme: Scheme, variant: Variant, certificate: Path) -> Iterator[Site]:
    """Serve the gated app, each shell under a server of its own."""
    gate = Gate(policy(variant, scheme), [KEY])
    lines = {
        f"/plant/{what}": [kind.line for kind in of_scheme(scheme, kinds)]
        for what, kinds in PLANTED.items()
    }
    lines["/set"] = [SET.line]
    tls = certificate if scheme == "https" else None
    site = Site("")
    if shell == "asgi":
        running = _uvicorn(_asgi_noted(wrap(_asgi_app(lines), gate), site.exchanges), tls)
    else:
        running = _werkzeug(_wsgi_noted(wrap(_wsgi_app(lines), gate), site.exchanges), tls)
    with running as port:
        site.address = f"{scheme}://{HOST}:{port}"
        yield site


@contextmanager
def _uvicorn(app: Any, tls: Path | None) -> Iterator[int]:
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            port=0,
            lifespan="off",
            ws="none",
            log_config=None,
            access_log=False,
            ssl_certfile=tls,
            timeout_graceful_shutdown=1,
        )
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        until = time.monotonic() + START_SECONDS
        while not server.started:
            if time.monotonic() > until or not thread.is_alive():
                raise RuntimeError("uvicorn does not listen")
            time.sleep(0.01)
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(START_SECONDS)


class _Silent(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        """Log nothing."""


class _Werkzeug(ThreadedWSGIServer):
    """Shakes hands in each connection's own thread, so that a silent one holds up no other."""

    daemon_threads = True

    def finish_request(self, request: Any, client_address: Any) -> None:
        request.settimeout(START_SECONDS)
        if self.ssl_context is None:
            super().finish_request(request, client_address)
            return
        assert isinstance(self.ssl_context, ssl.SSLContext)
        try:
            secure = self.ssl_context.wrap_socket(request, server_side=True)
        except OSError:
            return  # a connection that was opened in case it should be wanted
        with secure:
            super().finish_request(secure, client_address)


@contextmanager
def _werkzeug(app: Any, tls: Path | None) -> Iterator[int]:
    server = _Werkzeug("127.0.0.1", 0, app, _Silent)
    if tls:
        server.ssl_context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        server.ssl_context.load_cert_chain(tls)
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
    )
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join(START_SECONDS)
        server.server_close()
