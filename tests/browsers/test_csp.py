"""Third parties that nobody agreed to, in real browsers: named in a document, and never asked."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from browsers.chromium import Chromium, find_chromium
from browsers.driving import Visitor
from browsers.firefox import Firefox, FirefoxVisitor, find_firefox
from consentgate import Category, Gate, Policy, wsgi
from consentgate.core.policy import Csp

KEY = b"a key of more than thirty-two bytes for tests"
WAIT_SECONDS = 10.0
# All the ways in which a document makes a browser ask a third party.
PAGE = """<!doctype html><title>Shop</title><body>
<script src="{tracker}/script.js"></script>
<link rel="stylesheet" href="{tracker}/style.css">
<img src="{tracker}/image.gif">
<iframe src="{tracker}/frame.html"></iframe>
<object data="{tracker}/object.html"></object>
<script>
  window.asked = fetch("{tracker}/request").then(() => "sent", () => "kept");
  window.known = typeof tracked;
</script>"""
EVERY = {"frame.html", "image.gif", "object.html", "request", "script.js", "style.css"}
NONCED = """<!doctype html><title>Shop</title><body>
<script nonce="x">window.ours = 1</script>
<script>window.injected = 1</script>
<script nonce="x" src="{tracker}/script.js"></script>
"""
XML = """<html xmlns="http://www.w3.org/1999/xhtml"><head><title>Shop</title></head><body>
<script src="{tracker}/script.js"></script><img src="{tracker}/image.gif"/>
<script>window.asked = fetch("{tracker}/request").then(() => "sent", () => "kept");</script>
</body></html>"""
SVG = """<svg xmlns="http://www.w3.org/2000/svg"><script href="{tracker}/script.js"/>
<script>window.asked = fetch("{tracker}/request").then(() => "sent", () => "kept");</script>
</svg>"""
# What browsers show as a document though it does not say so: status, type, body.
ODD: dict[str, tuple[int, str | None, str]] = {
    "/odd/created": (201, "text/html", PAGE),
    "/odd/missing": (404, "text/html", PAGE),
    "/odd/choices": (300, "text/html", PAGE),
    "/odd/untyped": (200, None, PAGE),
    "/odd/empty": (200, "", PAGE),
    "/odd/any": (200, "*/*", PAGE),
    "/odd/unknown": (200, "unknown/unknown", PAGE),
    "/odd/application": (200, "application/unknown", PAGE),
    "/odd/xml": (200, "text/xml", XML),
    "/odd/picture": (200, "image/svg+xml", SVG),
    "/odd/sheet": (200, "text/xsl", XML),
    "/odd/unknown_too": (200, "application/x-unknown-content-type", PAGE),
}
# These one of the browsers takes for files to be kept.
KEPT_BY_FIREFOX = {"/odd/unknown", "/odd/application", "/odd/sheet"}
KEPT_BY_CHROMIUM = {"/odd/unknown_too"}
OWN_POLICY = "script-src 'nonce-x' 'strict-dynamic'"


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        pass


class Tracker:
    """A third party, and what it was asked for."""

    def __init__(self) -> None:
        self.asked: set[str] = set()

    def __call__(self, environ: Any, start_response: Any) -> Any:
        name = Request(environ).path.removeprefix("/")
        self.asked.add(name)
        kind = {"js": "text/javascript", "css": "text/css", "html": "text/html"}
        answer = Response("var tracked = 1", mimetype=kind.get(name.partition(".")[2], "image/gif"))
        answer.headers["Access-Control-Allow-Origin"] = "*"
        return answer(environ, start_response)


class Shop:
    """The site: documents that name the tracker, and the reports that browsers send."""

    def __init__(self, tracker: str) -> None:
        self.reports: list[Any] = []
        self._tracker = tracker

    def __call__(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        if request.path == "/reports":
            self.reports.append(json.loads(request.get_data()))
            return Response(status=204)(environ, start_response)
        if request.path in ODD:
            status, kind, page = ODD[request.path]
            answer = Response(page.replace("{tracker}", self._tracker), status)
            if status != 200:
                answer.headers["Location"] = "/elsewhere"
            del answer.headers["Content-Type"]
            if kind is not None:
                answer.headers["Content-Type"] = kind
            # Whatever else is done to headers, addresses stay as they are.
            answer.autocorrect_location_header = False
            return answer(environ, start_response)
        page = NONCED if request.path == "/nonced" else PAGE
        answer = Response(page.replace("{tracker}", self._tracker), mimetype="text/html")
        if request.path == "/nonced":
            answer.headers["Content-Security-Policy"] = OWN_POLICY
            answer.data += environ["consentgate.consent"].banner(inline=True, nonce="x").encode()
        if request.path == "/stored":
            # As frameworks do, a 304 says nothing of what is not about caches.
            answer.headers.update({"Content-Security-Policy": "style-src 'none'"})
            answer.set_etag("1")
            answer.headers["Cache-Control"] = "no-cache"
            if "1" in request.if_none_match:
                answer = Response(status=304)
        return answer(environ, start_response)


class Street:
    """Where the shop and the tracker are."""

    def __init__(self, shop: str, app: Shop, tracker: Tracker) -> None:
        self.shop = shop
        self.reports = app.reports
        self._tracker = tracker

    def loads(self, visitor: Visitor, path: str = "/") -> set[str]:
        """Return what the tracker is asked for when this document is opened."""
        self._tracker.asked.clear()
        visitor.visit(self.shop + path)
        if path != "/nonced" and visitor.evaluate("'asked' in window"):
            visitor.evaluate("window.asked")
        return set(self._tracker.asked)


@contextmanager
def _serving(app: Any) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def street(mode: str) -> Iterator[Street]:
    """Open a shop that tells browsers of third parties in this mode, and the tracker's server."""
    tracker = Tracker()
    with _serving(tracker) as address:
        policy = Policy(
            version="1",
            categories=(
                Category(id="necessary", always=True, sources=("'self'",)),
                Category(id="ads", sources=(address,)),
            ),
            csp=Csp(mode=mode, report_uri="/reports"),
        )
        app = Shop(address)
        with _serving(wsgi.ConsentMiddleware(app, Gate(policy, [KEY]))) as shop:
            yield Street(shop, app, tracker)


