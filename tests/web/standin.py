"""A stand-in for the gate's own pages and a site around them: only what the script sees of them."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

from consentgate import Policy, pages
from consentgate.core.assets import PLACE
from consentgate.pages.render import JinjaRenderer

SOURCE = Path(str(pages.__path__[0])) / "web" / "g.js"
NAME = "__Host-gate-choice"
MIRROR = "public.cookie.choice"
KEY = "a1b2"
DAY = 86_400
POLICY: Mapping[str, Any] = {
    "name": NAME,
    "mirror": MIRROR,
    "version": "2026-11",
    "accepted": 182 * DAY,
    "refused": 182 * DAY,
    "asks": False,
    "quiet": True,
    "signals": ["globalPrivacyControl"],
    "keys": [KEY, "33ff"],
    "always": ["necessary"],
    "categories": {"analytics": ["1a2b", "0c3d"], "marketing": ["77aa"]},
    "sold": ["marketing"],
    "free": ["analytics", "marketing"],
    "style": ["g.abc123.css", ""],
    "tags": ["t.abc123.js", ""],
    "prefix": "/_gate",
}
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "form-action 'self'; require-trusted-types-for 'script'"
)
# The style as far as it matters here: where the section is.
STYLE = ".gate { position: fixed; inset: auto 0 0 0; height: 123px; }"


def served(policy: Mapping[str, Any] = POLICY) -> str:
    """Return the script as the gate sends it, with this for its constant."""
    script = JinjaRenderer(Policy(version="1", categories=())).script
    return script.replace(PLACE, json.dumps(policy, separators=(",", ":")))


def companion(said: str, *, at: int = 0, key: str = KEY, over: str = "") -> str:
    """Return a companion of so many days ago."""
    return f"{today() - at}.{key}{over}&{said}"


def today() -> int:
    return int(time() // DAY)


def banner(next: str = "") -> str:
    hidden = f'<input type="hidden" name="next" value="{escape(next)}">' if next else ""
    return f"""<section class="gate" data-gate="banner" aria-label="Privacy">
