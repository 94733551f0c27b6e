"""What a visitor is shown: the banner, the choices, and the document that the script asks for."""

from __future__ import annotations

import json
from dataclasses import replace
from html import unescape
from typing import Any

import pytest

from consentgate.core import front
from consentgate.core.gate import Gate
from consentgate.core.http import Header, Response
from consentgate.core.policy import Banner, Csp
from consentgate.core.views import (
    BannerView,
    CategoryView,
    ChoicesView,
    Control,
    DeclarationView,
)
from core.samples import (
    KEY,
    NOW,
    POLICY,
    TODAY,
    Plain,
    all_lines,
    ask,
    cookie_of,
    forward,
    header,
    make_gate,
    reply,
    told_of,
    visit_of,
)

GATE = make_gate()
NECESSARY, ANALYTICS, MARKETING = POLICY.categories
BUTTONS = ("accept", "reject", "settings")
HTML: Header = (b"content-type", b"text/html")
GPC: Header = (b"sec-gpc", b"1")


def assets() -> Any:
    found = GATE.site.assets(ask())
    assert found is not None
    return found


def script(base: str = "/_gate", told: str = " data-rendered", nonce: str = "") -> str:
    asset = assets().script
    return (
        f'<script src="{base}/{asset.name}" integrity="{asset.integrity}"{nonce} defer{told}>'
        "</script>\n"
    )


def style(base: str = "/_gate", nonce: str = "") -> str:
    asset = assets().style
    return (
        f'<link rel="stylesheet" href="{base}/{asset.name}" integrity="{asset.integrity}"{nonce} '
        "data-gate-style>\n"
    )


def section(next: str = "/", base: str = "/_gate") -> str:
    view = BannerView(buttons=BUTTONS, asked=(ANALYTICS, MARKETING), next=next)
    return f"<!-- {view} at {base} -->"


def banner(
    *, cookie: bytes | None = None, gate: Gate = GATE, language: str = "", **how: Any
) -> str:
    return front.banner(visit_of(gate, ask(cookie=cookie, **how)), language)


# --- the banner ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cookie", "asks"),
    [
        (None, True),
        (b"__Host-gate=x", True),
        (cookie_of(at=TODAY), False),
        (cookie_of("analytics"), False),
        (cookie_of("analytics", denied=()), True),
    ],
)
def test_who_is_to_be_asked_gets_the_banner_and_all_get_the_script(
    cookie: bytes | None, asks: bool
) -> None:
    """The script is one and the same file; the style comes with the banner only."""
    assert banner(cookie=cookie) == (style() + script() + section() if asks else script())


def test_nobody_is_asked_who_has_said_no_by_their_browser() -> None:
    """The signal is the answer."""
    assert banner(headers=[GPC]) == script()


@pytest.mark.parametrize(
    ("how", "next", "base"),
    [
        ({"path": "/cart", "query": b"a=1&b=%2F"}, "/cart?a=1&b=%2F", "/_gate"),
        ({"path": "/shop/cart", "root": "/shop"}, "/shop/cart", "/shop/_gate"),
        ({"path": "/x", "method": "POST"}, "", "/_gate"),
    ],
)
def test_the_choice_leads_back_to_the_page_that_asked(
    how: dict[str, Any], next: str, base: str
) -> None:
    """As the browser asked for it; never elsewhere, and not to what a form was sent to."""
    assert banner(**how) == style(base) + script(base) + section(next, base)


def test_the_buttons_come_in_the_policys_order() -> None:
    """Accept and reject are always there; the way to all choices where the policy has it."""
    gate = make_gate(banner=Banner(buttons=("reject", "accept")))
    assert "buttons=('reject', 'accept')" in banner(gate=gate)
    gate = make_gate(banner=Banner(buttons=("settings", "reject")))
    assert "buttons=('settings', 'reject', 'accept')" in banner(gate=gate)


def test_asking_for_the_banner_counts_as_reading_consent() -> None:
    """So caches keep the page to its visitor, whether there was something to ask or not."""
    for cookie, fields in ((None, b"Cookie, Sec-GPC"), (cookie_of("analytics"), b"Cookie")):
        step = forward(GATE, ask(cookie=cookie))
        front.banner(step.visit, "de")
        assert step.finish([HTML], NOW).headers == [
            HTML,
            (b"vary", fields),
            (b"cache-control", b"private"),
        ]


