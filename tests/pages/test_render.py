"""The pages as they leave: HTML forms, nothing inline, everything escaped, in every language."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from consentgate.core import front
from consentgate.core.gate import Gate
from consentgate.core.http import Header
from consentgate.core.policy import (
    STORAGE,
    Category,
    Change,
    Controller,
    Exemption,
    Pages,
    Profile,
    Regions,
    Rule,
)
from consentgate.pages.render import JinjaRenderer
from consentgate.pages.texts import built_in_languages
from core.samples import KEY, POLICY, ask, cookie_of, reply, visit_of
from pages.html import Parsed

NECESSARY, ANALYTICS, MARKETING = POLICY.categories
SOLD = replace(MARKETING, sale_or_sharing=True)
REGIONS = Regions(
    country="X-Country",
    profiles=(
        Profile(places=("US-CA",), regime="opt-out"),
        Profile(places=("FR",), exemptions=("audience-measurement",)),
    ),
)
CALIFORNIA: Header = (b"x-country", b"US-CA")
FRANCE: Header = (b"x-country", b"FR")
GPC: Header = (b"sec-gpc", b"1")


def make_gate(**changes: Any) -> Gate:
    policy = replace(POLICY, **changes)
    return Gate(policy, [KEY], renderer=JinjaRenderer(policy))


GATE = make_gate()
WORLD = make_gate(
    categories=(
        NECESSARY,
        replace(
            ANALYTICS,
            exemption=Exemption(kind="audience-measurement", objection="/privacy?a=1&b#stop"),
        ),
        SOLD,
    ),
    regions=REGIONS,
)


def page(
    path: str = "/",
    *headers: Header,
    gate: Gate = GATE,
    query: bytes = b"",
    cookie: bytes | None = None,
) -> str:
    """The HTML at an address of the gate."""
    request = ask(path="/_gate" + path, query=query, headers=headers, cookie=cookie)
    response = reply(gate, request).response
    assert response.status == 200
    return response.body.decode()


def banner(gate: Gate = GATE, language: str = "en") -> str:
    """The banner's section alone."""
    html = front.banner(visit_of(gate, ask(path="/cart")), language)
    return html[html.index("<section") :]


def everything(gate: Gate, query: bytes = b"") -> dict[str, str]:
    """Every page and piece that there is."""
    visit = visit_of(gate, ask(headers=[GPC]))
    return {
        "preferences": page("/", gate=gate, query=query),
        "opt-out": page("/opt-out", gate=gate, query=query),
        "declaration": page("/declaration", gate=gate, query=query),
        "choices": page("/banner", gate=gate, query=query + b"&open=1"),
        "banner": banner(gate, query.decode().removeprefix("lang=")),
        "notice": front.notice(visit),
    }


def inputs(html: str) -> list[tuple[str | None, str | None, bool]]:
    """The type-less essentials of every field: name, value, ticked."""
    return [
        (one["name"], one["value"], "checked" in one)
        for one in Parsed(html).all("input")
        if one["type"] in ("checkbox", "hidden")
    ]


# --- equal weight --------------------------------------------------------------------------------


@pytest.mark.parametrize("html", [banner, page], ids=["banner", "preferences"])
def test_accept_and_reject_differ_in_nothing_but_what_they_say(html: Callable[[], str]) -> None:
    """They stand side by side in one form, with the same attributes."""
    found = re.findall(r"<button[^>]*>[^<]*</button>", html())[:2]
    assert found == [
        '<button class="gate-button" name="action" value="accept">Accept all</button>',
        '<button class="gate-button" name="action" value="reject">Reject all</button>',
    ]


def test_no_style_tells_accept_from_reject() -> None:
    """No rule picks a button by its value or its place."""
    style = JinjaRenderer(POLICY).style
    picked = r"(?:button|choices)[^{},]*(?:nth-|first-|last-|only-|[+~])"
    assert not re.search(r"accept|reject|\[value|\[name=|" + picked, style)


