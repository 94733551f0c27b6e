"""What an answer writes of the choice, and the proof of it. See also test_visit."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consentgate.core.consent import Consent, Receipt
from consentgate.core.gate import Gate
from consentgate.core.http import Header
from consentgate.core.policy import Profile, Regions
from consentgate.core.record import LONGEST, receipt, signal_line
from core.samples import (
    DAY,
    ID,
    KEY,
    NOW,
    OPTIONAL,
    POLICY,
    SAME_ORIGIN,
    TODAY,
    ask,
    choice_lines,
    cookie_of,
    forward,
    lines_of,
    make_gate,
    reply,
    visit_of,
)

CALIFORNIA = Profile(places=("US-CA",), regime="opt-out")
REGIONS = Regions(country="X-Country", profiles=(CALIFORNIA,))
NECESSARY, ANALYTICS, MARKETING = POLICY.categories
SOLD = (NECESSARY, ANALYTICS, replace(MARKETING, sale_or_sharing=True))
HERE: Header = (b"x-country", b"US-CA")
ELSEWHERE: Header = (b"x-country", b"FR")
GPC: Header = (b"sec-gpc", b"1")
HTML: Header = (b"content-type", b"text/html")
DAYS = b"%d" % (NOW // DAY)
MARK = b"__Host-gate-optout=" + DAYS
SIGNAL = MARK + b"; Max-Age=34560000; Path=/; Secure; HttpOnly; SameSite=Lax"
FETCH = b", Sec-Fetch-Site, Sec-Fetch-Mode, Sec-Fetch-Dest"
GATE = make_gate(categories=SOLD, regions=REGIONS)
STRICT = make_gate(categories=SOLD)


def token(consent: Consent, gate: Gate = GATE) -> bytes:
    return b"__Host-gate=" + gate.site.tokens.write(consent)


def max_age(line: bytes) -> int:
    return int(line.partition(b"Max-Age=")[2].partition(b";")[0])


def answered(
    gate: Gate, *headers: Header, cookie: bytes | None = None, now: float = NOW
) -> list[bytes]:
    """The Set-Cookie lines of a page without any of its own."""
    return lines_of(forward(gate, ask(cookie=cookie, headers=headers), now).finish([HTML], now))


# --- a signal -----------------------------------------------------------------------------------


def test_a_signal_is_recorded_once() -> None:
    """On the first page; who sends the mark along is not sent it again, until it grows old."""
    assert answered(GATE, GPC, HERE) == [SIGNAL]
    assert answered(GATE, GPC, HERE, cookie=MARK) == []
    assert answered(GATE, HERE) == []
    for old in (b"%d" % (NOW // DAY - 202), b"1", b"", b"x", b"9" * 50):
        assert answered(GATE, HERE, cookie=b"__Host-gate-optout=" + old) == [SIGNAL]


def test_a_later_absence_of_the_signal_is_not_a_yes() -> None:
    """11 CCR 7025(c)(5): what was opted out of stays so when the signal is gone."""
    for cookie in (
        MARK,
        MARK + b"; " + cookie_of("marketing"),
    ):
        visit = visit_of(GATE, ask(headers=[HERE], cookie=cookie))
        assert (visit.allows("marketing"), visit.gpc) == (False, "applied")
        assert visit.choice("marketing") == "denied"


def test_a_signal_goes_before_an_earlier_yes_and_leaves_the_rest_of_it() -> None:
    """The mark is apart from the choice, which no mere visit ever writes."""
    yes = token(Consent(granted=OPTIONAL, id=ID, decided_at=NOW))
    visit = visit_of(STRICT, ask(headers=[GPC], cookie=yes))
    assert (visit.allows("marketing"), visit.allows("analytics")) == (False, True)
    assert answered(STRICT, GPC, cookie=yes) == [SIGNAL]


@pytest.mark.parametrize(
    ("gate", "headers", "cookie"),
    [
        (STRICT, [GPC], None),  # nothing is used without a yes, so nothing would be forgotten
        (STRICT, [GPC], cookie_of("analytics")),
        (make_gate(), [GPC], cookie_of("analytics", "marketing")),
        (make_gate(categories=SOLD, regions=REGIONS, mode="report"), [GPC, HERE], None),
        (GATE, [(b"sec-gpc", b"true"), HERE], None),
        (GATE, [(b"sec-gpc", b"0"), HERE], None),
        (GATE, [(b"sec-gpc", b"11"), HERE], None),
        (GATE, [(b"sec-gpc", b"1;x"), HERE], None),
        (GATE, [(b"dnt", b"1"), HERE], None),
    ],
)
def test_nothing_is_recorded_that_would_change_nothing(
    gate: Gate, headers: list[Header], cookie: bytes | None
) -> None:
    """Nor of what is no signal: exactly "1" counts."""
    assert answered(gate, *headers, cookie=cookie) == []


def test_a_signal_counts_if_any_of_several_is_one() -> None:
    """And "do not track" where the policy says so."""
    assert answered(GATE, (b"sec-gpc", b"0"), (b"Sec-GPC", b"1"), HERE) == [SIGNAL]
    assert answered(GATE, (b"sec-gpc", b"1, 1"), HERE) == [SIGNAL]  # as WSGI servers join them
    tracking = make_gate(categories=SOLD, regions=REGIONS, gpc=replace(POLICY.gpc, dnt=True))
    assert answered(tracking, (b"dnt", b"1"), HERE) == [SIGNAL]


def test_a_signal_is_recorded_only_on_an_answer_for_one_visitor() -> None:
    """A cached page must not carry it to others; and an answer that does is no longer cached."""
    step = forward(GATE, ask(headers=[GPC, HERE]))
    public = [HTML, (b"cache-control", b"public, max-age=60")]
    assert step.finish(public, NOW).headers is public
    assert not step.passes([HTML])
    assert step.finish([HTML], NOW).headers == [
        HTML,
        (b"set-cookie", SIGNAL),
        (b"vary", b"Cookie, Sec-GPC, X-Country" + FETCH),
        (b"cache-control", b"private"),
    ]


def test_a_recorded_signal_is_proven() -> None:
    """As its own kind of choice, of which only the day is kept."""
    finish = forward(GATE, ask(headers=[GPC, HERE])).finish([HTML], NOW)
    assert finish.receipt == Receipt(
        action="gpc",
        id=None,
        decided_at=TODAY,
        version="2026-11",
        granted=(),
        denied=(),
        region="US-CA",
        gpc="applied",
    )


def test_the_mark_is_plain_in_development_and_shared_where_the_choice_is() -> None:
    """It has every attribute of the gate's other cookie."""
    visit = visit_of(GATE, ask(host=b"localhost", scheme="http"))
    assert signal_line(visit) == (
        b"gate-optout=" + DAYS + b"; Max-Age=34560000; Path=/; HttpOnly; SameSite=Lax"
    )
    shared = visit_of(make_gate(domain="shop.example"), ask())
    assert signal_line(shared).startswith(
        b"gate-optout=" + DAYS + b"; Max-Age=34560000; Path=/; Domain=shop.e"
    )


