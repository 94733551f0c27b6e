"""Embeds: third parties' content in a page, or what stands in its place until a yes.

Rule 1. Without a yes the frame has no address, so no browser asks for it.
Rule 2. What an app asks for wrongly is its mistake, and said; nothing that could be code gets in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from typing import NamedTuple
from urllib.parse import urlsplit

from .addresses import base_of, query_of, this_page
from .compiled import Compiled
from .front import named, render, rendered
from .http import Request
from .proof import safe_next
from .views import EmbedView, Page, SignalView
from .visit import Visit


class Frame(NamedTuple):
    """Third parties' content, as an <iframe>. `more` are its other attributes, ready to be sent."""

    category: str
    src: str
    source: str  # the host that it comes from; "" where it is this one
    title: str
    more: str


def frame(category: str, src: str, title: str, attributes: Mapping[str, object]) -> Frame:
    """Return what an app asks for, checked. Raises ValueError where that is a mistake.

    In the names of attributes `_` stands for `-`, and one at the end counts for nothing: `class_`.
    """
    if not title.strip():
        raise ValueError("a frame needs a title, which screen readers say (WCAG 2.2, 4.1.2)")
    more = ""
    for name, value in attributes.items():
        name = name.rstrip("_").replace("_", "-").lower()
        if not _NAME.fullmatch(name) or name in _OURS or name.startswith("on"):
            raise ValueError(f"{name!r} is no attribute that a frame can be given here")
        if value is not None and value is not False:
            more += f" {name}" if value is True else f' {name}="{escape(str(value))}"'
    return Frame(category, src, _source(src), title, more)


_NAME = re.compile(r"[a-z][a-z0-9-]*")
# What is written here, and what would be content of its own.
_OURS = ("src", "srcdoc", "title", "hidden", "data-category", "data-src")
# RFC 3986 3.2.2, of what can be a name or address of a host, with a port.
_HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")


def _source(src: str) -> str:
    """Return the host of an address; "" for a path of this site."""
    if safe_next(src):
        return ""
    try:
        parts = urlsplit(src)
    except ValueError:
        parts = urlsplit("")
    # What a browser reads otherwise is not trusted: it removes line ends, and takes \\ for a slash.
    clean = src.isprintable() and not re.search(r"[\s\\]", src)
    if not clean or parts.scheme not in ("http", "https") or not _HOST.fullmatch(parts.netloc):
        raise ValueError(f"a frame needs an http(s) address or a path of this site, not {src!r}")
    return parts.netloc


def embed(visit: Visit, frame: Frame, language: str = "") -> str:
    """Return the frame if its category is allowed; else what stands in its place, and the frame
    without its address, which the script or the next page gives it.

    It counts as a read of the consent. Asked for too late to mark the answer as one visitor's own,
    it is the frame alone, and the script finds out by itself. Nothing at all is returned where the
    app has said that it does not use the category here, and where there are no pages to ask with.
    """
    late = visit.sealed and not visit.read
    site, src = visit.site, escape(frame.src)
    allowed = visit.allows(frame.category)
    held = f'data-category="{escape(frame.category)}" data-src="{src}"'
    title = f'title="{escape(frame.title)}"{frame.more}'
    if allowed:
        return f'<iframe {held} src="{src}" {title}></iframe>'
    if frame.category in visit.restricted or site.renderer is None:
        return ""
    hidden = f"<iframe {held} {title} hidden></iframe>"
    if late:
        return hidden
    view = _embed(visit, frame.category, frame.source, frame.title, this_page(visit.request))
    return rendered(visit, view, base_of(visit.request, site), language).html + "\n" + hidden


def place(site: Compiled, visit: Visit, request: Request) -> Page | None:
    """Return a document for the script: what stands in the place of a frame; None: of none."""
    asked = query_of(request)
    category, source = asked.get("category", ""), asked.get("source", "")
    if category not in site.optional:
        return None
    # It is shown: nothing that could be a sentence of somebody else's.
    source = source if _HOST.fullmatch(source) else ""
    next_path = safe_next(asked.get("next", "")) or ""
    view = _embed(visit, category, source, "", next_path)
    page = render(site, request, view, ".", asked.get("lang", ""))
    return Page(f"<!doctype html><title>-</title><body>{page.html}</body>", page.language)


def _embed(visit: Visit, id: str, source: str, title: str, next_path: str) -> EmbedView:
    site = visit.site
    against = visit.gpc and id in site.sold
    (category,) = named(site, frozenset({id}))
    return EmbedView(
        category=category,
        source=source,
        title=title,
        leave=tuple(sorted(site.optional - {id})),
        signal=SignalView(against=(category,)) if against else None,
        over_gpc=bool(against),
        # What the page's own policy keeps out cannot be loaded on it.
        once=id not in site.bound,
        next=next_path,
    )
