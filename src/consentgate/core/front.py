"""What a visitor is shown: which of the pages, with what on it, and in which language.

Rule 1. No box is ticked for anybody who has not ticked it.
Rule 2. Accept and reject are always both there, in the policy's order.
Rule 3. The banner is for those who are to be asked; the script beside it is the same for everybody.
Rule 4. In doubt nothing is shown: what a page of the site is missing is then the banner alone.
"""

from __future__ import annotations

import json
from html import escape

from .addresses import base_of, query_of, this_page
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
    return sheet + html + rendered(visit, view, base, language).html


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
    return rendered(visit, NoticeView(), base_of(visit.request, visit.site), language).html


def rendered(visit: Visit, view: View, base: str, language: str) -> Page:
    """Return a view as a piece of the page asked for, in the language named or the browser's."""
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
        about=named(site, sold),
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


def _banner(site: Compiled, next_path: str) -> BannerView:
    asked = named(site, site.optional)
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
    return SignalView(against=named(site, site.sold)) if visit.gpc else None


def named(site: Compiled, ids: frozenset[str]) -> tuple[Category, ...]:
    """Return the categories of these ids, in the policy's order."""
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