def test_a_banner_in_the_browsers_language_depends_on_it() -> None:
    """Not where the page named its language, nor where no banner is shown."""

    def vary(cookie: bytes | None, language: str) -> bytes | None:
        step = forward(GATE, ask(cookie=cookie))
        front.banner(step.visit, language)
        return dict(step.finish([HTML], NOW).headers).get(b"vary")

    assert vary(None, "") == b"Cookie, Accept-Language, Sec-GPC"
    assert vary(None, "de") == b"Cookie, Sec-GPC"
    assert vary(cookie_of("analytics"), "") == b"Cookie"


def test_a_banner_that_is_asked_for_too_late_is_left_to_the_script() -> None:
    """The headers have left, and a cache could hand this page to somebody else."""
    step = forward(GATE, ask())
    step.finish([HTML], NOW)
    assert front.banner(step.visit) == script(told="")


def test_a_page_may_have_it_all_inline() -> None:
    """With a nonce, or by the hashes; nothing is fetched, and the script is told its base."""
    visit = visit_of(GATE, ask())
    js, css = (asset.content.decode() for asset in assets()[:2])
    assert front.banner(visit, inline=True) == (
        f"<style data-gate-style>{css}</style>\n"
        f'<script data-base="/_gate" data-rendered>{js}</script>\n' + section()
    )
    assert front.banner(visit, inline=True, nonce='a"b') == (
        f'<style nonce="a&quot;b" data-gate-style>{css}</style>\n'
        f'<script nonce="a&quot;b" data-base="/_gate" data-rendered>{js}</script>\n' + section()
    )
    nonce = ' nonce="n"'
    assert front.banner(visit, nonce="n") == style(nonce=nonce) + script(nonce=nonce) + section()
    assert front.inline_sources(visit) == tuple(f"'{asset.integrity}'" for asset in assets()[:2])


def test_what_the_app_allows_less_of_is_told_to_the_script() -> None:
    """What holds for this one answer; nothing of it is recorded, and the script cannot know it."""
    visit = visit_of(GATE, ask())
    visit.require_opt_in()
    assert "data-rendered data-strict></script>" in front.banner(visit)
    visit = visit_of(GATE, ask(cookie=cookie_of("analytics", "marketing")))
    visit.restrict("marketing", "analytics")
    assert 'data-rendered data-without="analytics marketing"></script>' in front.banner(visit)


ENFORCED: dict[str, Any] = {
    "csp": Csp(mode="enforce"),
    "categories": (
        replace(POLICY.categories[0], sources=("https://cdn.example",)),
        replace(POLICY.categories[1], sources=("https://cdn.example",)),
        replace(POLICY.categories[2], sources=("https://ads.example",)),
    ),
}


@pytest.mark.parametrize(
    ("method", "path", "granted", "told"),
    [
        ("GET", "/", (), ' data-anew data-admits=""'),
        ("HEAD", "/", ("marketing",), ' data-anew data-admits="marketing"'),
        ("POST", "/", ("analytics",), ' data-admits=""'),
        ("POST", "/", ("marketing",), ' data-admits="marketing"'),
        ("GET", "/free/of/it", (), ' data-admits="marketing"'),
    ],
)
def test_what_the_page_itself_lets_in_is_told_to_the_scripts(
    method: str, path: str, granted: tuple[str, ...], told: str
) -> None:
    """Of what a policy can keep out; and whether it may be asked for again."""
    gate = make_gate(exclude=("/free/*",), **ENFORCED)
    visit = visit_of(gate, ask(method, path, cookie=cookie_of(*granted, gate=gate)))
    assert f" data-rendered{told}></script>" in front.banner(visit)
    assert f'"{told}></script>' in front.head(visit)


@pytest.mark.parametrize(
    "changes", [{"mode": "report"}, {"csp": Csp(mode="report")}, {"csp": Csp(mode="off")}]
)
def test_where_nothing_is_enforced_nothing_is_said_of_it(changes: Any) -> None:
    """Nor where no optional category has a source that others have not."""
    same = {**ENFORCED, "categories": (*ENFORCED["categories"][:2], POLICY.categories[2])}
    for gate in (make_gate(**{**ENFORCED, **changes}), make_gate(**same)):
        assert " data-rendered></script>" in front.banner(visit_of(gate, ask()))


