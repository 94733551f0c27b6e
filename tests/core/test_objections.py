"""Saying no where no yes was asked: the opt-out page, objections, and the site's GPC statement."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from consentgate.core.consent import Consent
from consentgate.core.gate import Forward, Gate
from consentgate.core.http import Header, Response
from consentgate.core.page import opt_out, preferences
from consentgate.core.policy import (
    Banner,
    Category,
    Controller,
    Exemption,
    Gpc,
    Profile,
    Regions,
)
from core.samples import (
    FORM,
    ID,
    JSON,
    NOW,
    POLICY,
    SAME_ORIGIN,
    TODAY,
    ask,
    cookie_of,
    forward,
    fresh_id,
    header,
    lines_of,
    make_gate,
    reply,
    visit_of,
)
from core.test_page import Parsed

NECESSARY, ANALYTICS, MARKETING = POLICY.categories
MEASURED = Exemption(kind="audience-measurement", objection="/privacy?a=1&b#stop")
SOLD: tuple[Category, ...] = (
    NECESSARY,
    replace(ANALYTICS, exemption=MEASURED),
    replace(MARKETING, sale_or_sharing=True),
)
REGIONS = Regions(
    country="X-Country",
    profiles=(
        Profile(places=("US-CA",), regime="opt-out"),
        Profile(places=("FR",), exemptions=("audience-measurement",)),
    ),
)
GATE = make_gate(categories=SOLD, regions=REGIONS, gpc=Gpc(updated="2026-11-02"))
CALIFORNIA: Header = (b"x-country", b"US-CA")
FRANCE: Header = (b"x-country", b"FR")
GPC: Header = (b"sec-gpc", b"1")


def get(path: str, *headers: Header, cookie: bytes | None = None, gate: Gate = GATE) -> Response:
    return reply(gate, ask(path=path, headers=headers, cookie=cookie)).response


def post(
    path: str, body: bytes, *headers: Header, cookie: bytes | None = None, gate: Gate = GATE
) -> Any:
    return reply(gate, ask("POST", path, headers=headers, cookie=cookie), body)


def stored(response: Response, gate: Gate = GATE) -> Consent | None:
    lines = [line for line in lines_of(response) if line.startswith(b"__Host-gate=")]
    return gate.site.tokens.read(lines[0].partition(b"=")[2].partition(b";")[0])


def inputs(html: str) -> list[tuple[str | None, str | None, bool]]:
    """The type-less essentials of every field: name, value, ticked."""
    return [
        (one["name"], one["value"], "checked" in one)
        for one in Parsed(html).all("input")
        if one["type"] in ("checkbox", "hidden")
    ]


# --- the opt-out page ---------------------------------------------------------------------------


def test_opting_out_is_one_link_and_one_button() -> None:
    """Two steps at most: the page has one form with nothing to fill in."""
    response = get("/_gate/opt-out", CALIFORNIA)
    parsed = Parsed(response.body.decode())
    assert [one["action"] for one in parsed.all("form")] == ["opt-out"]
    assert parsed.all("input") == []
    assert len(parsed.all("button")) == 1
    assert "Do not sell or share my personal information" in parsed.text
    assert "Marketing" in parsed.text
    assert "Analytics" not in parsed.text
    page = get("/_gate/", CALIFORNIA).body.decode()
    assert '<a href="opt-out">Do not sell or share my personal information</a>' in page


@pytest.mark.parametrize(
    ("headers", "body"),
    [([FORM], b""), ([], b""), ([FORM], b"action=opt-out"), ([JSON], b"{}"), ([JSON], b"")],
)
def test_an_opt_out_needs_no_proof_and_no_words(headers: list[Header], body: bytes) -> None:
    """Nobody gains by forcing a no; what is not sold or shared stays as it is."""
    yes = b"__Host-gate=" + GATE.site.tokens.write(
        Consent(granted=frozenset({"analytics", "marketing"}), id=ID, decided_at=NOW)
    )
    answer = post("/_gate/opt-out", body, *headers, CALIFORNIA, cookie=yes)
    assert stored(answer.response) == Consent(
        granted=frozenset({"analytics"}),
        denied=frozenset({"marketing"}),
        id=ID,
        decided_at=NOW,
    )
    assert (answer.receipt.action, answer.receipt.denied, answer.receipt.region) == (
        "opt-out",
        ("marketing",),
        "US-CA",
    )


def test_a_newcomer_who_opts_out_leaves_no_id() -> None:
    """A no, and the day of it; the page then says that it was carried out."""
    answer = post("/_gate/opt-out", b"", FORM, CALIFORNIA)
    assert (answer.response.status, header(answer.response, b"location")) == (303, b"opt-out")
    assert stored(answer.response) == Consent(denied=frozenset({"marketing"}), decided_at=TODAY)
    cookie = lines_of(answer.response)[0].partition(b";")[0]
    html = get("/_gate/opt-out", CALIFORNIA, cookie=cookie).body.decode()
    assert '<p role="status">You have opted out. This is not used for you: Marketing.</p>' in html
    assert "<form" not in html


def test_an_opt_out_leads_where_it_is_told() -> None:
    """To a path of this site only; as JSON it gets the state."""
    told = post("/_gate/opt-out", b"next=/cart", FORM, CALIFORNIA).response
    assert header(told, b"location") == b"/cart"
    assert post("/_gate/opt-out", b"next=//evil.example", FORM).response.status == 400
    state = json.loads(post("/_gate/opt-out", b"{}", JSON, CALIFORNIA).response.body)
    assert (state["categories"]["marketing"], state["allowed"]) == (
        "denied",
        ["analytics", "necessary"],
    )


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ([FORM], b"action=accept", 400),
        ([JSON], b'{"action":"accept"}', 400),
        ([JSON], b"[]", 400),
        ([(b"content-type", b"text/plain")], b"x", 415),
        ([FORM], b"x=" + b"y" * 5000, 413),
    ],
)
def test_the_opt_out_takes_nothing_else(headers: list[Header], body: bytes, status: int) -> None:
    """Never a yes by the address for a no; nothing changed."""
    response = post("/_gate/opt-out", body, *headers, SAME_ORIGIN).response
    assert (response.status, lines_of(response)) == (status, [])


def test_where_nothing_is_marked_an_opt_out_is_about_everything() -> None:
    """Somebody who says no means it."""
    gate = make_gate(regions=REGIONS)
    answer = post("/_gate/opt-out", b"", FORM, CALIFORNIA, gate=gate)
    assert answer.receipt.denied == ("analytics", "marketing")
    html = opt_out(gate.site, visit_of(gate, ask(headers=[CALIFORNIA])), "/")
    assert "advertising: Analytics, Marketing." in html


# --- a signal, seen -----------------------------------------------------------------------------


def test_a_signal_that_is_honoured_is_displayed() -> None:
    """11 CCR 7025(c)(6); as a fragment for the site's own pages, and in the state."""
    notice = '<p role="status">Opt-Out Request Honored</p>'
    visit = visit_of(GATE, ask(headers=[GPC, CALIFORNIA]))
    assert visit.opt_out_notice == notice
    assert visit_of(GATE, ask(headers=[CALIFORNIA])).opt_out_notice == ""
    for path in ("/_gate/", "/_gate/opt-out"):
        assert notice in get(path, GPC, CALIFORNIA).body.decode()
        assert notice not in get(path, CALIFORNIA).body.decode()
    state = json.loads(get("/_gate/state", GPC, CALIFORNIA).body)
    assert (state["gpc"], state["signal"], state["notice"], state["region"]) == (
        True,
        "applied",
        "Opt-Out Request Honored",
        "US-CA",
    )


