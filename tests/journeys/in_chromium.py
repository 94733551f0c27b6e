"""Guests of Debian's Chromium, by playwright."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Error, Page, Playwright, Route, sync_playwright

from browsers.driving import BrowserError, StoredCookie
from journeys.guests import SECONDS, Settings

_FLAGS = ["--disable-quic", "--no-proxy-server"]
# Playwright would switch it off, and visitors have it.
_NOT_DEFAULT = ["--disable-back-forward-cache"]
# https://w3c.github.io/gpc/#javascript-property-to-detect-preference
_SIGNAL = """Object.defineProperty(Navigator.prototype, "globalPrivacyControl", {value: true})"""
_NO_STORAGE = "--disable-local-storage"
# The setting "block all cookies": https://chromeenterprise.google/policies/#DefaultCookiesSetting
_NO_COOKIES = {"profile": {"default_content_setting_values": {"cookies": 2}}}


@contextmanager
def chromium(executable: str) -> Iterator[InChromium]:
    """Start a browser; it is gone when the block is left."""
    with sync_playwright() as playwright, ExitStack() as stack:
        yield InChromium(playwright, executable, stack)


class InChromium:
    """Browsers of one make that guests come to: one for most, others with settings of their own."""

    def __init__(self, playwright: Playwright, executable: str, stack: ExitStack) -> None:
        self._playwright = playwright
        self._executable = executable
        self._stack = stack
        self._browser = self._launch()
        self.version = f"Chromium/{self._browser.version}"

    def _launch(self, *flags: str) -> Any:
        browser = self._playwright.chromium.launch(
            executable_path=self._executable,
            args=[*_FLAGS, *flags],
            ignore_default_args=_NOT_DEFAULT,
            chromium_sandbox=False,
        )
        self._stack.callback(browser.close)
        return browser

    @contextmanager
    def guest(self, settings: Settings = Settings(), **more: Any) -> Iterator[ChromiumGuest]:  # noqa: B008
        """Let somebody new in, of whom nothing is left when the block is left.

        `more` goes to playwright: a colour scheme, a language, a scale.
        """
        options = {
            "java_script_enabled": settings.scripting,
            "viewport": {"width": settings.width, "height": settings.height},
            "reduced_motion": "reduce",  # nothing is looked at while it moves
            **more,
        }
        with self._context(settings, options) as context:
            context.set_default_timeout(SECONDS * 1000)
            yield ChromiumGuest(context)

    @contextmanager
    def _context(self, settings: Settings, options: dict[str, Any]) -> Iterator[BrowserContext]:
        if settings.cookies:
            browser = self._browser if settings.storage else self._launch(_NO_STORAGE)
            context = browser.new_context(**options)
            try:
                yield context
            finally:
                context.close()
            return
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
            preferences = Path(profile, "Default", "Preferences")
            preferences.parent.mkdir()
            preferences.write_text(json.dumps(_NO_COOKIES))
            context = self._playwright.chromium.launch_persistent_context(
                profile, executable_path=self._executable, args=_FLAGS, **options
            )
            try:
                yield context
            finally:
                context.close()


class ChromiumTab:
    """A page of playwright's."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def visit(self, url: str) -> None:
        """Open an address as if it had been typed, and wait until it is loaded."""
        self.page.goto(url)

    def press(self, selector: str) -> None:
        """Click an element with the mouse, and wait until what it leads to is loaded."""
        with self.page.expect_navigation():
            self.page.click(selector)

    def click(self, selector: str) -> None:
        """Click an element that does not lead to another page."""
        self.page.click(selector)

    def key(self, name: str) -> None:
        """Press a key such as "Tab" or "Shift+Tab"."""
        self.page.keyboard.press(name)

    def back(self) -> None:
        """Go to the page before, as by the browser's button."""
        # A page from the back-forward cache tells of no load.
        self.page.go_back(wait_until="commit")

    def evaluate(self, script: str) -> Any:
        """Return what an expression comes to in the page; promises are waited for."""
        return self.page.evaluate(script)

    def until(self, script: str) -> None:
        """Wait until an expression is true in the page, whichever is open."""
        # Playwright's own way of waiting is code made of text, which a strict page does not run.
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            with suppress(Error):  # a page that is being left
                if self.page.evaluate(script):
                    return
            time.sleep(0.01)
        raise BrowserError(f"{script}: not in time")


class ChromiumGuest:
    """A context of playwright's with a log of what it asked for."""

    def __init__(self, context: BrowserContext) -> None:
        self._context = context
        self._asked: list[str] = []
        self._complaints: list[str] = []
        self._held: list[Route] = []
        context.on("request", lambda one: self._asked.append(f"{one.method} {one.url}"))
        context.on("console", self._hear)
        context.on("weberror", lambda one: self._complaints.append(str(one.error)))
        self.tab = ChromiumTab(context.pages[0] if context.pages else context.new_page())

    def _hear(self, message: Any) -> None:
        # Pages that name no icon are asked for one by the browser itself.
        if message.type == "error" and not message.location["url"].endswith("/favicon.ico"):
            self._complaints.append(message.text)

    def another_tab(self) -> ChromiumTab:
        """Open another tab, with the same jar and storage."""
        return ChromiumTab(self._context.new_page())

    def cookies(self) -> list[StoredCookie]:
        """Return the whole jar, sorted."""
        return sorted(
            StoredCookie(
                name=cookie["name"],
                domain=cookie["domain"].removeprefix("."),
                host_only=not cookie["domain"].startswith("."),
                path=cookie["path"],
                secure=cookie["secure"],
                http_only=cookie["httpOnly"],
                same_site=cookie["sameSite"],
                value=cookie["value"],
                expires=max(0, int(cookie["expires"])),
            )
            for cookie in self._context.cookies()
        )

    def forget_cookies(self) -> None:
        """Delete all cookies, as by hand in the settings."""
        self._context.clear_cookies()

    @contextmanager
    def object_to_sale(self) -> Iterator[None]:
        """Have Global Privacy Control switched on, on pages that are opened in the block."""
        # Chromium has no such setting: what an extension does, which is told to all pages.
        self._context.set_extra_http_headers({"Sec-GPC": "1"})
        self._context.add_init_script(_SIGNAL)
        yield
        self._context.set_extra_http_headers({})

    def asked(self) -> Sequence[str]:
        """Return every request ("GET http://...") that was not told yet, in order."""
        self._settle()
        asked, self._asked = self._asked, []
        return asked

    def complaints(self) -> Sequence[str]:
        """Return every error so far that the browser reports to the site's developers."""
        self._settle()
        return self._complaints

    def _settle(self) -> None:
        """Have all that was told before this answer heard."""
        for page in self._context.pages:
            with suppress(Error):
                page.evaluate("0")

    @contextmanager
    def holding(self, path: str) -> Iterator[None]:
        """Keep requests to a path waiting until the block is left: a slow network."""

        def wanted(url: str) -> bool:
            return url.partition("?")[0].endswith(path)

        def hold(route: Route) -> None:
            self._held.append(route)

        self._context.route(wanted, hold)
        try:
            yield
        finally:
            held, self._held = self._held, []
            for route in held:
                route.continue_()
            self._context.unroute(wanted)