def test_no_app_can_set_the_mark() -> None:
    """It is the gate's own: an app that sets it sets nothing."""
    step = forward(GATE, ask(headers=[HERE]))
    lines = [(b"set-cookie", b"__Host-gate-optout=1; Path=/; Secure")]
    assert lines_of(step.finish(lines, NOW)) == []


# --- a no ---------------------------------------------------------------------------------------


def test_a_no_lives_as_long_as_browsers_keep_it() -> None:
    """Also beside a yes, which the server no longer believes when its own time is over."""
    for gate in (GATE, STRICT):
        visit = visit_of(gate, ask())
        visit.reject_all()
        assert max_age(choice_lines(visit)[0]) == LONGEST
        old = token(Consent(granted=OPTIONAL, id=ID, decided_at=NOW - 100 * DAY), gate)
        visit = visit_of(gate, ask(cookie=old))
        visit.opt_out()
        assert max_age(choice_lines(visit)[0]) == LONGEST
        visit = visit_of(gate, ask("POST", headers=[SAME_ORIGIN]))
        visit.accept_all()
        assert max_age(choice_lines(visit)[0]) == 182 * DAY


def page(gate: Gate, cookie: bytes, days: int = 0) -> list[bytes]:
    """The gate's own lines of a page that sets nothing and asks nothing, so many days later."""
    now = NOW + days * DAY
    step = forward(gate, ask(headers=[HERE], cookie=cookie), now)
    return [] if step.passes([HTML]) else lines_of(step.finish([HTML], now))