def test_who_signals_is_shown_the_conflict_before_they_can_say_yes_to_it() -> None:
    """The notice stands above the forms, and only then do they say that it was shown."""
    html = get("/_gate/", GPC, CALIFORNIA).body.decode()
    notice, form = html.index("goes against this signal"), html.index("<form")
    assert notice < form
    assert html.count('<input type="hidden" name="over_gpc" value="1">') == 2
    assert "over_gpc" not in get("/_gate/", CALIFORNIA).body.decode()
    assert "over_gpc" not in get("/_gate/", GPC, gate=make_gate()).body.decode()


def test_who_signals_where_consent_is_asked_for_is_told_that_it_is_a_no() -> None:
    """And needs no banner."""
    html = get("/_gate/", GPC).body.decode()
    assert "Your browser has said no for you, so nothing optional is used." in html
    assert not json.loads(get("/_gate/state", GPC).body)["needs_choice"]


# --- objections ---------------------------------------------------------------------------------


def test_no_box_stands_for_a_yes_that_nobody_gave() -> None:
    """What is used without a yes has a box to object with, never one ticked in advance."""
    assert inputs(get("/_gate/", CALIFORNIA).body.decode()) == [
        ("leave", "analytics", False),
        ("object", "analytics", False),
        ("leave", "marketing", False),
        ("object", "marketing", False),
    ]
    html = get("/_gate/", FRANCE).body.decode()
    assert inputs(html) == [
        ("leave", "analytics", False),
        ("object", "analytics", False),
        ("grant", "marketing", False),
    ]
    assert "This needs no consent here." in html
    assert '<a href="/privacy?a=1&amp;b#stop">More on how to object</a>' in html
    assert [name for name, _, _ in inputs(get("/_gate/").body.decode())] == ["grant", "grant"]


