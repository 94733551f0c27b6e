"""What the tests ask of a browser, whichever it is."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

START_SECONDS = 60.0
CALL_SECONDS = 20.0
TOTAL_SECONDS = 600.0

# Where the middle of an element is, in the window, once it has been brought into view.
MIDDLE = """(() => {
  const found = document.querySelector(%s);
  if (found === null) return null;
  found.scrollIntoView({block: "center", behavior: "instant"});
  const box = found.getBoundingClientRect();
  return [Math.round(box.x + box.width / 2), Math.round(box.y + box.height / 2)];
})()"""


class BrowserError(Exception):
    """A browser did not do what it was told, or not in time."""


@dataclass(frozen=True, slots=True, order=True)
class StoredCookie:
    """A cookie as it lies in the jar: `domain` without a leading dot, `expires` 0 for a session."""

    name: str
    domain: str
    host_only: bool = True
    path: str = "/"
    secure: bool = False
    http_only: bool = False
    same_site: str = ""
    partitioned: bool = False
    value: str = ""
    expires: int = 0


class Visitor(Protocol):
    """A person with a cookie jar of their own and one tab."""

    def visit(self, url: str) -> None:
        """Open an address as if it had been typed, and wait until it is loaded."""

    def press(self, selector: str) -> None:
        """Click an element with the mouse, and wait until what it leads to is loaded."""

    def evaluate(self, script: str) -> Any:
        """Return what an expression comes to in the page; promises are waited for."""

    def cookies(self) -> list[StoredCookie]:
        """Return the whole jar, sorted."""

    def forget(self) -> None:
        """Delete all cookies, as by hand in the settings."""


class Browser(Protocol):
    """A running browser."""

    @property
    def version(self) -> str:
        """The browser's name and version."""

    def visitor(self) -> AbstractContextManager[Visitor]:
        """Let somebody new in, whose jar and tab are gone when the block is left."""
