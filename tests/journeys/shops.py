"""The example shops, and what each category's cookies, keys and requests are there."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import time
from typing import Any, NamedTuple

import pytest

from examples.shop_servers import EXAMPLES, SERVERS, Server, running, third_parties
from journeys.guests import STORAGE, Guest, Tab

SHOPS = tuple(
    one for one in SERVERS if one.name in ("fastapi-uvicorn", "flask-gunicorn", "django-gunicorn")
)
OPTIONAL = ("preferences", "analytics", "marketing")
MIRROR = "public.cookie.choice"
VERSION = "2026-11"

# --- What goes with a yes ------------------------------------------------------------------------

# Set by the server with the start page.
SENT = {
    "preferences": ["catalogue_view"],
    "analytics": ["_ga", "_ga_SHOP1", "ab_test"],
    "marketing": ["_fbp"],
}
# Written by shop.js, and then by the tags of third parties, where a page has them.
WRITTEN = {"preferences": [], "analytics": ["visited"], "marketing": []}
TAGGED = {"preferences": [], "analytics": ["_ga", "_ga_SHOP1"], "marketing": ["_fbp"]}
LOCAL = {"preferences": {"catalogue_sort": "price"}, "marketing": {"seen_items": "mug"}}
TAGGED_LOCAL = {"analytics": {"analytics_visitor": "…"}}
SESSION = {"analytics": {"visit_pages": "1"}}
TAGGED_SESSION = {"preferences": {"chat_session": "…"}}
# What is another number each time.
NUMBERS = {"analytics_visitor", "chat_session"}

# The files that pages are made of: they are asked for again, or not, as the browser likes.
PAGE_FILES = {
    "GET /_gate/first.#.js",
    "GET /shop.css",
    "GET /shop.js",
    "GET /_gate/g.#.js",
    "GET /_gate/g.#.css",
    "GET /_gate/t.#.js",
}
FILES = PAGE_FILES | {"GET /_gate/g.js", "GET /_gate/first.js"}
_DIGEST = re.compile(r"/(g|t|first)\.[0-9a-f]{6,}\.")


class Stored(NamedTuple):
    """All that lies on a device, of one site. `local` holds the mirror as what its JSON says, and
    what is another number each time is "…".
    """

    cookies: list[str]
    local: dict[str, Any]
    session: dict[str, str]


@dataclass(frozen=True, slots=True)
class Shop:
    """An example that is being served."""

    server: Server
    address: str
    third_parties: str

    @property
    def needed(self) -> list[str]:
        """The cookies that the start page cannot do without."""
        return [
            name
            for name in (self.server.session, self.server.csrf, self.server.language, "currency")
            if name is not None
        ]

    def nothing_optional(self) -> Stored:
        """Return what lies with a newcomer who has seen the start page."""
        return Stored(sorted(self.needed), {}, {})

    def chosen(
        self,
        *granted: str,
        sent: Iterable[str] = (),
        scripting: bool = True,
        storage: bool = True,
        tags: bool = True,
    ) -> Stored:
        """Return what lies with somebody who has granted these, and refused all else.

        `sent`: the categories whose cookies the server has sent since. `tags`: whether the third
        parties' tags have run.
        """
        cookies = [*self.needed, "gate", "gate-choice"]
        cookies += [name for category in sent for name in SENT[category]]
        local: dict[str, Any] = {}
        session: dict[str, str] = {}
        if scripting:
            cookies += [name for category in granted for name in WRITTEN[category]]
            if tags:
                cookies += [name for category in granted for name in TAGGED[category]]
        if scripting and storage:
            local[MIRROR] = {
                "v": 1,
                "version": VERSION,
                "decided": datetime.fromtimestamp(time(), UTC).date().isoformat(),
                "choices": {
                    one: "granted" if one in granted else "denied" for one in sorted(OPTIONAL)
                },
            }
            for category in granted:
                local |= LOCAL.get(category, {})
                session |= SESSION.get(category, {})
                if tags:
                    local |= TAGGED_LOCAL.get(category, {})
                    session |= TAGGED_SESSION.get(category, {})
        return Stored(sorted(set(cookies)), local, session)


class Person:
    """A guest who visits one shop."""

    def __init__(self, guest: Guest, shop: Shop) -> None:
        self.guest = guest
        self.shop = shop
        self.tab: Tab = guest.tab

    def go(self, path: str) -> None:
        """Open a page of the shop."""
        self.tab.visit(self.shop.address + path)

    def stored(self, *, known: bool = True) -> Stored:
        """Return all that the shop has on the device, when the tags that may run have run.

        `known`: whether it is known yet what may run.
        """
        if known:
            self.tab.until(TAGS_RAN)
        local, session = self.tab.evaluate(STORAGE)
        for key in NUMBERS:
            for storage in (local, session):
                if key in storage:
                    storage[key] = "…"
        if MIRROR in local:
            local[MIRROR] = json.loads(local[MIRROR])
        return Stored([name for name, host in self.jar() if host == "127.0.0.1"], local, session)

    def jar(self) -> list[tuple[str, str]]:
        """Return each cookie's name and host. What has expired is none: see test_withdrawal."""
        now = time() + 1
        return sorted(
            (one.name, one.domain) for one in self.guest.cookies() if not 0 < one.expires <= now
        )

    def asked(self) -> list[str]:
        """Return what was asked of the shop since the last time, without FILES, sorted."""
        return sorted((self._asked() - Counter(dict.fromkeys(FILES, 1000))).elements())

    def asked_in_all(self) -> list[str]:
        """Return what was asked of the shop since the last time, sorted."""
        return sorted(self._asked().elements())

    def _asked(self) -> Counter[str]:
        return Counter(
            _DIGEST.sub(r"/\1.#.", one.replace(f" {self.shop.address}/", " /"))
            for one in self.guest.asked()
            if not one.partition("//")[2].partition("/")[0].endswith(self.shop.third_parties)
        )

    def shown(self) -> list[str]:
        """Return which of our sections can be seen: "banner", "choices"."""
        found: list[str] = self.tab.evaluate(SHOWN)
        return found

    def until_shown(self, *sections: str) -> None:
        """Wait until just these of our sections can be seen."""
        self.tab.until(f"String({SHOWN}) === {json.dumps(','.join(sections))}")

    def choices(self) -> dict[str, str]:
        """Return what the page's scripts are told."""
        found: dict[str, str] = self.tab.evaluate("({...gate.choices})")
        return found

    def allowed(self) -> list[str]:
        """Return what the page's scripts may use, of all that is optional."""
        found: list[str] = self.tab.evaluate(
            f"{json.dumps(OPTIONAL)}.filter((one) => gate.has(one))"
        )
        return found