@pytest.mark.parametrize(
    ("body", "granted", "denied"),
    [
        (b"action=save&leave=analytics&leave=marketing", (), ()),
        (b"action=save&leave=analytics&object=analytics&leave=marketing", (), ("analytics",)),
        (b"action=save&leave=analytics&grant=marketing", ("marketing",), ()),
        (b"action=save&leave=analytics", (), ("marketing",)),
        (b"action=save&object=analytics", (), ("analytics", "marketing")),
    ],
)
def test_saving_makes_no_yes_of_what_was_left_alone(
    body: bytes, granted: tuple[str, ...], denied: tuple[str, ...]
) -> None:
    """Neither a yes nor a no: it stays what the law of the place makes of it."""
    answer = post("/_gate/choice", body, FORM, CALIFORNIA, SAME_ORIGIN)
    assert (answer.receipt.granted, answer.receipt.denied) == (granted, denied)


def test_leaving_alone_keeps_what_was_said() -> None:
    """A yes, and a no, from an earlier visit."""
    body = b'{"action":"save","leave":["analytics","marketing"]}'
    answer = post("/_gate/choice", body, JSON, cookie=cookie_of("analytics"))
    assert answer.response.status == 200
    assert json.loads(answer.response.body)["categories"] == {
        "necessary": "granted",
        "analytics": "granted",
        "marketing": "denied",
    }


@pytest.mark.parametrize(
    "body",
    [
        b'{"action":"save","leave":"x"}',
        b'{"action":"save","over_gpc":1}',
        b'{"action":"save","object":[1]}',
        b'{"action":"save","leave":["nobody"]}',
    ],
)
def test_the_new_fields_are_read_strictly_too(body: bytes) -> None:
    """400 and one plain sentence."""
    response = post("/_gate/choice", body, JSON, SAME_ORIGIN).response
    assert (response.status, lines_of(response)) == (400, [])


# --- what else the pages say --------------------------------------------------------------------


def test_the_pages_say_who_decides_and_who_else_reads() -> None:
    """GDPR article 13(1)(a) and (e); everything escaped."""
    controller = Controller(
        name="Shop & Co", address="1 Road", contact="mail@shop.example", url="https://shop.example"
    )
    rule = replace(MARKETING.rules[0], provider="Meta", recipients=("A", "B<"))
    gate = make_gate(
        controller=controller, categories=(NECESSARY, replace(MARKETING, rules=(rule,)))
    )
    html = preferences(gate.site, visit_of(gate, ask()), "", "/")
    assert (
        "<p>Shop &amp; Co · 1 Road · mail@shop.example · "
        '<a href="https://shop.example">https://shop.example</a></p>'
    ) in html
    assert "<td>Meta; shared with A, B&lt;</td>" in html
    assert "Shop &amp; Co" in opt_out(gate.site, visit_of(gate, ask()), "/")


