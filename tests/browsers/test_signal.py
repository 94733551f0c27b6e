"""Global Privacy Control as a real Firefox sends it. Chromium has no such setting."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import time
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from browsers.driving import Visitor
from browsers.firefox import Firefox, find_firefox
from consentgate import Gate, wsgi
from consentgate.core.policy import Category, Policy, Profile, Regions, Rule

KEY = b"a key of more than thirty-two bytes for tests"
POLICY = Policy(
    version="1",
    categories=(
        Category(id="necessary", always=True),
        Category(id="analytics", rules=(Rule(name="_ga", category="analytics"),)),
        Category(
            id="marketing", sale_or_sharing=True, rules=(Rule(name="_fbp", category="marketing"),)
        ),
    ),
    regions=Regions(profiles=(Profile(places=("US-CA",), regime="opt-out"),)),
)


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


def _page(environ: Any, start_response: Any) -> list[bytes]:
    consent = environ["consentgate.consent"]
    headers = [("Content-Type", "text/html"), ("Set-Cookie", "_ga=1"), ("Set-Cookie", "_fbp=2")]
    body = f"<p>{consent.gpc}</p>{consent.opt_out_notice}"
    start_response("200 OK", headers)
    return [body.encode()]


@contextmanager
def _serving() -> Iterator[str]:
    gate = Gate(POLICY, [KEY], locate=lambda _: "US-CA")
    app = wsgi.ConsentMiddleware(_page, gate)
    with make_server("127.0.0.1", 0, app, handler_class=_Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://localhost:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def firefox() -> Iterator[Firefox]:
    executable = find_firefox()
    if executable is None:
        pytest.skip("no Firefox on the search path and none named in $FIREFOX")
    with Firefox(executable) as browser:
        yield browser


def signal(firefox: Firefox, on: bool) -> None:
    """Turn the browser's own setting on or off."""
    for name in ("enabled", "functionality.enabled"):
        preference = f"privacy.globalprivacycontrol.{name}"
        firefox.ask(f"Services.prefs.setBoolPref('{preference}', {str(on).lower()}) ?? true")


def jar(visitor: Visitor) -> list[str]:
    """The names in the jar, without what has expired, which Firefox lists for a moment."""
    now = time() + 1
    return sorted(one.name for one in visitor.cookies() if not 0 < one.expires <= now)


def shown(visitor: Visitor) -> tuple[str, bool]:
    """What the page says of the signal, and whether it displays that it was honoured."""
    text: str = visitor.evaluate("document.body.innerText")
    return text.split()[0], "Opt-Out Request Honored" in text


def test_a_browser_that_signals_is_heeded_and_remembered(firefox: Firefox) -> None:
    """Nothing sold is stored, it is displayed, and switching the signal off is no yes."""
    signal(firefox, True)
    with _serving() as site, firefox.visitor() as visitor:
        visitor.visit(site + "/")
        assert (jar(visitor), shown(visitor)) == (["_ga", "gate-optout"], ("applied", True))
        signal(firefox, False)
        visitor.visit(site + "/again")
        assert (jar(visitor), shown(visitor)) == (["_ga", "gate-optout"], ("applied", True))


def test_a_browser_that_does_not_signal_is_not_opted_out(firefox: Firefox) -> None:
    """Until its visitor presses the one button; then what is sold is gone."""
    signal(firefox, False)
    with _serving() as site, firefox.visitor() as visitor:
        visitor.visit(site + "/")
        assert (jar(visitor), shown(visitor)) == (["_fbp", "_ga"], ("absent", False))
        visitor.visit(site + "/_gate/opt-out")
        visitor.press("button")
        assert "You have opted out." in visitor.evaluate("document.body.innerText")
        assert jar(visitor) == ["_ga", "gate", "gate-choice"]


def test_a_yes_after_the_shown_conflict_stands_over_the_signal(firefox: Firefox) -> None:
    """Pressed on the page that shows it; with the signal still sent."""
    signal(firefox, True)
    with _serving() as site, firefox.visitor() as visitor:
        visitor.visit(site + "/_gate/?next=/")
        assert "goes against this signal" in visitor.evaluate("document.body.innerText")
        visitor.press("button[value=accept]")
        assert shown(visitor) == ("overridden", False)
        assert jar(visitor) == ["_fbp", "_ga", "gate", "gate-choice", "gate-optout"]


def test_the_setting_is_what_the_header_says(firefox: Firefox) -> None:
    """Scripts and the server are told the same."""
    for on in (True, False):
        signal(firefox, on)
        with _serving() as site, firefox.visitor() as visitor:
            visitor.visit(site + "/")
            assert visitor.evaluate("navigator.globalPrivacyControl === true") is on
            assert (shown(visitor)[0] == "applied") is on
