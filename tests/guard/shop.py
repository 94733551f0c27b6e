"""A small shop behind the gate, the guard on its pages, over https as in production.

/…           a page, behind the gate
/cached/…    the same from a cache: outside the gate, so that the guard alone is at work there
/cached/set  outside the gate as well: sets the cookie that its query holds
/set         the same behind the gate

A page's query says what is on it. `first`: "head" (the default behind the gate), "static" (in a
cache), "stale" (as it was made when more was allowed), or "no"; `before`: a script that runs before
all others; `more`: what is in the body.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

from browsers.site import HOST, write_certificate
from browsers.site import _werkzeug as listening
from consentgate import Category, Gate, Policy, Rule, head, wrap
from consentgate.presets import necessary_rules

KEY = b"a-signing-key-of-the-tests-0123456789-ABCDEF"


def _rules(category: str, *names: str) -> tuple[Rule, ...]:
    return tuple(Rule(name=name, category=category) for name in names)


POLICY = Policy(
    version="1",
    categories=(
        Category(
            id="necessary",
            always=True,
            rules=_rules("necessary", "sid", "cart*"),
            local_storage=("cart*",),
            session_storage=("purchase",),
            indexed_db=("shop",),
            cache_storage=("shop-*",),
        ),
        Category(
            id="analytics",
            rules=_rules("analytics", "_ga*", "_gid"),
            local_storage=("ajs_*",),
            session_storage=("ajs_*",),
            indexed_db=("ajs_*",),
            cache_storage=("ajs_*",),
        ),
        Category(id="marketing", rules=_rules("marketing", "_fbp"), local_storage=("ads_*",)),
    ),
    exclude=("/cached/*",),
)


class Shop:
    """The shop as it runs now."""

    def __init__(self) -> None:
        self.address = ""
        self.app: Any = None
        self.use()

    def use(self, *, place: str = "", **changes: Any) -> Gate:
        """Have another policy from now on, and visitors from a place."""
        gate = Gate(
            replace(POLICY, **changes),
            [KEY],
            known=necessary_rules(),
            locate=(lambda request: place) if place else None,
        )
        self.app = wrap(_app, gate)
        return gate

    def url(self, path: str, **query: str) -> str:
        return f"{self.address}{path}?{urlencode(query)}"


def _app(environ: Any, start_response: Any) -> list[bytes]:
    path = environ["PATH_INFO"]
    if path.endswith("/set"):
        line = environ["QUERY_STRING"].replace("%3B", ";").replace("%20", " ")
        start_response("200 OK", [("content-type", "text/plain"), ("set-cookie", line)])
        return [b""]
    if path.endswith(".js"):
        start_response("200 OK", [("content-type", "text/javascript")])
        return [WORKER.encode()]
    query = {key: values[0] for key, values in parse_qs(environ["QUERY_STRING"]).items()}
    usual = "static" if path.startswith("/cached/") else "head"
    first = {
        "head": lambda: str(head(environ)),
        "static": lambda: '<script src="/_gate/first.js"></script>',
        "stale": lambda: '<script src="/_gate/first.js" data-allowed="analytics"></script>',
        "no": lambda: "",
    }[query.get("first", usual)]()
    before = f"<script>{query['before']}</script>" if "before" in query else ""
    html = f"""<!doctype html><html lang="en"><head><title>{escape(path)}</title>
<link rel="icon" href="data:,">{before}{first}{query.get("g", "")}</head>
<body><h1>Shop</h1>{query.get("more", "")}</body></html>"""
    start_response("200 OK", [("content-type", "text/html; charset=utf-8")])
    return [html.encode()]


# Does in a worker what it is told to do, and says when that is done.
WORKER = """
self.addEventListener("message", async (event) => {
  const answer = event.source ?? self;
  try {
    await (0, eval)(event.data);
    answer.postMessage("done");
  } catch (error) {
    answer.postMessage(String(error));
  }
});
"""


@contextmanager
def serving(folder: Path) -> Iterator[Shop]:
    """Serve the shop on this machine."""
    shop = Shop()

    def app(environ: Any, start_response: Any) -> Any:
        return shop.app(environ, start_response)

    with listening(app, write_certificate(folder)) as port:
        shop.address = f"https://{HOST}:{port}"
        yield shop
