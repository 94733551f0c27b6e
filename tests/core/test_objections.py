"""Saying no where no yes was asked: the opt-out page, objections, and the site's GPC statement."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from consentgate.core import front
from consentgate.core.consent import Consent
from consentgate.core.gate import Forward, Gate
from consentgate.core.http import Header, Response
from consentgate.core.policy import (
    Banner,
    Category,
    Exemption,
    Gpc,
    Profile,
    Regions,
)
from consentgate.core.views import ChoicesView, Control, OptOutView, SignalView
from core.samples import (
    FORM,
    ID,
    JSON,
    KEY,
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


def choices(*headers: Header, gate: Gate = GATE) -> ChoicesView:
    return front.choices(gate.site, visit_of(gate, ask(headers=headers)), "", "/")


def controls(view: ChoicesView) -> list[tuple[str, Control, bool, bool]]:
    """What the visitor can do about each category: its id, how, ticked, and why there is no box."""
    return [
        (one.category.id, one.control, one.ticked, one.until_objection) for one in view.categories
    ]


# --- the opt-out page ---------------------------------------------------------------------------


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
    visit = visit_of(GATE, ask(headers=[CALIFORNIA], cookie=cookie))
    assert front.opt_out(GATE.site, visit, "/") == OptOutView(
        signal=None, about=(SOLD[2],), done=True, back="/"
    )


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
    visit = visit_of(gate, ask(headers=[CALIFORNIA]))
    assert front.opt_out(gate.site, visit, "/") == OptOutView(
        signal=None, about=(ANALYTICS, MARKETING), done=False, back="/"
    )


# --- a signal, seen -----------------------------------------------------------------------------


def test_a_signal_that_is_honoured_is_displayed() -> None:
    """11 CCR 7025(c)(6); as a fragment for the site's own pages, and in the state."""
    visit = visit_of(GATE, ask(headers=[GPC, CALIFORNIA]))
    assert front.notice(visit) == "<!-- NoticeView() at /_gate -->"
    assert front.notice(visit_of(GATE, ask(headers=[CALIFORNIA]))) == ""
    assert choices(GPC, CALIFORNIA).signal == SignalView(against=(SOLD[2],))
    assert front.opt_out(GATE.site, visit, "/").signal == SignalView(against=(SOLD[2],))
    assert choices(CALIFORNIA).signal is None
    state = json.loads(get("/_gate/state", GPC, CALIFORNIA).body)
    assert (state["gpc"], state["signal"], state["notice"], state["region"]) == (
        True,
        "applied",
        "Opt-Out Request Honored",
        "US-CA",
    )


def test_without_pages_a_signal_is_displayed_all_the_same() -> None:
    """In the words of the regulation's own example."""
    gate = Gate(replace(POLICY, categories=SOLD, regions=REGIONS), [KEY])
    visit = visit_of(gate, ask(headers=[GPC, CALIFORNIA]))
    assert front.notice(visit) == '<p role="status">Opt-Out Request Honored</p>'


def test_a_yes_over_a_signal_is_asked_for_where_there_is_one_and_something_is_sold() -> None:
    """Only there does the page show the conflict, and only then do its forms say that it did."""
    assert choices(GPC, CALIFORNIA).over_gpc
    assert not choices(CALIFORNIA).over_gpc
    assert not choices(GPC, gate=make_gate()).over_gpc


def test_who_signals_where_consent_is_asked_for_is_told_that_it_is_a_no() -> None:
    """And needs no banner."""
    assert choices(GPC).standing == "signalled"
    assert not json.loads(get("/_gate/state", GPC).body)["needs_choice"]


# --- objections ---------------------------------------------------------------------------------


def test_no_box_stands_for_a_yes_that_nobody_gave() -> None:
    """What is used without a yes has a box to object with, never one ticked in advance."""
    none, allow, object = Control.NONE, Control.ALLOW, Control.OBJECT
    assert controls(choices(CALIFORNIA)) == [
        ("necessary", none, False, False),
        ("analytics", object, False, True),
        ("marketing", object, False, True),
    ]
    assert controls(choices(FRANCE)) == [
        ("necessary", none, False, False),
        ("analytics", object, False, False),
        ("marketing", allow, False, False),
    ]
    assert [one for _, one, _, _ in controls(choices())] == [none, allow, allow]


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
    assert list(choices(gate=gate).buttons) == order


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