SHOWN = """[...document.querySelectorAll("[data-gate]")]
  .filter((one) => one.getClientRects().length > 0 && one.checkVisibility())
  .map((one) => one.dataset.gate)"""


# Whether every tag of third parties that may run has run.
TAGS_RAN = """(window.gate ? gate.ready.then(() =>
  [...document.querySelectorAll("script[data-category]")].every((one) =>
    !gate.has(one.dataset.category) || one.dataset.ran !== undefined)) : true)"""


class Edit(NamedTuple):
    """Something else in a file of the shops, in place of each of so many matches."""

    file: str
    there: str
    instead: str
    times: int = 1


# The shop where no header of the gate's keeps out of a page what is let in while it is open.
LENIENT = Edit("shop.toml", r'\[csp\]\nmode = "enforce"', '[csp]\nmode = "off"')


@contextmanager
def open_shop(server: Server, scratch: Path, *edits: Edit) -> Iterator[Shop]:
    """Serve an example as it stands in the repository, or a copy in which something is edited."""
    shops = EXAMPLES
    if edits:
        shops = scratch / "shops"
        shutil.copytree(EXAMPLES, shops, ignore=shutil.ignore_patterns("__pycache__"))
    for edit in edits:
        file = shops / edit.file
        text, count = re.subn(edit.there, edit.instead, file.read_text("utf-8"))
        assert count == edit.times
        file.write_text(text, "utf-8")
    with third_parties(scratch) as others, pytest.MonkeyPatch.context() as patch:
        # A browser opens connections in case it should want them, and one worker waits on each.
        patch.setenv("GUNICORN_CMD_ARGS", "--threads 8")
        patch.setenv("SHOP_THIRD_PARTIES", others)
        with running(server, shops, scratch) as address:
            yield Shop(server, address, others)