@pytest.mark.parametrize(
    ("buttons", "order"),
    [
        (("accept", "reject", "settings"), ["accept", "reject"]),
        (("reject", "settings", "accept"), ["reject", "accept"]),
        (("settings",), ["accept", "reject"]),
        (("reject",), ["reject", "accept"]),
    ],
)
def test_the_order_of_the_buttons_is_the_policys(
    buttons: tuple[str, ...], order: list[str]
) -> None:
    """Both are always there."""
    gate = make_gate(banner=Banner(buttons=buttons))
    html = preferences(gate.site, visit_of(gate, ask()), "", "/")
    assert [one["value"] for one in Parsed(html).all("button")][:2] == order


# --- the statement ------------------------------------------------------------------------------


def test_the_site_states_that_it_heeds_gpc() -> None:
    """The same for everybody, and cacheable: https://www.w3.org/TR/gpc/, section 4."""
    response = get("/.well-known/gpc.json", GPC, cookie=cookie_of("analytics"))
    assert response.status == 200
    assert response.headers == [
        (b"cache-control", b"public, max-age=3600"),
        (b"content-type", b"application/json"),
        (b"content-length", b"38"),
    ]
    assert json.loads(response.body) == {"gpc": True, "lastUpdate": "2026-11-02"}


def test_the_statement_is_only_read() -> None:
    """HEAD without a body; anything else is refused."""
    head = reply(GATE, ask("HEAD", "/.well-known/gpc.json")).response
    assert (head.status, head.body) == (200, b"")
    posted = reply(GATE, ask("POST", "/.well-known/gpc.json")).response
    assert (posted.status, header(posted, b"allow")) == (405, b"GET, HEAD")


def test_without_a_day_there_is_no_statement() -> None:
    """Then the address is the app's, as is any other of its like."""
    for gate, path in ((make_gate(), "/.well-known/gpc.json"), (GATE, "/.well-known/gpc.json/")):
        assert isinstance(gate.begin(ask(path=path), NOW, fresh_id), Forward)


# --- vary ---------------------------------------------------------------------------------------

HTML: Header = (b"content-type", b"text/html")


def vary(gate: Gate, *headers: Header, cookie: bytes | None = None) -> bytes | None:
    """What a page says it depends on that sets a marketing cookie."""
    step = forward(gate, ask(headers=headers, cookie=cookie))
    finish = step.finish([HTML, (b"set-cookie", b"_fbp=1")], NOW)
    return dict(finish.headers).get(b"vary")


def test_an_answer_says_that_it_depends_on_the_signal_and_the_place_where_it_does() -> None:
    """And not where neither could have made a difference."""
    fetch = b", Sec-Fetch-Site, Sec-Fetch-Mode, Sec-Fetch-Dest"
    assert vary(GATE, CALIFORNIA) == b"Cookie, Sec-GPC, X-Country" + fetch
    marked = vary(GATE, CALIFORNIA, cookie=b"__Host-gate-optout=1")
    assert marked == b"Cookie, X-Country" + fetch
    assert vary(GATE, CALIFORNIA, cookie=cookie_of()) == b"Cookie, X-Country"
    assert vary(make_gate()) == b"Cookie"
    sold = make_gate(categories=SOLD)
    yes = b"__Host-gate=" + sold.site.tokens.write(
        Consent(granted=frozenset({"marketing"}), id=ID, decided_at=NOW)
    )
    assert vary(sold) == b"Cookie"
    assert vary(sold, cookie=yes) == b"Cookie, Sec-GPC"
    heeding = make_gate(categories=SOLD, gpc=Gpc(dnt=True))
    assert vary(heeding, cookie=yes) == b"Cookie, Sec-GPC, DNT"


def test_a_page_that_asks_about_the_signal_depends_on_it() -> None:
    """Also where it changes nothing else; and one that asks where the visitor is, on that."""
    step = forward(make_gate(), ask())
    assert step.visit.gpc == "absent"
    assert dict(step.finish([HTML], NOW).headers)[b"vary"] == b"Cookie, Sec-GPC"
    step = forward(make_gate(regions=replace(REGIONS, profiles=())), ask(headers=[FRANCE]))
    assert step.visit.region == "FR"
    assert dict(step.finish([HTML], NOW).headers)[b"vary"] == b"Cookie, X-Country"
