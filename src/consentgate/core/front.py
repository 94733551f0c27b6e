"""What a visitor is shown: which of the pages, with what on it, and in which language.

Rule 1. No box is ticked for anybody who has not ticked it.
Rule 2. Accept and reject are always both there, in the policy's order.
Rule 3. The banner is for those who are to be asked; the script beside it is the same for everybody.
Rule 4. In doubt nothing is shown: what a page of the site is missing is then the banner alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from html import escape
from typing import NamedTuple
from urllib.parse import parse_qs, quote, urlsplit

from .companion import says_more
from .compiled import Compiled
from .consent import Choice
from .http import Request
from .policy import Category
from .proof import safe_next
from .standing import HONOURED, Basis
from .views import (
    Around,
    BannerView,
    CategoryView,
    ChoicesView,
    Control,
    DeclarationView,
    EmbedView,
    NoticeView,
    OptOutView,
    Page,
    SignalView,
    View,
)
from .visit import SAFE_METHODS, Visit

_BUTTONS = ("accept", "reject")


# --- pieces of the site's own pages --------------------------------------------------------------


def banner(visit: Visit, language: str = "", *, inline: bool = False, nonce: str = "") -> str:
    """Return what belongs near the start of a page's body: the script, and the banner if due.

    It counts as a read of the consent. Asked for too late to mark the answer as one visitor's own,
    it is the script alone, which finds out by itself. `inline` puts script and style into the page
    itself, which a `nonce` or the hashes of `inline_sources` allow.
    """
    site = visit.site
    assets, renderer = site.assets(visit.request), site.renderer
    if assets is None or renderer is None:
        return ""
    asks = visit.needs_choice
    late = visit.sealed and not visit.read
    base = base_of(visit.request, site)
    mark = f' nonce="{escape(nonce)}"' if nonce else ""
    # That it is one visitor's own.
    told = "" if late else " data-rendered" + _told(visit)
    if inline:
        at = f' data-base="{escape(base)}"'
        html = f"<script{mark}{at}{told}>{assets.script.content.decode()}</script>\n"
        sheet = f"<style{mark} data-gate-style>{assets.style.content.decode()}</style>\n"
    else:
        html = (
            f'<script src="{escape(base)}/{assets.script.name}" '
            f'integrity="{assets.script.integrity}"{mark} defer{told}></script>\n'
        )
        sheet = (
            f'<link rel="stylesheet" href="{escape(base)}/{assets.style.name}" '
            f'integrity="{assets.style.integrity}"{mark} data-gate-style>\n'
        )
    if late:
        return html
    visit.astray = says_more(visit)
    if not asks:
        return sheet + html if inline else html
    view = _banner(site, this_page(visit.request))
    return sheet + html + _rendered(visit, view, base, language).html


def head(visit: Visit, *, nonce: str = "") -> str:
    """Return what belongs before every script of a page: the one that guards what others store.

    It counts as a read of the consent. Asked for too late for that it is the script alone, as it is
    on a page from a cache. "" where the policy has no use for it.
    """
    site = visit.site
    assets = site.assets(visit.request)
    if assets is None or not assets.first.content:
        return ""
    granted = visit.granted
    late = visit.sealed and not visit.read
    told = ""
    if not late:
        visit.astray = says_more(visit)
        allowed = " ".join(sorted(granted - site.always))
        told = f' data-allowed="{escape(allowed)}"{_told(visit)}'
    mark = f' nonce="{escape(nonce)}"' if nonce else ""
    return (
        f'<script src="{escape(base_of(visit.request, site))}/{assets.first.name}" '
        f'integrity="{assets.first.integrity}"{mark}{told}></script>\n'
    )


def _told(visit: Visit) -> str:
    """Return what the scripts must know of this answer, as attributes.

    What its Content-Security-Policy lets in, whether it may be asked for again where that alone
    lets more in, and what the app allows less of than the policy does.
    """
    told = ""
    site, request = visit.site, visit.request
    if site.bound:
        admits = site.bound
        if site.gates(request):
            admits &= visit.peek()
            if request.method in SAFE_METHODS:
                told += " data-anew"
        told += f' data-admits="{escape(" ".join(sorted(admits)))}"'
    if visit.strict:
        told += " data-strict"
    if visit.restricted:
        told += f' data-without="{escape(" ".join(sorted(visit.restricted)))}"'
    return told


def inline_sources(visit: Visit) -> tuple[str, str]:
    """Return the CSP source expressions of the script and the style (CSP 3, section 2.3.1)."""
    assets = visit.site.assets(visit.request)
    if assets is None:
        return "'none'", "'none'"
    return f"'{assets.script.integrity}'", f"'{assets.style.integrity}'"


def notice(visit: Visit, language: str = "") -> str:
    """Return a piece of HTML that says that a signal is honoured, where it is; else ""."""
    if not visit.gpc:
        return ""
    if visit.site.renderer is None:
        return f'<p role="status">{HONOURED}</p>'
    return _rendered(visit, NoticeView(), base_of(visit.request, visit.site), language).html


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
    return _rendered(visit, view, base_of(visit.request, site), language).html + "\n" + hidden


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
    (category,) = _named(site, frozenset({id}))
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


def _rendered(visit: Visit, view: View, base: str, language: str) -> Page:
    site, request = visit.site, visit.request
    if not language:
        visit.worded = True
    return render(site, request, view, base, language)


def render(site: Compiled, request: Request, view: View, base: str, language: str) -> Page:
    """Return a view as HTML, in the language named, or else the one that the browser asks for."""
    assets, renderer = site.assets(request), site.renderer
    assert assets is not None
    assert renderer is not None
    accepts = b",".join(request.values(b"accept-language")).decode("latin-1")
    around = Around(site.policy, base, language, accepts, assets.script, assets.style)
    return renderer.render(view, around)


# --- the gate's own pages ------------------------------------------------------------------------


def choices(
    site: Compiled, visit: Visit, next_path: str, home: str, *, inline: bool = False
) -> ChoicesView:
    """Return all choices. `next_path` is where a choice leads; without it, to this page."""
    return ChoicesView(
        standing=_standing(visit),
        signal=_signal(site, visit),
        buttons=tuple(one for one in _all_buttons(site) if one in _BUTTONS),
        categories=tuple(_category(category, visit) for category in site.categories),
        withdraws=visit.decided,
        opts_out=bool(site.sold) or site.lenient,
        over_gpc=bool(visit.gpc and site.sold),  # the notice of it stands above
        next=next_path,
        back=next_path or home,
        inline=inline,
    )


def opt_out(site: Compiled, visit: Visit, home: str) -> OptOutView:
    """Return the page on which to object to sale and sharing."""
    sold = site.sold or site.optional
    return OptOutView(
        signal=_signal(site, visit),
        about=_named(site, sold),
        done=all(visit.choice(id) is Choice.DENIED for id in sold),
        back=home,
    )


def declaration(site: Compiled, home: str) -> DeclarationView:
    """Return what the site stores, as the policy says it."""
    return DeclarationView(categories=site.categories, back=home)


def fragment(site: Compiled, visit: Visit, request: Request, state: object) -> Page:
    """Return a document for the script: the state, and the section to show, if any.

    All of it in one answer: a page that came from a cache needs no second one.
    """
    asked = query_of(request)
    next_path = safe_next(asked.get("next", "")) or ""
    view: View | None = None
    if asked.get("open"):
        view = choices(site, visit, next_path, next_path or "/", inline=True)
    elif visit.needs_choice:
        view = _banner(site, next_path)
    page = Page("", "")
    if view is not None:
        page = render(site, request, view, ".", asked.get("lang", ""))
    told = escape(json.dumps(state, ensure_ascii=False, separators=(",", ":")))
    return Page(
        f'<!doctype html><html data-state="{told}"><title>-</title><body>{page.html}</body>',
        page.language,
    )


def base_of(request: Request, site: Compiled) -> str:
    """Return the path of the gate's own pages as browsers ask for it, without a last slash."""
    # One slash: two would make a host of what follows, and a proxy's word is not the site's.
    root = request.root.strip("/")
    return ("/" + quote(root, safe="/~") if root else "") + site.policy.prefix


