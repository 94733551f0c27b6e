"""Guests of Debian's Firefox, by WebDriver BiDi."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from browsers.driving import StoredCookie
from browsers.firefox import Firefox, FirefoxVisitor
from journeys.guests import Settings

# BEHAVIOR_REJECT of nsICookieService: no cookies and, as in every browser, no storage either.
_NO_COOKIES = {"network__cookie__cookieBehavior": 2}
_NO_STORAGE = {"dom__storage__enabled": False}
_SIGNAL = {
    "privacy__globalprivacycontrol__enabled": True,
    "privacy__globalprivacycontrol__functionality__enabled": True,
}
# Nothing is looked at, or pressed, while it moves.
_STILL = {"ui__prefersReducedMotion": 1}


class InFirefox:
    """A Firefox that guests come to, one after another: its settings are those of all tabs."""

    def __init__(self, browser: Firefox) -> None:
        self._browser = browser
        self.version = browser.version

    @contextmanager
    def guest(self, settings: Settings) -> Iterator[FirefoxGuest]:
        """Let somebody new in, of whom nothing is left when the block is left."""
        with ExitStack() as stack:
            stack.enter_context(self._browser.preferring(**_STILL))
            if not settings.cookies:
                stack.enter_context(self._browser.preferring(**_NO_COOKIES))
            if not settings.storage:
                stack.enter_context(self._browser.preferring(**_NO_STORAGE))
            visitor = stack.enter_context(self._browser.visitor())
            visitor.resize(settings.width, settings.height)
            if not settings.scripting:
                visitor.without_scripting()
            guest = FirefoxGuest(self._browser, visitor)
            events = [
                "network.beforeRequestSent",
                "log.entryAdded",
                "browsingContext.contextCreated",
            ]
            stack.enter_context(self._browser.told(guest.hear, *events))
            yield guest


class FirefoxGuest:
    """A user context with a log of what it asked for."""

    def __init__(self, browser: Firefox, visitor: FirefoxVisitor) -> None:
        self.tab = visitor
        self._browser = browser
        self._tabs = {visitor.name}
        self._asked: list[str] = []
        self._complaints: list[str] = []
        self._held: list[str] = []

    def another_tab(self) -> FirefoxVisitor:
        """Open another tab, with the same jar and storage."""
        tab = self.tab.tab()
        self._tabs.add(tab.name)
        return tab

    def cookies(self) -> list[StoredCookie]:
        """Return the whole jar, sorted."""
        return self.tab.cookies()

    def forget_cookies(self) -> None:
        """Delete all cookies, as by hand in the settings."""
        self.tab.forget()

    @contextmanager
    def object_to_sale(self) -> Iterator[None]:
        """Have Global Privacy Control switched on, on pages that are opened in the block."""
        with self._browser.preferring(**_SIGNAL):
            yield

    def asked(self) -> Sequence[str]:
        """Return every request ("GET http://...") that was not told yet, in order."""
        self._browser.call("session.status")  # all that was told before this answer is heard
        asked, self._asked = self._asked, []
        return asked

    def complaints(self) -> Sequence[str]:
        """Return every error so far that the browser reports to the site's developers."""
        self._browser.call("session.status")
        return self._complaints

    @contextmanager
    def holding(self, path: str) -> Iterator[None]:
        """Keep requests to a path waiting until the block is left: a slow network."""
        intercept = self._browser.call(
            "network.addIntercept",
            phases=["beforeRequestSent"],
            urlPatterns=[{"type": "pattern", "pathname": path}],
        )["intercept"]
        try:
            yield
        finally:
            self._browser.call("network.removeIntercept", intercept=intercept)
            held, self._held = self._held, []
            for request in held:
                self._browser.call("network.continueRequest", request=request)

    def hear(self, message: dict[str, Any]) -> None:
        """Note what the browser tells."""
        told = message["params"]
        if message["method"] == "browsingContext.contextCreated":
            if told["parent"] in self._tabs:  # a frame
                self._tabs.add(told["context"])
        elif message["method"] == "network.beforeRequestSent" and told["context"] in self._tabs:
            request = told["request"]
            if not request["url"].startswith("data:"):  # of the browser's own style
                self._asked.append(f"{request['method']} {request['url']}")
            if told["isBlocked"]:
                self._held.append(request["request"])
        elif message["method"] == "log.entryAdded" and told["level"] == "error":
            self._complaints.append(told["text"])