@pytest.mark.parametrize("refused_for", [182 * DAY, 400 * DAY])
def test_a_no_does_not_lapse_while_its_visitor_comes_back(refused_for: int) -> None:
    """Written again every two hundred days, it says for ever what it said, and of what day."""
    gate = make_gate(categories=SOLD, regions=REGIONS, refused_for=refused_for)
    no = Consent(denied=frozenset({"marketing"}), decided_at=TODAY)
    cookie, since, times = token(no, gate), 0, 0
    for days in range(0, 2000, 50):
        if lines := page(gate, cookie, days):
            assert max_age(lines[0]) == LONGEST
            cookie, since, times = lines[0].partition(b";")[0], days, times + 1
        visit = visit_of(gate, ask(headers=[HERE], cookie=cookie), NOW + days * DAY)
        assert (visit.choice("marketing"), visit.decided_on) == ("denied", TODAY)
        assert days - since <= 250
    assert (since, times) == (1800, 9)


def test_a_no_is_not_written_again_before_that() -> None:
    """A page for a visitor who refused is cached as any other; one that reports writes nothing."""
    no = token(Consent(denied=OPTIONAL, decided_at=TODAY))
    assert page(GATE, no, 100) == []
    assert page(make_gate(categories=SOLD, regions=REGIONS, mode="report"), no, 300) == []
    yes = token(Consent(granted=frozenset({"analytics"}), id=ID, decided_at=TODAY))
    assert page(GATE, yes, 100) == []


def test_a_withdrawal_allows_nothing_anywhere() -> None:
    """Where something may be used unasked it is remembered, and asked about where one asks."""
    yes = token(Consent(granted=OPTIONAL, id=ID, decided_at=NOW))
    visit = visit_of(GATE, ask(headers=[HERE], cookie=yes))
    visit.withdraw()
    (line,) = choice_lines(visit)
    again = line.partition(b";")[0]
    for where, asks in ((HERE, False), (ELSEWHERE, True)):
        later = visit_of(GATE, ask(headers=[where], cookie=again))
        assert (later.granted, later.decided, later.needs_choice) == ({"necessary"}, False, asks)
        assert (later.id, later.decided_on, later.choice("analytics")) == (None, None, "unset")


# --- a choice over a signal ---------------------------------------------------------------------


def choose(body: bytes, cookie: bytes | None = None) -> tuple[bytes, Receipt | None]:
    """The cookie after this form was sent by a browser that signals, and the receipt."""
    form = (b"content-type", b"application/x-www-form-urlencoded")
    request = ask("POST", "/_gate/choice", headers=[GPC, HERE, SAME_ORIGIN, form], cookie=cookie)
    answer = reply(GATE, request, body)
    lines = [line for line in lines_of(answer.response) if line.startswith(b"__Host-gate=")]
    return lines[0].partition(b";")[0], answer.receipt


def test_a_yes_after_the_conflict_was_shown_stands_over_the_signal() -> None:
    """Both are recorded; the next visits, with the signal still sent, say "overridden"."""
    cookie, proof = choose(b"action=accept&over_gpc=1")
    assert proof is not None
    assert (proof.action, proof.granted, proof.gpc) == (
        "accept",
        ("analytics", "marketing"),
        "overridden",
    )
    visit = visit_of(GATE, ask(headers=[GPC, HERE], cookie=cookie + b"; " + MARK))
    assert (visit.gpc, bool(visit.gpc), visit.allows("marketing")) == ("overridden", False, True)
    assert answered(GATE, GPC, HERE, cookie=cookie) == [SIGNAL]  # of all else it holds


def test_a_yes_without_the_notice_leaves_out_what_the_signal_is_about() -> None:
    """The rest is granted; what the signal says no to is recorded as a no."""
    cookie, proof = choose(b"action=accept")
    assert proof is not None
    assert (proof.granted, proof.denied, proof.gpc) == (("analytics",), ("marketing",), "applied")
    visit = visit_of(GATE, ask(headers=[HERE], cookie=cookie))
    assert (visit.allows("analytics"), visit.allows("marketing")) == (True, False)


def test_an_older_yes_does_not_come_back_beside_a_new_one() -> None:
    """Given before the signal, it counts no more; only a yes given knowingly does."""
    yes = token(Consent(granted=frozenset({"marketing"}), id=ID, decided_at=NOW - DAY))
    for body in (
        b"action=save&grant=analytics&leave=marketing&over_gpc=1",
        b"action=save&grant=analytics&leave=marketing",
    ):
        cookie, proof = choose(body, yes)
        assert proof is not None
        assert (proof.granted, proof.denied) == (("analytics",), ("marketing",))
        assert not visit_of(GATE, ask(headers=[HERE], cookie=cookie)).allows("marketing")


