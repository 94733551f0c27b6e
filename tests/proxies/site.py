"""The site behind the proxy, as ASGI under uvicorn and as WSGI under waitress, gated and not.

    /page/..      the same for everybody        /reads/..    says whether it may measure
    /trackers/..  sets `_ga` and `_fbp`         /rejects/..  a handler refuses for the visitor
    /mixed/..     sets those and a session      /session/..  sets a session
    /headers/N    headers of N bytes            /live        sets all that the policy names
    /seen         says what cookies it was sent

The third part of an address says for how long caches may keep the answer: see CACHING. Whom an
answer is made for (`X-Visitor`, which is no part of a cache's key) stands in its body and cookies.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from consentgate import Category, Gate, Policy, Rule, wrap
from proxies.processes import child, free_port, wait_until_it_listens

KEY = "a key of more than thirty-two bytes for tests"
POLICY = Policy(
    version="1",
    categories=(
        Category(id="necessary", always=True),
        Category(
            id="analytics",
            rules=(
                Rule(name="_ga*", category="analytics"),
                Rule(name="stray_*", category="analytics"),
                Rule(name="known_*", category="analytics", domain="shop.test"),
                Rule(name="x", category="analytics"),  # `__Host-x` and `__Secure-x` too
            ),
        ),
        Category(id="marketing", rules=(Rule(name="_fbp", category="marketing"),)),
    ),
)
TRACKERS = ("_ga", "_fbp")

HTML = "text/html; charset=utf-8"
# Nothing may grow stale during a run, or when it was asked for would matter.
CACHING: dict[str, list[tuple[str, str]]] = {
    "fresh": [("Cache-Control", "max-age=3600")],
    "public": [("Cache-Control", "public, max-age=3600")],
    "shared": [("Cache-Control", "s-maxage=3600")],
    "immutable": [("Cache-Control", "max-age=3600, immutable")],
    "expires": [("Expires", "Fri, 31 Dec 2100 23:59:59 GMT")],
    "accel": [("X-Accel-Expires", "3600")],
    "varying": [("Cache-Control", "max-age=3600"), ("Vary", "Accept"), ("Vary", "X-Nothing")],
    "private": [("Cache-Control", "private")],
}
STORABLE = [name for name in CACHING if name != "private"]
Headers = list[tuple[str, str]]


@dataclass(frozen=True)
class Page:
    """One address. `kind` is the first part of its path."""

    kind: str
    caching: str
    number: int = 0

    @property
    def path(self) -> str:
        return f"/{self.kind}/{self.caching}/{self.number}"

    @property
    def media(self) -> str:
        """Of the pages that are the same for everybody, one half are what documents load."""
        if self.kind == "page":
            return (HTML, "text/css", HTML, "text/javascript")[self.number % 4]
        return HTML

    @property
    def status(self) -> int:
        return (200, 404, 302)[self.number % 3] if self.kind in ("trackers", "mixed") else 200

    def cookies(self, visitor: str) -> list[str]:
        """Return what the app sets, the necessary session last."""
        lines = []
        if self.kind in ("trackers", "mixed"):
            lines = [f"{name}={visitor}; Max-Age=600; Path=/" for name in TRACKERS]
        if self.kind in ("session", "mixed"):
            lines.append(f"sessionid={visitor}; Path=/; HttpOnly")
        return lines

    def body(self, visitor: str, analytics: bool) -> str:
        if self.kind == "reads":
            return f"{self.path} for {visitor}, {'measured' if analytics else 'not measured'}\n"
        return f"{self.path}\n"


PAGES = [
    *(Page("page", "fresh", number) for number in range(40)),
    *(Page("page", caching, number) for caching in STORABLE[1:] for number in range(4)),
    *(Page(kind, caching, 0) for kind in ("reads", "rejects") for caching in CACHING),
    *(
        Page(kind, caching, number)
        for kind in ("trackers", "mixed")
        for caching in CACHING
        for number in range(3)
    ),
    *(Page("session", caching, 0) for caching in CACHING),
]


def gate() -> Gate:
    """Return the gate of the site, to sign choices with."""
    return Gate(POLICY, [KEY.encode()])


# --- the app: what both shells serve -------------------------------------------------------------


def _answer(path: str, visitor: str, cookie: str, consent: Any) -> tuple[int, Headers, str]:
    """Return status, headers and body. `consent` is None without the gate."""
    kind, *rest = path.strip("/").split("/")
    if kind == "seen":
        return 200, [("Content-Type", "text/plain"), *_CACHED_PRIVATELY], cookie
    if kind == "headers":
        return 200, [("Content-Type", HTML), *_CACHED_PRIVATELY, *_padding(int(rest[0]))], path
    if kind == "live":
        lines = ("_ga=1", "_fbp=1", "__Host-x=1; Path=/; Secure", "__Secure-x=1; Secure")
        cookies = [("Set-Cookie", line) for line in (*lines, "sessionid=1")]
        return 200, [("Content-Type", HTML), *_CACHED_PRIVATELY, *cookies], path
    page = Page(kind, rest[0], int(rest[1]))
    analytics = False
    if page.kind == "reads" and consent is not None:
        analytics = consent.allows("analytics")
    if page.kind == "rejects" and consent is not None:
        consent.reject_all()
    headers = [("Content-Type", page.media), *CACHING[page.caching]]
    if page.status == 302:
        headers.append(("Location", "/page/fresh/0"))
    headers += [("Set-Cookie", line) for line in page.cookies(visitor)]
    return page.status, headers, page.body(visitor, analytics)


_CACHED_PRIVATELY = CACHING["private"]


def _padding(size: int) -> Headers:
    """Return headers that take so many bytes on the wire, in lines of at most 1,000."""
    lines = []
    while size:
        take = size if size <= 1000 else min(1000, size - 20)
        lines.append(("X-Padding", "x" * (take - len("X-Padding: \r\n"))))
        size -= take
    return lines


async def _asgi(scope: Any, receive: Any, send: Any) -> None:
    said = {name: value.decode("latin-1") for name, value in scope["headers"]}
    consent = scope.get("state", {}).get("consent")
    status, headers, text = _answer(
        scope["path"], said.get(b"x-visitor", ""), said.get(b"cookie", ""), consent
    )
    body = text.encode()
    raw = [(name.lower().encode(), value.encode()) for name, value in headers]
    raw.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})


def _wsgi(environ: Any, start_response: Any) -> Any:
    consent = environ.get("consentgate.consent")
    status, headers, text = _answer(
        environ["PATH_INFO"],
        environ.get("HTTP_X_VISITOR", ""),
        environ.get("HTTP_COOKIE", ""),
        consent,
    )
    body = text.encode()
    headers.append(("Content-Length", str(len(body))))
    start_response(f"{status} {HTTPStatus(status).phrase}", headers)
    return [body]


# --- as children ---------------------------------------------------------------------------------

SHELLS = ("asgi", "wsgi")


def plain_asgi() -> Any:
    """The app without the gate."""
    return _asgi


def plain_wsgi() -> Any:
    """The app without the gate."""
    return _wsgi


def gated_asgi() -> Any:
    """The app with the gate around it."""
    return wrap(_asgi, POLICY)


def gated_wsgi() -> Any:
    """The app with the gate around it."""
    return wrap(_wsgi, POLICY)


def unmarked_asgi() -> Any:
    """The gated app whose gate keeps from caches what it should tell them."""
    _say_nothing_to_caches()
    return gated_asgi()


def unmarked_wsgi() -> Any:
    """The gated app whose gate keeps from caches what it should tell them."""
    _say_nothing_to_caches()
    return gated_wsgi()


def _say_nothing_to_caches() -> None:
    for name, module in list(sys.modules.items()):
        if name.startswith("consentgate.") and hasattr(module, "for_one_visitor"):
            module.for_one_visitor = lambda headers, *more: headers


_COMMANDS = {
    "asgi": "-m uvicorn --factory proxies.site:{variant}_asgi --port {port} --lifespan off"
    " --no-access-log --log-level warning",
    "wsgi": "-m waitress --listen=127.0.0.1:{port} --call proxies.site:{variant}_wsgi",
}
_ATTEMPTS = 3  # somebody else may take a free port before the server does


@contextmanager
def served(shell: str, variant: str, log: Path) -> Iterator[int]:
    """Serve the "gated", "plain" or "unmarked" app and yield its port."""
    path = os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    environ = {
        **os.environ,
        "CONSENTGATE_SECRET": KEY,
        "PYTHONPATH": path.strip(os.pathsep),
        "PYTHONUNBUFFERED": "1",
    }
    for attempt in range(1, _ATTEMPTS + 1):
        port = free_port()
        command = _COMMANDS[shell].format(port=port, variant=variant).split()
        with child([sys.executable, *command], log, environ) as process:
            try:
                wait_until_it_listens(process, port, log)
            except RuntimeError:
                if attempt == _ATTEMPTS or "ddress already in use" not in log.read_text():
                    raise
                continue
            yield port
            return