def test_the_banner_is_a_region_and_no_dialog() -> None:
    """A heading, a text, and three buttons of one form, which leads back to the page."""
    parsed = Parsed(banner())
    (section,) = parsed.all("section")
    assert section == {
        "class": "gate",
        "data-gate": "banner",
        "lang": "en",
        "dir": "ltr",
        "aria-label": "Privacy",
    }
    assert [(form["method"], form["action"]) for form in parsed.all("form")] == [
        ("post", "/_gate/choice")
    ]
    assert parsed.all("button") == [
        {"class": "gate-button", "name": "action", "value": "accept"},
        {"class": "gate-button", "name": "action", "value": "reject"},
        {"class": "gate-button", "formmethod": "get", "formaction": "/_gate/"},
    ]
    assert inputs(banner()) == [("next", "/cart", False), ("lang", "en", False)]
    assert parsed.words() == (
        "Your privacy We keep what the site needs to work. With your permission we also use what "
        "is optional. You can change your mind at any time. Analytics · Marketing · "
        "What this site stores Accept all Reject all Choose"
    )
    assert parsed.open == []


def test_the_banner_says_who_asks_and_for_what() -> None:
    """A yes to something unnamed would not be informed; the rest is one link away."""
    html = banner(make_gate(controller=Controller(name="Shop & Co")))
    assert "Shop & Co · Analytics · Marketing · What this site stores" in Parsed(html).words()
    assert '<a href="/_gate/declaration?lang=en">' in html


def test_enter_among_the_boxes_never_means_accept() -> None:
    """Enter presses the first button of its form: among the boxes that is "save"."""
    for path in ("/", "/banner"):
        forms = page(path, query=b"open=1", cookie=cookie_of("analytics")).split("<form ")[1:]
        assert len(forms) == 2
        assert "checkbox" not in forms[0]
        values = re.findall(r'<button[^>]* name="action" value="(\w+)"', forms[1])
        assert values == ["save", "withdraw"]


def test_only_who_has_chosen_can_take_it_back() -> None:
    """Nobody else has anything to take back."""
    assert "Withdraw my choice" in page(cookie=cookie_of("analytics"))
    assert "Withdraw my choice" not in page()


def test_the_order_of_the_buttons_is_the_policys() -> None:
    """In the banner and on the page."""
    gate = make_gate(banner=replace(POLICY.banner, buttons=("settings", "reject", "accept")))
    values = re.findall(r'(?:value|formaction)="(accept|reject|/_gate/)"', banner(gate))
    assert values == ["/_gate/", "reject", "accept"]
    assert re.findall(r'value="(accept|reject)"', page(gate=gate)) == ["reject", "accept"]


# --- plain HTML ---------------------------------------------------------------------------------


def test_the_pages_load_their_own_style_and_script_and_nothing_else() -> None:
    """By their digests; there is no inline style, script or handler on any of them."""
    assets = GATE.site.assets(ask())
    assert assets is not None
    for name, html in everything(GATE).items():
        parsed = Parsed(html)
        if name in ("preferences", "opt-out", "declaration"):
            (link,), (script,) = parsed.all("link"), parsed.all("script")
            assert (link["href"], link["integrity"]) == assets.style[:2]
            assert (script["src"], script["integrity"]) == assets.script[:2]
            assert {"defer", "data-quiet"} <= script.keys()
        else:
            assert parsed.all("link") == parsed.all("script") == []
        tags = {tag for tag, _ in parsed.elements}
        assert not tags & {"style", "img", "iframe", "object", "base"}
        assert not any(
            key.startswith("on") or key == "style"
            for _, attributes in parsed.elements
            for key in attributes
        )


def test_every_own_page_is_a_document_with_one_heading_and_its_language() -> None:
    """Nothing is left open, and nothing that names it is missing."""
    for name in ("preferences", "opt-out", "declaration"):
        parsed = Parsed(everything(GATE)[name])
        assert parsed.elements[0] == ("html", {"lang": "en", "dir": "ltr"})
        assert [len(parsed.all(tag)) for tag in ("title", "main", "h1")] == [1, 1, 1]
        assert {"name": "robots", "content": "noindex"} in parsed.all("meta")
        assert parsed.open == []