def test_an_override_outlives_an_act_without_the_signal() -> None:
    """Another choice, made where the browser does not send it, takes nothing back."""
    cookie, _ = choose(b"action=save&grant=marketing&over_gpc=1")
    visit = visit_of(GATE, ask("POST", headers=[HERE, SAME_ORIGIN], cookie=cookie))
    visit.set(analytics=True)
    again = choice_lines(visit)[0].partition(b";")[0]
    assert visit_of(GATE, ask(headers=[GPC, HERE], cookie=again)).gpc == "overridden"
    # A yes given where no signal was, and so no notice, goes before none.
    visit = visit_of(GATE, ask("POST", headers=[HERE, SAME_ORIGIN]))
    visit.accept_all()
    again = choice_lines(visit)[0].partition(b";")[0]
    assert visit_of(GATE, ask(headers=[GPC, HERE], cookie=again)).gpc == "applied"


def test_a_refusal_takes_the_override_back() -> None:
    """From then on the signal is honoured again."""
    cookie, _ = choose(b"action=accept&over_gpc=1")
    cookie, proof = choose(b"action=save&grant=analytics", cookie)
    assert proof is not None
    assert (proof.granted, proof.gpc) == (("analytics",), "applied")
    visit = visit_of(GATE, ask(headers=[GPC, HERE], cookie=cookie))
    assert (visit.gpc, visit.allows("marketing")) == ("applied", False)


def test_a_receipt_says_to_which_text_a_yes_was_given() -> None:
    """Of a yes that is merely kept the earlier one, which the policy honours."""
    told = replace(ANALYTICS, description="An earlier text.")
    old = make_gate(categories=(NECESSARY, told, MARKETING))
    revision = old.site.revisions["analytics"]
    gate = make_gate(categories=(NECESSARY, replace(ANALYTICS, honours=(revision,)), MARKETING))
    yes = token(Consent(granted=frozenset({"analytics"}), id=ID, decided_at=NOW), old)
    visit = visit_of(gate, ask("POST", headers=[SAME_ORIGIN], cookie=yes))
    assert (visit.allows("analytics"), visit.needs_choice) == (True, True)
    visit.set(marketing=True)
    assert receipt(visit).revisions == (
        ("analytics", revision),
        ("marketing", gate.site.revisions["marketing"]),
    )
    again = choice_lines(visit)[0].partition(b";")[0]
    assert not visit_of(make_gate(), ask(cookie=again)).allows("analytics")


def test_keys_are_the_only_secret() -> None:
    """A choice of another site's key is none of ours."""
    other = Gate(POLICY, [KEY[::-1]])
    assert not visit_of(other, ask(cookie=cookie_of("analytics"))).allows("analytics")


# --- when nothing is written again --------------------------------------------------------------


def test_a_clock_that_was_wrong_once_stops_no_renewal() -> None:
    """A mark, or a no, that says it was written tomorrow is written again today."""
    ahead = b"%d" % (NOW // DAY + 9)
    assert answered(GATE, HERE, cookie=b"__Host-gate-optout=" + ahead) == [SIGNAL]
    no = Consent(denied=OPTIONAL, decided_at=TODAY - 300 * DAY, renewed=999)
    (line,) = page(GATE, token(no))
    assert visit_of(GATE, ask(cookie=line.partition(b";")[0])).said.renewed == 300


def test_what_browsers_would_refuse_is_not_sent_on_every_page() -> None:
    """A Secure cookie over plain http; behind a proxy that ends TLS it only looks so."""
    old = b"gate=" + GATE.site.tokens.write(Consent(denied=OPTIONAL, decided_at=TODAY - 300 * DAY))
    for headers, lines in (([], 0), ([(b"sec-fetch-site", b"same-origin")], 1)):
        request = ask(headers=[HERE, *headers], scheme="http", cookie=old)
        assert len(lines_of(forward(GATE, request).finish([HTML], NOW))) == lines


def test_on_a_public_answer_twins_are_tidied_up_and_no_more() -> None:
    """A no that grows old is written again on an answer that is its visitor's alone."""
    old = token(Consent(denied=frozenset({"marketing"}), decided_at=TODAY - 300 * DAY))
    twins = b"; ".join([old, old])
    public = [HTML, (b"cache-control", b"public, max-age=60")]
    for headers, lines in ((public, 0), ([HTML], 1)):
        step = forward(GATE, ask(headers=[HERE], cookie=twins + b"; _fbp=1"))
        written = lines_of(step.finish(headers, NOW))
        assert sum(line.startswith(b"__Host-gate=E") for line in written) <= lines
        assert sum(line.startswith(b"__Host-gate=F") for line in written) == lines