def test_without_a_renderer_there_is_no_banner() -> None:
    """A gate made by hand leaves the page as it is."""
    visit = visit_of(Gate(POLICY, [KEY]), ask())
    assert (front.banner(visit), front.inline_sources(visit)) == ("", ("'none'", "'none'"))


@pytest.mark.parametrize("choice", [b"", b"; __Host-gate=x", b"; " + cookie_of()])
def test_a_companion_that_says_more_than_the_choice_is_removed(choice: bytes) -> None:
    """A page that reads consent anyway sees to it; the script then asks the gate."""
    stamp = GATE.site.stamps["analytics"][0]
    cookie = b"__Host-gate-choice=20000.0000&analytics=%04x" % stamp + choice
    step = forward(GATE, ask(cookie=cookie))
    assert told_of(step.finish([HTML], NOW)) == []
    step = forward(GATE, ask(cookie=cookie))
    front.banner(step.visit)
    (line,) = all_lines(step.finish([HTML], NOW))
    assert line.startswith(b"__Host-gate-choice=; Max-Age=0;")


# --- the script that runs first ------------------------------------------------------------------


def first(told: str, base: str = "/_gate", nonce: str = "") -> str:
    asset = assets().first
    return (
        f'<script src="{base}/{asset.name}" integrity="{asset.integrity}"{nonce}{told}></script>\n'
    )


def test_the_script_that_runs_first_is_told_what_is_allowed() -> None:
    """It blocks, so that nothing runs before it; what needs no consent goes without saying."""
    assert front.head(visit_of(GATE, ask())) == first(' data-allowed=""')
    cookie = cookie_of("analytics", "marketing")
    visit = visit_of(GATE, ask(path="/shop/x", root="/shop", cookie=cookie))
    assert front.head(visit, nonce='a"b') == first(
        ' data-allowed="analytics marketing"', "/shop/_gate", ' nonce="a&quot;b"'
    )
    visit.restrict("marketing")
    visit.require_opt_in()
    told = ' data-allowed="analytics" data-strict data-without="marketing"'
    assert front.head(visit) == first(told, "/shop/_gate")


def test_asking_for_it_counts_as_reading_consent() -> None:
    """And where it is asked for too late, the companion decides."""
    step = forward(GATE, ask(cookie=cookie_of("analytics")))
    front.head(step.visit)
    assert step.finish([HTML], NOW).headers == [
        HTML,
        (b"vary", b"Cookie"),
        (b"cache-control", b"private"),
    ]
    step = forward(GATE, ask(cookie=cookie_of("analytics")))
    step.finish([HTML], NOW)
    assert front.head(step.visit) == first("")


def test_a_page_without_use_for_it_has_none() -> None:
    """Neither a guard nor a consent mode, or no pages at all."""

    class Without(Plain):
        first = ""

    gate = Gate(POLICY, [KEY], renderer=Without())
    assert front.head(visit_of(gate, ask())) == ""
    assert front.head(visit_of(Gate(POLICY, [KEY]), ask())) == ""


# --- all choices ---------------------------------------------------------------------------------


def choices(cookie: bytes | None = None, next: str = "") -> ChoicesView:
    return front.choices(GATE.site, visit_of(GATE, ask(cookie=cookie)), next, "/home")


def view(standing: str, *ticked: str, withdraws: bool = False, **how: Any) -> ChoicesView:
    fields = {
        "standing": standing,
        "signal": None,
        "buttons": ("accept", "reject"),
        "categories": (
            CategoryView(category=NECESSARY, control=Control.NONE),
            CategoryView(category=ANALYTICS, control=Control.ALLOW, ticked=ANALYTICS.id in ticked),
            CategoryView(category=MARKETING, control=Control.ALLOW, ticked=MARKETING.id in ticked),
        ),
        "withdraws": withdraws,
        "opts_out": False,
        "over_gpc": False,
        "next": "",
        "back": "/home",
    }
    return ChoicesView(**{**fields, **how})