def test_the_choices_on_another_page_are_a_region_with_a_way_out() -> None:
    """A heading below the page's own, the same two forms, and a button that only closes."""
    parsed = Parsed(page("/banner", query=b"open=1&next=/cart"))
    (section,) = parsed.all("section")
    assert (section["data-gate"], section["aria-label"]) == ("choices", "Privacy choices")
    assert [form["action"] for form in parsed.all("form")] == ["./choice", "./choice"]
    assert [one for one in parsed.all("button") if "data-gate-close" in one] == [
        {"type": "button", "class": "gate-button", "data-gate-close": None}
    ]
    assert (parsed.all("h1"), len(parsed.all("h2"))) == ([], 1)


def test_no_name_in_the_pages_is_one_that_filter_lists_look_for() -> None:
    """Neither ids nor classes nor addresses say "cookie" or "consent"."""
    for html in everything(WORLD).values():
        for _, attributes in Parsed(html).elements:
            for key in ("id", "class", "href", "src", "action", "name", "data-gate"):
                assert not re.search("cookie|consent", attributes.get(key) or "")


def test_every_box_has_a_label_and_what_is_always_on_has_no_box() -> None:
    """One can click the words; what cannot be refused says so."""
    html = page()
    boxes = re.findall(r'<label[^>]*><input type="checkbox" name="grant" value="(\w+)">', html)
    assert boxes == ["analytics", "marketing"]
    assert "Always on: the site does not work without these." in html
    assert "Allow: Marketing" in html


def test_what_is_stored_is_told() -> None:
    """Name, kind, provider, purpose and duration, of cookies and of what scripts store."""
    for path in ("/", "/declaration"):
        words = Parsed(page(path)).words()
        assert "_ga* cookie Google Tells visitors apart 13 months" in words
        assert "ajs_* storage of the browser" in words
        assert "draft storage of the tab" in words
        assert "Version 2026-11" in words or "Policy version 2026-11" in words


def test_databases_and_caches_are_told_of_as_well() -> None:
    """What lasts in the browser, whatever a script calls it."""
    chat = Category(id="chat", indexed_db=("chat_history",), cache_storage=("chat_files",))
    gate = make_gate(categories=(chat,))
    for path in ("/", "/declaration"):
        words = Parsed(page(path, gate=gate)).words()
        assert "chat_history storage of the browser" in words
        assert "chat_files storage of the browser" in words


def test_what_is_told_of_a_key_is_shown_as_a_cookies_is() -> None:
    """Provider, purpose, duration and who else reads it; what a tab stores ends with the visit."""
    seen = Rule(
        name="seen",
        category="x",
        provider="Meta",
        purpose="Recommends",
        duration="until you clear it",
        recipients=("A", "B"),
    )
    pages = Rule(name="pages", category="x", purpose="Counts")
    for kind in STORAGE:
        where = "tab" if kind == "session_storage" else "browser"
        category = Category(id="x", **{kind: (seen, pages, "bare")})
        gate = make_gate(categories=(category,), controller=Controller(name="Shop"))
        for path in ("/", "/declaration"):
            words = Parsed(page(path, gate=gate)).words()
            ends = " until the browser is closed" if kind == "session_storage" else ""
            assert (
                f"seen storage of the {where} Meta third party Recommends until you clear it A, B"
                in words
            )
            assert f"pages storage of the {where} this site Counts{ends}" in words
            assert f"bare storage of the {where} this site{ends}" in words


def test_a_cookie_of_the_site_itself_is_not_a_third_partys() -> None:
    """Where no provider is named, or it is the controller (CJEU C-673/17 asks for third ones)."""
    rules = (
        Rule(name="a", category="x"),
        Rule(name="b", category="x", provider="Shop"),
        Rule(name="c", category="x", provider="Meta", recipients=("A", "B")),
    )
    gate = make_gate(
        controller=Controller(name="Shop"), categories=(Category(id="x", title="X", rules=rules),)
    )
    words = Parsed(page("/declaration", gate=gate)).words()
    assert "a cookie this site b cookie Shop c cookie Meta third party A, B" in words


