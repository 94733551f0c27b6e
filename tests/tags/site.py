"""A gated site whose pages hold something back, and a third party on another origin."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from werkzeug.serving import WSGIRequestHandler, make_server

from consentgate import Gate, RequestConsent, consent_from, wsgi
from consentgate.core.policy import Category, ConsentMode, Controller, Policy
from consentgate.pages.render import JinjaRenderer

KEY = b"a key of more than thirty-two bytes for tests"
POLICY = Policy(
    version="2026-11",
    categories=(
        Category(id="necessary", always=True),
        Category(id="preferences"),
        Category(id="analytics"),
        Category(id="marketing", sale_or_sharing=True),
    ),
    controller=Controller(name="Example Ltd"),
    consent_mode=ConsentMode(vendors=("google", "microsoft", "clarity", "matomo", "meta")),
    guard="off",
)


# --- the third party -----------------------------------------------------------------------------


@dataclass
class Log:
    """What was asked of somebody, in order."""

    address: str = ""
    asked: list[str] = field(default_factory=list)


class _Third(BaseHTTPRequestHandler):
    """Scripts say their name to the page, and frames are pages; `?wait=` is in milliseconds."""

    log: Log
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        self.log.asked.append(url.path)
        time.sleep(int(parse_qs(url.query).get("wait", ["0"])[0]) / 1000)
        kind, text = "text/html", "<!doctype html><title>Film</title><p>A film.</p>"
        if url.path.endswith(".js"):
            kind, text = "text/javascript", f"tell({url.path!r});"
        body = text.encode()
        self.send_response(404 if url.path == "/missing.js" else 200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def third_party() -> Iterator[Log]:
    log = Log()
    handler = type("_Serving", (_Third,), {"log": log})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        log.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield log
        finally:
            server.shutdown()
            thread.join()


# --- the site ------------------------------------------------------------------------------------

_PAGE = """<!doctype html>
<html lang="{lang}"><head><meta charset="utf-8"><title>A page</title><link rel="icon" href="data:,">
<script{nonce}>var ran = []; function tell(name) {{ ran.push(name); }}</script>
{head}{scripts}</head><body><main><h1>A page</h1>{body}</main>{after}</body></html>"""
Part = str | Callable[[RequestConsent], str]


@dataclass
class Site(Log):
    """The running site: what its pages hold, and the choices that it was sent."""

    third: Log = field(default_factory=Log)
    body: Part = ""
    head: Part = ""
    after: Part = ""
    lang: str = "en"
    headers: list[tuple[str, str]] = field(default_factory=list)
    nonce: str = ""
    # Scripts and other pages of the site's own, by their path.
    files: dict[str, str] = field(default_factory=dict)
    # Whether its browsers do not know that they are to forget what they fetched in advance.
    keeps: bool = False

    def reset(self) -> None:
        self.body = self.head = self.after = self.nonce = ""
        self.lang = "en"
        self.headers = []
        self.files = {}
        self.keeps = False
        self.asked.clear()
        self.third.asked.clear()

    def page(self, consent: RequestConsent) -> str:
        def part(one: Part) -> str:
            text = one if isinstance(one, str) else one(consent)
            return text.replace("THIRD", self.third.address)

        nonce = f' nonce="{self.nonce}"' if self.nonce else ""
        scripts = f'<script src="/_gate/g.js" defer{nonce}></script>'
        return _PAGE.format(
            lang=self.lang,
            nonce=nonce,
            head=part(self.head),
            scripts=scripts,
            body=part(self.body),
            after=part(self.after),
        )


class _Silent(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        """Log nothing."""


@contextmanager
def gated(third: Log, policy: Policy = POLICY) -> Iterator[Site]:
    """Serve the site; hosts called localhost are development, where http will do."""
    site = Site(third=third)

    def app(environ: Any, start_response: Any) -> list[bytes]:
        path = environ["PATH_INFO"]
        if path in site.files:
            kind = "text/javascript" if path.endswith(".js") else "text/html"
            start_response("200 OK", [("Content-Type", kind)])
            return [site.files[path].encode()]
        html = site.page(consent_from(environ)).encode()
        start_response("200 OK", [("Content-Type", "text/html; charset=utf-8"), *site.headers])
        return [html]

    inner = wsgi.ConsentMiddleware(app, Gate(policy, [KEY], renderer=JinjaRenderer(policy)))

    def noted(environ: Any, start_response: Any) -> Any:
        site.asked.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            if site.keeps:
                headers = [one for one in headers if one[0].lower() != "clear-site-data"]
            return start_response(status, headers, *rest)

        return inner(environ, start)

    server = make_server("127.0.0.1", 0, noted, threaded=True, request_handler=_Silent)
    site.address = f"http://localhost:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