@pytest.mark.parametrize(
    ("cookie", "shown"),
    [
        (None, view("undecided")),
        (b"__Host-gate=x", view("undecided")),
        (cookie_of(at=TODAY), view("decided", withdraws=True)),
        (cookie_of(at=0), view("news", withdraws=True)),
        (cookie_of("analytics"), view("decided", "analytics", withdraws=True)),
        (cookie_of("analytics", denied=()), view("news", "analytics", withdraws=True)),
        (
            cookie_of("analytics", "marketing"),
            view("decided", "analytics", "marketing", withdraws=True),
        ),
    ],
)
def test_the_boxes_show_what_the_visitor_chose_and_no_more(
    cookie: bytes | None, shown: ChoicesView
) -> None:
    """No box is ticked for anybody who has not ticked it."""
    assert choices(cookie) == shown


def test_choices_lead_to_where_the_visitor_came_from() -> None:
    """With a `next` both a choice and "back"; without one "back" leads home."""
    assert choices(next="/cart") == view("undecided", next="/cart", back="/cart")


def test_the_declaration_shows_all_categories() -> None:
    """Those of the policy, and the implied one; the same for everybody."""
    assert front.declaration(GATE.site, "/") == DeclarationView(
        categories=(NECESSARY, ANALYTICS, MARKETING), back="/"
    )
    (implied, only) = front.declaration(make_gate(categories=(MARKETING,)).site, "/").categories
    assert (implied.id, implied.always, only) == ("necessary", True, MARKETING)


# --- what the script asks for -------------------------------------------------------------------


def document(query: bytes = b"", cookie: bytes | None = None, *headers: Header) -> Response:
    request = ask(path="/_gate/banner", query=query, cookie=cookie, headers=headers)
    return reply(GATE, request).response


def parts(response: Response) -> tuple[Any, str]:
    """The state that a document tells, and what is in its body."""
    head, _, body = response.body.decode().partition("<title>-</title><body>")
    told = head.removeprefix('<!doctype html><html data-state="').removesuffix('">')
    return json.loads(unescape(told)), body.removesuffix("</body>")


def test_the_script_gets_the_state_and_the_banner_in_one_answer() -> None:
    """The state is that of /state, without what is only for banners of a site's own making.

    The addresses are relative: only the script knows where the gate is.
    """
    response = document(b"lang=de&next=/cart")
    state, body = parts(response)
    whole = json.loads(reply(GATE, ask(path="/_gate/state")).response.body)
    assert whole.pop("details")
    assert state == whole
    assert body == section("/cart", ".")
    assert header(response, b"content-language") == b"de"
    assert header(response, b"cache-control") == b"no-store"


def test_who_need_not_be_asked_gets_the_state_alone() -> None:
    """A choice was made, or the browser says no."""
    for response in (document(b"", cookie_of("analytics")), document(b"", None, GPC)):
        state, body = parts(response)
        assert (state["needs_choice"], body) == (False, "")
        assert header(response, b"content-language") is None


def test_the_script_gets_all_choices_where_it_asks_for_them() -> None:
    """As a part of the page, whatever there is to ask."""
    state, body = parts(document(b"open=1&next=/cart", cookie_of("analytics")))
    expected = view("decided", "analytics", withdraws=True, next="/cart", back="/cart", inline=True)
    assert (state["decided"], body) == (True, f"<!-- {expected} at . -->")


@pytest.mark.parametrize("next", [b"//evil.example", b"https://evil.example", b"%ff%00", b""])
def test_a_page_of_somebody_else_is_no_way_back(next: bytes) -> None:
    """The banner then leads nowhere but home."""
    assert parts(document(b"next=" + next))[1].startswith(section("", ".")[:40])
    assert "next=''" in parts(document(b"next=" + next))[1]


def test_what_the_state_says_cannot_end_its_attribute() -> None:
    """Texts of the policy are text there, too."""
    evil = "\"><script>alert(1)</script>&'"
    gate = make_gate(categories=(replace(MARKETING, title=evil),), version=evil)
    response = reply(gate, ask(path="/_gate/banner", cookie=cookie_of("marketing"))).response
    assert b"<script" not in response.body.partition(b"<title>")[0]
    assert parts(response)[0]["version"] == evil