def test_the_declaration_tells_the_version_its_day_and_what_changed() -> None:
    """And, of a category that stores nothing, that it does not."""
    gate = make_gate(
        categories=(*POLICY.categories, Category(id="maps", title="Maps")),
        changes=(
            Change(version="2026-11", date="2026-11-02", text="Marketing is new."),
            Change(version="2026-02", date="2026-02-01", text="The first one."),
        ),
    )
    words = Parsed(page("/declaration", gate=gate)).words()
    assert "Version 2026-11 · 2026-11-02" in words
    assert "Maps Nothing is stored in this category." in words
    assert (
        "What changed 2026-11 · 2026-11-02 Marketing is new. 2026-02 · 2026-02-01 The first one."
    ) in words


def test_where_to_go_next_is_kept_in_both_forms() -> None:
    """With a `next` both forms lead there and so does "back"; without one "back" leads home."""
    html = page(query=b"next=/cart?a=1%26b=2")
    assert [one for one in inputs(html) if one[0] == "next"] == [
        ("next", "/cart?a=1&b=2", False)
    ] * 2
    assert '<a href="/cart?a=1&amp;b=2">Back to the site</a>' in html
    assert [one for one in inputs(page()) if one[0] == "next"] == []
    assert '<a href="/">Back to the site</a>' in page()


def test_the_pages_say_who_decides() -> None:
    """GDPR article 13(1)(a)."""
    controller = Controller(
        name="Shop & Co", address="1 Road", contact="mail@shop.example", url="https://shop.example"
    )
    for path in ("/", "/opt-out", "/declaration"):
        words = Parsed(page(path, gate=make_gate(controller=controller))).words()
        assert "Shop & Co 1 Road mail@shop.example https://shop.example" in words


# --- signals and objections ---------------------------------------------------------------------


def test_who_signals_is_shown_the_conflict_before_they_can_say_yes_to_it() -> None:
    """The notice stands above the forms, and only then do they say that it was shown."""
    html = page("/", GPC, CALIFORNIA, gate=WORLD)
    assert html.index("goes against this signal") < html.index("<form")
    assert "Opt-Out Request Honored" in html
    assert "It says no to: Marketing." in html
    assert inputs(html).count(("over_gpc", "1", False)) == 2
    assert "over_gpc" not in page("/", CALIFORNIA, gate=WORLD)
    assert "over_gpc" not in page("/", GPC)


def test_a_signal_is_displayed_on_any_page_of_the_site() -> None:
    """11 CCR 7025(c)(6); in the visitor's language."""
    visit = visit_of(WORLD, ask(headers=[GPC, CALIFORNIA]))
    assert front.notice(visit, "en").strip() == (
        '<p class="gate-notice" role="status" lang="en" dir="ltr">Opt-Out Request Honored</p>'
    )
    assert 'lang="ar" dir="rtl"' in front.notice(visit, "ar")


def test_what_is_used_without_a_yes_has_a_box_to_object_with() -> None:
    """Never one ticked in advance; and a way to learn more."""
    assert inputs(page("/", CALIFORNIA, gate=WORLD)) == [
        ("leave", "analytics", False),
        ("object", "analytics", False),
        ("leave", "marketing", False),
        ("object", "marketing", False),
    ]
    html = page("/", FRANCE, gate=WORLD)
    assert inputs(html) == [
        ("leave", "analytics", False),
        ("object", "analytics", False),
        ("grant", "marketing", False),
    ]
    assert "This needs no consent here." in html
    assert '<a href="/privacy?a=1&amp;b#stop">More on how to object</a>' in html
    assert "This is used until you object." in page("/", CALIFORNIA, gate=WORLD)