@pytest.fixture(scope="module")
def browsers() -> Iterator[Callable[[str], Chromium | Firefox]]:
    """Start each browser when it is first asked for."""
    started: dict[str, Chromium | Firefox] = {}
    with ExitStack() as stack:

        def browser(name: str) -> Chromium | Firefox:
            if name not in started:
                executable = find_chromium() if name == "chromium" else find_firefox()
                if executable is None:
                    pytest.skip(f"no {name} on the search path, and none named")
                kind = Chromium if name == "chromium" else Firefox
                started[name] = stack.enter_context(kind(executable))
            return started[name]

        yield browser


@pytest.fixture(params=["chromium", "firefox"])
def visitor(
    request: pytest.FixtureRequest, browsers: Callable[[str], Chromium | Firefox]
) -> Iterator[Visitor]:
    """Somebody with an empty jar."""
    with browsers(request.param).visitor() as somebody:
        yield somebody


def choose(visitor: Visitor, site: Street, button: str) -> None:
    """Press a button on the page of choices."""
    visitor.visit(site.shop + "/_gate/?next=/_gate/style")
    visitor.press(f"button[value={button}]")


def until(true: Callable[[], bool]) -> bool:
    """Wait for what comes after a page is loaded; say whether it came."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def test_nothing_is_asked_for_without_a_yes(visitor: Visitor) -> None:
    """Nor after a no; after a yes all is, and after its withdrawal nothing again."""
    with street("enforce") as site:
        assert site.loads(visitor) == set()
        assert visitor.evaluate("[window.asked, window.known]")[1] == "undefined"
        choose(visitor, site, "reject")
        assert site.loads(visitor) == set()
        choose(visitor, site, "accept")
        assert site.loads(visitor) == EVERY
        assert visitor.evaluate("window.known") == "number"
        choose(visitor, site, "reject")
        assert site.loads(visitor) == set()


def test_where_browsers_are_not_told_all_is_asked_for(visitor: Visitor) -> None:
    """What the other tests see is the policy's doing."""
    with street("off") as site:
        assert site.loads(visitor) == EVERY


def test_what_browsers_show_has_the_policy_whatever_it_says(visitor: Visitor) -> None:
    """Nothing is asked for; without the policy each would be a document that asks."""
    kept = KEPT_BY_FIREFOX if isinstance(visitor, FirefoxVisitor) else KEPT_BY_CHROMIUM
    paths = set(ODD) - kept
    with street("enforce") as site:
        assert {path: site.loads(visitor, path) for path in paths} == {one: set() for one in paths}
    with street("off") as site:
        shown = {path for path in paths if site.loads(visitor, path) >= {"script.js", "request"}}
        assert shown == paths


def test_a_report_is_all_that_comes_of_reporting(visitor: Visitor) -> None:
    """Everything loads, and the site hears of it; after a yes there is nothing to report."""
    with street("report") as site:
        assert site.loads(visitor) == EVERY
        assert until(lambda: len(site.reports) >= len(EVERY))
        found = [report["csp-report"] for report in site.reports]
        assert {one["document-uri"] for one in found} == {site.shop + "/"}
        assert {one["disposition"] for one in found} <= {"report"}
        choose(visitor, site, "accept")
        site.reports.clear()  # some come late, and twice
        assert site.loads(visitor) == EVERY
        assert site.reports == []


def test_a_nonce_opens_no_door_to_who_was_refused(visitor: Visitor) -> None:
    """The app's own policy holds as before, neither looser nor tighter for inline code."""
    inline = "[window.ours, window.injected].map(String)"
    with street("enforce") as site:
        assert site.loads(visitor, "/nonced") == set()
        assert visitor.evaluate(inline) == ["1", "undefined"]
        choose(visitor, site, "accept")
        assert site.loads(visitor, "/nonced") == {"script.js"}
        assert visitor.evaluate(inline) == ["1", "undefined"]


def test_a_banner_in_the_page_still_works(visitor: Visitor) -> None:
    """Its inline script runs by the app's nonce: pressing its button loads no page."""
    with street("enforce") as site:
        site.loads(visitor, "/nonced")
        visitor.evaluate("document.querySelector('button[value=reject]').click()")
        assert until(
            lambda: bool(
                visitor.evaluate("document.querySelector('button[value=reject]') === null")
            )
        )
        assert visitor.evaluate("window.ours") == 1


def test_a_stored_document_has_the_policy_of_today(visitor: Visitor) -> None:
    """Though the app would say that nothing has changed; and the app's own policy is not lost."""
    scripts = {"frame.html", "image.gif", "object.html", "request", "script.js"}
    with street("enforce") as site:
        choose(visitor, site, "accept")
        assert site.loads(visitor, "/stored") == scripts
        choose(visitor, site, "reject")
        assert site.loads(visitor, "/stored") == set()
        choose(visitor, site, "accept")
        assert site.loads(visitor, "/stored") == scripts