<h2 tabindex="-1">Your privacy</h2>
<form method="post" action="/_gate/choice">{hidden}
<button name="action" value="accept">Accept all</button>
<button name="action" value="reject">Reject all</button>
<button formmethod="get" formaction="/_gate/">Choose</button>
</form></section>"""


CHOICES = """<section class="gate" data-gate="choices" aria-label="Privacy choices">
<h2 tabindex="-1">Privacy choices</h2>
<form method="post" action="/_gate/choice"><input type="hidden" name="over_gpc" value="1">
<fieldset><input type="checkbox" name="grant" value="analytics">
<input type="hidden" name="leave" value="marketing">
<input type="checkbox" name="object" value="marketing"></fieldset>
<button name="action" value="save">Save these choices</button>
<button name="action" value="withdraw">Withdraw my choice</button></form>
<button type="button" data-gate-close>Back to the site</button></section>"""


@dataclass
class Site:
    """The running stand-in: what it is to answer, and what it was asked."""

    address: str
    policy: dict[str, Any] = field(default_factory=lambda: dict(POLICY))
    # The companion that an act leaves behind, by the act; None takes it away.
    companions: dict[str, str | None] = field(default_factory=dict)
    # What the server thinks of every visitor.
    state: dict[str, Any] = field(default_factory=dict)
    needs_choice: bool = True
    # What goes wrong: the status of an answer to "banner", to any "choice" or to one of them.
    status: dict[str, int] = field(default_factory=dict)
    # The answer to a choice waits for this, and the banner for that.
    taken: threading.Event = field(default_factory=threading.Event)
    told: threading.Event = field(default_factory=threading.Event)
    log: list[Any] = field(default_factory=list)

    def reset(self) -> None:
        self.policy = dict(POLICY)
        self.companions = {
            "accept": companion("analytics=1a2b&marketing=77aa"),
            "reject": companion("analytics=&marketing="),
            "save": companion("analytics=1a2b&marketing=", over="!"),
            "withdraw": None,
        }
        unset = {"necessary": "granted", "analytics": "unset", "marketing": "unset"}
        self.state = {"allowed": ["necessary"], "categories": unset}
        self.needs_choice = True
        self.status.clear()
        self.taken.set()
        self.told.set()
        self.log.clear()


class _Handler(BaseHTTPRequestHandler):
    site: Site
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        name = url.path.rpartition("/")[2]
        if name == "g.js":
            self._answer(served(self.site.policy), "text/javascript")
        elif name.endswith(".css"):
            self.site.log.append("style")
            self._answer(STYLE, "text/css")
        elif name == "banner":
            self.site.log.append(self.path)
            if "open" not in query:
                self.site.told.wait(10)
            self._banner(query)
        elif url.path.startswith("/_gate") or url.path == "/elsewhere":
            self.site.log.append(self.path)
            self._answer("<!doctype html><title>Own page</title><h1>Own page</h1>")
        else:
            self._answer(_page(query), csp="csp" in query)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        script = self.headers["content-type"] == "application/json"
        wish = json.loads(body) if script else {k: v[0] for k, v in parse_qs(body).items()}
        self.site.log.append(wish if script else body)
        self.site.taken.wait(10)
        failure = self.site.status.get(wish["action"], self.site.status.get("choice"))
        status = (failure or 200) if script else 303
        headers = []
        if status in (200, 303) and wish["action"] in self.site.companions:
            value = self.site.companions[wish["action"]]
            line = f"{NAME}={value or ''}; Path=/; Secure"
            headers.append(("set-cookie", line + ("; Max-Age=0" if value is None else "")))
        if status in (302, 303):
            headers.append(("location", "/elsewhere"))
        self._answer("{}", "application/json", status, headers)

    def _banner(self, query: dict[str, str]) -> None:
        # As the gate does it: relative to this answer, and not to the page that asks for it.
        opens = "open" in query
        section = (CHOICES if opens else banner(query["next"])).replace("/_gate/", "./")
        shown = section if self.site.needs_choice or opens else ""
        state = escape(json.dumps(self.site.state))
        page = f'<!doctype html><html data-state="{state}"><body>{shown}</body></html>'
        self._answer(page, status=self.site.status.get("banner", 200))

    def _answer(
        self,
        body: str,
        kind: str = "text/html",
        status: int = 200,
        headers: list[tuple[str, str]] | None = None,
        csp: bool = False,
    ) -> None:
        content = body.encode()
        self.send_response(status)
        self.send_header("content-type", f"{kind}; charset=utf-8")
        self.send_header("content-length", str(len(content)))
        if self.path.startswith("/_gate/banner"):
            self.send_header("cache-control", "no-store")
        if csp:
            self.send_header("content-security-policy", CSP)
        for name, value in headers or []:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


def _page(query: dict[str, str]) -> str:
    """Return a page of the site.

    `before`: a script that runs first; `script`: more attributes of ours; `at`: where ours stands,
    "head" (not deferred), "end" or ("") deferred in the head; `banner`: how many were rendered.
    """
    before = f"<script>{query['before']}</script>" if "before" in query else ""
    at, source = query.get("at", ""), query.get("src", "/_gate/g.js")
    defer = "" if at else "defer"
    ours = f'<script src="{source}" {defer} {query.get("script", "")}></script>'
    sections = banner("/") * int(query.get("banner", "0"))
    head = ours if at != "end" else ""
    return f"""<!doctype html><html lang="de"><head><title>A page</title>{before}{head}</head><body>
<main><h1>A page</h1><button id="privacy">Privacy</button>{sections}{query.get("more", "")}</main>
{ours if at == "end" else ""}</body></html>"""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A page that is left takes no answer."""


@contextmanager
def serving() -> Iterator[Site]:
    """Serve the stand-in on this machine."""
    handler = type("_Serving", (_Handler,), {})
    with _Server(("127.0.0.1", 0), handler) as server:
        site = Site(f"http://localhost:{server.server_port}")
        handler.site = site
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield site
        finally:
            site.taken.set()
            site.told.set()
            server.shutdown()
            thread.join()