def test_opting_out_is_one_link_and_one_button() -> None:
    """Two steps at most: the page has one form with nothing to fill in."""
    html = page("/opt-out", CALIFORNIA, gate=WORLD)
    parsed = Parsed(html)
    assert [one["action"] for one in parsed.all("form")] == ["opt-out"]
    assert parsed.all("input") == []
    assert len(parsed.all("button")) == 1
    assert "or uses for advertising: Marketing." in parsed.words()
    link = '<a href="opt-out">Do not sell or share my personal information</a>'
    assert link in page("/", CALIFORNIA, gate=WORLD)
    assert link not in page()


def test_who_has_opted_out_is_told_so() -> None:
    """And there is nothing left to press."""
    cookie = b"__Host-gate=" + WORLD.site.tokens.write(visit_after_opt_out())
    html = page("/opt-out", CALIFORNIA, gate=WORLD, cookie=cookie)
    assert "You have opted out. This is not used for you: Marketing." in html
    assert "<form" not in html


def visit_after_opt_out() -> Any:
    visit = visit_of(WORLD, ask("POST", headers=[CALIFORNIA]))
    visit.opt_out()
    return visit.said


# --- bytes of others ----------------------------------------------------------------------------


def test_everything_from_the_policy_and_from_the_address_is_escaped() -> None:
    """The policy file holds text, never HTML; nor do `next`, `lang` or Accept-Language."""
    said = "\"><script>alert(1)</script>&'"
    evil = said + "{{ 7*7 }}"
    rule = Rule(
        name=evil, category="x", provider=evil, purpose=evil, duration=evil, recipients=(evil,)
    )
    gate = make_gate(
        version=evil,
        categories=(
            Category(
                id=evil,
                title=evil,
                description=evil,
                rules=(rule,),
                local_storage=(evil,),
                session_storage=(evil,),
                indexed_db=(evil,),
                sale_or_sharing=True,
            ),
        ),
        controller=Controller(name=evil, address=evil, contact=evil, url=evil),
        changes=(Change(version=evil, date=evil, text=evil),),
        texts={"en": {"banner": {"title": said, "label": said}, "cookies": {evil: evil}}},
    )
    query = b"next=/%22%3E%3Cscript%3E&lang=%22%3E%3Cscript%3E"
    pages = [page(path, GPC, gate=gate, query=query) for path in ("/", "/opt-out", "/declaration")]
    pages += [page("/banner", gate=gate, query=query), banner(gate, '"><script>')]
    pages += [page("/banner", gate=gate, query=query + b"&open=1")]
    pages += [page("/embed", GPC, gate=gate, query=query + b"&category=" + quote(evil).encode())]
    for html in pages:
        assert "<script>" not in html
        # A digest may have any digits.
        assert "49" not in re.sub(r'"[a-z]+\.\w{12}\.\w+" integrity="[^"]+"', "", html)
        assert said in Parsed(html).text


# --- languages ----------------------------------------------------------------------------------


@pytest.mark.parametrize("language", sorted(built_in_languages()))
def test_every_page_is_there_in_every_language(language: str) -> None:
    """Complete: nothing is left in braces, nothing falls back, and the direction is right."""
    direction = "rtl" if language in ("ar", "he") else "ltr"
    policy = replace(
        POLICY,
        pages=Pages(language=language),  # so that only built-in texts could be in another one
        controller=Controller(name="Shop"),
        changes=(Change(version="2026-11", date="2026-11-02", text="x"),),
    )
    gate = Gate(policy, [KEY], renderer=JinjaRenderer(policy))
    for name, html in everything(gate, b"lang=" + language.encode()).items():
        if name == "notice":
            continue
        parsed = Parsed(html)
        marked = [
            one for tag, one in parsed.elements if tag in ("html", "section") and "lang" in one
        ]
        assert {(one["lang"], one["dir"]) for one in marked} == {(language, direction)}
        assert [one for one in parsed.all("span") if "lang" in one] == []
        assert not re.search(r"\{[a-z]+\}", parsed.text)


