"""What the journeys ask of a browser, whichever it is: more than its jar."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from browsers.driving import StoredCookie

# Longer than any answer takes here; what is not there by then does not come.
SECONDS = float(os.environ.get("JOURNEY_SECONDS", "10"))

STORAGE = """(() => {
  const all = (storage) => Object.fromEntries(Object.entries(storage ?? {}));
  try { return [all(window.localStorage), all(window.sessionStorage)]; } catch { return [{}, {}]; }
})()"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a person has set in the browser, and how large its window is."""

    scripting: bool = True
    cookies: bool = True
    storage: bool = True
    width: int = 1280
    height: int = 800


class Tab(Protocol):
    """One tab of somebody's browser."""

    def visit(self, url: str) -> None:
        """Open an address as if it had been typed, and wait until it is loaded."""

    def press(self, selector: str) -> None:
        """Click an element with the mouse, and wait until what it leads to is loaded."""

    def click(self, selector: str) -> None:
        """Click an element that does not lead to another page."""

    def key(self, name: str) -> None:
        """Press a key such as "Tab" or "Shift+Tab"."""

    def back(self) -> None:
        """Go to the page before, as by the browser's button."""

    def evaluate(self, script: str) -> Any:
        """Return what an expression comes to in the page; promises are waited for."""

    def until(self, script: str) -> None:
        """Wait until an expression is true in the page, whichever is open."""


class Guest(Protocol):
    """Somebody with a jar, storage and a tab of their own."""

    tab: Tab

    def another_tab(self) -> Tab:
        """Open another tab, with the same jar and storage."""

    def cookies(self) -> list[StoredCookie]:
        """Return the whole jar, sorted."""

    def forget_cookies(self) -> None:
        """Delete all cookies, as by hand in the settings."""

    def object_to_sale(self) -> AbstractContextManager[None]:
        """Have Global Privacy Control switched on, on pages that are opened in the block."""

    def asked(self) -> Sequence[str]:
        """Return every request ("GET http://...") that was not told yet, in order."""

    def complaints(self) -> Sequence[str]:
        """Return every error so far that the browser reports to the site's developers."""

    def holding(self, path: str) -> AbstractContextManager[None]:
        """Keep requests to a path waiting until the block is left: a slow network."""


class House(Protocol):
    """A running browser that guests come to."""

    version: str

    def guest(self, settings: Settings) -> AbstractContextManager[Guest]:
        """Let somebody new in, of whom nothing is left when the block is left."""