def this_page(request: Request) -> str:
    """Return the path and query of the page asked for, as `next`; "" where it was not a GET."""
    if request.method not in SAFE_METHODS:
        return ""
    query = quote(request.query, safe=_QUERY)
    return safe_next(quote(request.full_path(), safe="/~") + (f"?{query}" if query else "")) or ""


_QUERY = "!$&'()*+,-./:;=?@_~%"  # RFC 3986 3.4, and what is percent-encoded already


def query_of(request: Request) -> dict[str, str]:
    """Return the first value of each field of the query; {} where it cannot be read."""
    try:
        fields = parse_qs(request.query.decode("latin-1"), max_num_fields=200)
    except ValueError:  # more fields than a link of anybody's has
        return {}
    return {name: values[0] for name, values in fields.items()}


def kept(request: Request) -> str:
    """Return the query that keeps the language which the address names; "" if it names none."""
    language = query_of(request).get("lang", "")
    return f"?lang={quote(language[:_MAX_TAG], safe='')}" if language else ""


_MAX_TAG = 35  # RFC 5646 4.4.1: the longest that need be supported


def _banner(site: Compiled, next_path: str) -> BannerView:
    asked = _named(site, site.optional)
    return BannerView(buttons=_all_buttons(site), asked=asked, next=next_path)


def _all_buttons(site: Compiled) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*site.policy.banner.buttons, *_BUTTONS)))


def _standing(visit: Visit) -> str:
    """Return the key of what is said first, among the texts of that name."""
    if visit.standing.unasked:
        return "unasked"
    if not visit.decided:
        return "signalled" if visit.gpc else "undecided"
    return "news" if visit.needs_choice else "decided"


def _signal(site: Compiled, visit: Visit) -> SignalView | None:
    return SignalView(against=_named(site, site.sold)) if visit.gpc else None


def _named(site: Compiled, ids: frozenset[str]) -> tuple[Category, ...]:
    return tuple(one for one in site.categories if one.id in ids)


def _category(category: Category, visit: Visit) -> CategoryView:
    if category.always:
        return CategoryView(category=category, control=Control.NONE)
    if category.id in visit.standing.unasked:
        return CategoryView(
            category=category,
            control=Control.OBJECT,
            until_objection=visit.basis(category.id) is Basis.OPT_OUT,
        )
    return CategoryView(
        category=category,
        control=Control.ALLOW,
        ticked=visit.choice(category.id) is Choice.GRANTED,
    )