def test_the_browser_chooses_the_language_and_an_address_may_name_it() -> None:
    """The answer says which it is in; what is not there falls back to the policy's."""
    german: Header = (b"accept-language", b"de-AT, en;q=0.5")
    assert "Deine" in page("/", german) or "Sie" in page("/", german)
    assert '<html lang="de" dir="ltr">' in page("/", german)
    assert '<html lang="fr" dir="ltr">' in page("/", german, query=b"lang=fr-CA")
    assert '<html lang="en" dir="ltr">' in page("/", (b"accept-language", b"tlh"))
    icelandic = make_gate(pages=Pages(language="is"))
    assert '<html lang="is" dir="ltr">' in page("/", (b"accept-language", b"tlh"), gate=icelandic)


def test_a_language_that_was_asked_for_by_name_is_kept_on_the_way() -> None:
    """From page to page, and from the banner; the browser's own needs no keeping."""

    def ways(html: str) -> set[str]:
        return set(re.findall(r'(?:href|action)="([^"]*lang=[^"]*)"', html))

    german: Header = (b"accept-language", b"de")
    pages = ("/", "/opt-out", "/declaration")
    ways_on = [ways(page(one, CALIFORNIA, gate=WORLD, query=b"lang=de-AT")) for one in pages]
    assert ways_on == [
        {"opt-out?lang=de", "declaration?lang=de"},
        {"opt-out?lang=de", "./?lang=de"},
        {"./?lang=de"},
    ]
    assert [ways(page(one, CALIFORNIA, german, gate=WORLD)) for one in pages] == [set()] * 3
    request = ask("POST", "/_gate/opt-out", query=b"lang=d%26e", headers=[CALIFORNIA])
    response = reply(WORLD, request).response
    assert dict(response.headers)[b"location"] == b"opt-out?lang=d%26e"


def test_what_the_policy_says_in_another_language_is_marked_so() -> None:
    """For screen readers (WCAG 2.2, 3.1.2), unless the policy has a translation."""
    html = page("/declaration", query=b"lang=ar")
    assert '<span lang="en" dir="ltr">Shows which pages are used.</span>' in html
    texts = {"ar": {"categories": {"analytics": {"description": "وصف"}}}}
    html = page("/declaration", query=b"lang=ar", gate=make_gate(texts=texts))
    assert "<p>وصف</p>" in html


# --- templates of the site ----------------------------------------------------------------------


def site(folder: Path) -> Gate:
    return make_gate(pages=Pages(templates=str(folder)))


def test_a_sites_template_stands_in_for_the_built_in_one(tmp_path: Path) -> None:
    """It may extend the one that it replaces; all others stay as they are."""
    (tmp_path / "opt_out.html").write_text(
        '{% extends "built-in/opt_out.html" %}{% block title %}Mine{% endblock %}'
    )
    (tmp_path / "base.html").write_text(
        '{% extends "built-in/base.html" %}'
        "{% block site %}<p>{{ policy.version }}!</p>{% endblock %}"
    )
    html = page("/opt-out", gate=site(tmp_path))
    assert "<title>Mine</title>" in html
    assert "<h1>Do not sell or share my personal information</h1>" in html
    assert "<p>2026-11!</p>" in page("/", gate=site(tmp_path))
    assert banner(site(tmp_path)) == banner()


@pytest.mark.parametrize(
    "broken",
    ["{{ nothing.there }}", "{{ view.nothing }}", "{% if %}", "{{ 1 / 0 }}", '{% include "x" %}'],
)
def test_a_template_that_fails_never_costs_the_page(
    tmp_path: Path, broken: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The built-in one is shown, and the log says it once, without what a visitor sent."""
    (tmp_path / "banner.html").write_text("\n\n" + broken)
    gate = site(tmp_path)
    with caplog.at_level(logging.ERROR, "consentgate"):
        assert banner(gate) == banner(gate) == banner()
    (record,) = caplog.records
    assert "the site's template banner.html cannot be rendered" in record.getMessage()


def test_a_failing_template_is_told_by_its_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Whether it is its grammar or what it asks for."""
    for text in ("\n\n{% if %}", "\n\n{{ view.nothing }}"):
        caplog.clear()
        (tmp_path / "banner.html").write_text(text)
        banner(site(tmp_path))
        assert "line 3)" in caplog.text
