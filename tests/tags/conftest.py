"""One browser, one site and one third party for all tests of a module."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from browsers.chromium import find_chromium
from tags.site import Log, Site, gated, third_party

SECONDS = 10
GPC = "Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', {value: true})"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    executable = find_chromium()
    if executable is None:
        pytest.skip("no Chromium on the search path and none named in $CHROMIUM")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(
            executable_path=executable, args=["--no-proxy-server"], chromium_sandbox=False
        )
        yield found
        found.close()


@pytest.fixture(scope="module")
def third() -> Iterator[Log]:
    with third_party() as log:
        yield log


@pytest.fixture(scope="module")
def running(third: Log) -> Iterator[Site]:
    with gated(third) as site:
        yield site


@pytest.fixture
def site(running: Site) -> Site:
    running.reset()
    return running


class Tab:
    """A visitor's one tab, with words for what these tests do in it."""

    def __init__(self, page: Page, site: Site) -> None:
        self.page = page
        self.site = site
        self.wrong: list[str] = []
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.run: Callable[[str], Any] = page.evaluate

    def go(self, path: str = "/") -> None:
        """Open a page of the site, and wait until what is known of it has been acted upon."""
        self.page.goto(self.site.address + path)
        self.settle()

    def settle(self) -> None:
        """Give what should not happen the time to happen."""
        self.run("window.gate?.ready")
        self.page.wait_for_timeout(150)

    def loaded(self) -> None:
        """Wait until nothing stands in a frame's place any more, and the frame has its page."""
        self.wait("""document.querySelector('[data-gate="embed"]') === null""")
        self.page.frame_locator("main iframe").locator("p").wait_for()

    def choose(self, **wish: Any) -> None:
        """Send a choice as g.js does, and let the page know of it."""
        self.page.evaluate(
            """(wish) => fetch("/_gate/choice", {method: "POST", body: JSON.stringify(wish),
              headers: {"content-type": "application/json"}})""",
            wish,
        )
        self.run("void window.dispatchEvent(new StorageEvent('storage', {key: null}))")
        self.settle()

    def grant(self, *categories: str) -> None:
        self.choose(action="save", grant=list(categories), leave=["preferences"])

    def wait(self, condition: str) -> None:
        self.page.wait_for_function(condition)

    @property
    def ran(self) -> list[str]:
        found: list[str] = self.run("ran")
        return found


@pytest.fixture
def let_in(browser: Browser, site: Site) -> Iterator[Callable[..., Tab]]:
    """Lets somebody in; `more` are playwright's settings, `gpc` sends the signal."""
    with ExitStack() as stack:

        def let_in(*, gpc: bool = False, **more: Any) -> Tab:
            if gpc:
                more["extra_http_headers"] = {"Sec-GPC": "1"}
            context = browser.new_context(**more)
            stack.callback(context.close)
            context.set_default_timeout(SECONDS * 1000)
            if gpc:
                context.add_init_script(GPC)
            return Tab(context.new_page(), site)

        yield let_in


@pytest.fixture
def tab(let_in: Callable[..., Tab]) -> Iterator[Tab]:
    """Somebody new. Nothing that was thrown into their page goes unseen."""
    found = let_in()
    yield found
    assert found.wrong == []
