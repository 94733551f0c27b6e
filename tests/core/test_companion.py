"""What scripts are told of the choice: a readable cookie, which decides nothing here."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from consentgate.core.consent import Consent
from consentgate.core.gate import Gate
from consentgate.core.http import Header
from consentgate.core.own_cookie import LONGEST
from consentgate.core.policy import CHOICE_LIFETIME, Policy, Profile, Regions
from core.samples import (
    DAY,
    FORM,
    ID,
    JSON,
    KEY,
    NOW,
    POLICY,
    SAME_ORIGIN,
    TODAY,
    all_lines,
    ask,
    cookie_of,
    forward,
    lines_of,
    make_gate,
    reply,
    told_of,
    visit_of,
)

GATE = make_gate()
A, M = (f"{GATE.site.stamps[id][0]:04x}".encode() for id in ("analytics", "marketing"))
TAG = b".%b" % GATE.site.key_tags[0].encode()
DATE = b"%d" % (NOW // DAY) + TAG
ATTRIBUTES = b"; Path=/; Secure; SameSite=Lax"
GONE = b"__Host-gate-choice=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT" + ATTRIBUTES
SOLD = make_gate(
    categories=(*POLICY.categories[:2], replace(POLICY.categories[2], sale_or_sharing=True))
)
GPC: Header = (b"sec-gpc", b"1")
HTML: Header = (b"content-type", b"text/html")


def choose(body: bytes, cookie: bytes | None = None, gate: Gate = GATE, **how: Any) -> list[bytes]:
    """What scripts are told with the answer to this choice."""
    headers = [SAME_ORIGIN, FORM, *how.pop("headers", ())]
    request = ask("POST", "/_gate/choice", cookie=cookie, headers=headers, **how)
    return told_of(reply(gate, request, body).response)


def line(value: bytes, seconds: int) -> bytes:
    return b"__Host-gate-choice=%b; Max-Age=%d%b" % (value, seconds, ATTRIBUTES)


@pytest.mark.parametrize(
    ("body", "value", "seconds"),
    [
        (b"action=accept", DATE + b"&analytics=" + A + b"&marketing=" + M, CHOICE_LIFETIME),
        (b"action=reject", DATE + b"&analytics=&marketing=", LONGEST),
        (
            b"action=save&grant=analytics",
            DATE + b"&analytics=" + A + b"&marketing=",
            LONGEST,
        ),
        (b"action=opt-out", b"", 0),
    ],
)
def test_a_choice_tells_scripts_what_was_chosen_for_as_long_as_it_is_kept(
    body: bytes, value: bytes, seconds: int
) -> None:
    """Readable, without an id, at the same host and path; nothing where nothing was chosen."""
    assert choose(body) == ([line(value, seconds)] if value else [])


def test_nothing_in_it_tells_visitors_apart() -> None:
    """Two visitors who choose alike on one day are told the same."""
    first = reply(GATE, ask("POST", "/_gate/choice", headers=[SAME_ORIGIN, FORM]), b"action=accept")
    other = reply(
        GATE,
        ask("POST", "/_gate/choice", headers=[SAME_ORIGIN, FORM]),
        b"action=accept",
        now=NOW + 60,
    )
    assert told_of(first.response) == told_of(other.response)


def test_taking_back_takes_it_away() -> None:
    """Also where none came with the request: another site's form brings no cookies along."""
    cookie = cookie_of("analytics")
    assert choose(b"action=withdraw", cookie) == [GONE]
    assert choose(b"action=withdraw", cookie + b"; __Host-gate-choice=x") == [GONE]
    assert choose(b"action=withdraw") == [GONE]


@pytest.mark.parametrize("body", [b"action=withdraw", b"action=reject", b"action=accept"])
def test_a_choice_leaves_no_companion_of_another_domain_behind(body: bytes) -> None:
    """One of before `domain` was changed would say what is no longer so, or differ from ours."""
    gate = make_gate(domain="www.shop.example")
    lines = choose(body, gate=gate, host=b"www.shop.example")
    gone = b"gate-choice=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/"
    assert [line for line in lines if b"Max-Age=0" in line][:2] == [
        gone + b"; Secure; HttpOnly",
        gone + b"; Domain=shop.example; Secure; HttpOnly",
    ]
    assert (b"&analytics=" in lines[-1]) is (body != b"action=withdraw")


def test_on_a_developers_machine_it_has_the_plain_name() -> None:
    """As the choice itself has there."""
    (told,) = choose(b"action=reject", host=b"localhost", scheme="http")
    assert told == (
        b"gate-choice=%b&analytics=&marketing=; Max-Age=%d; Path=/; SameSite=Lax" % (DATE, LONGEST)
    )


def test_a_yes_is_told_with_the_revision_it_was_given_to() -> None:
    """An earlier one, where it is still honoured, and the day on which it was given."""
    revision = f"{int(GATE.site.revisions['analytics'], 16) ^ 1:04x}"
    analytics = replace(POLICY.categories[1], honours=(revision,))
    gate = make_gate(categories=(POLICY.categories[0], analytics, POLICY.categories[2]))
    older = Consent(
        granted=frozenset({"analytics"}),
        older=frozenset({("analytics", int(revision, 16) & 0x7FFF)}),
        id=ID,
        decided_at=NOW - 9 * DAY,
    )
    cookie = b"__Host-gate=" + gate.site.tokens.write(older)
    step = forward(gate, ask("POST", cookie=cookie, headers=[SAME_ORIGIN]))
    step.visit.set(marketing=True)
    (told,) = told_of(step.finish([HTML], NOW))
    value = told.partition(b"=")[2].partition(b";")[0]
    assert value == b"%d%b&analytics=%04x&marketing=%b" % (
        NOW // DAY - 9,
        TAG,
        int(revision, 16) & 0x7FFF,
        M,
    )


def test_ids_are_percent_encoded() -> None:
    """No id of a category can end its name, or the cookie."""
    policy = Policy(version="1", categories=(replace(POLICY.categories[2], id="a&b=c; d"),))
    (told,) = choose(b"action=reject", gate=Gate(policy, [KEY]))
    assert told.startswith(b"__Host-gate-choice=%b&a%%26b%%3Dc%%3B%%20d=; " % DATE)


def test_a_yes_over_a_signal_says_so() -> None:
    """So that the script does not take the signal for news."""
    (told,) = choose(b"action=accept&over_gpc=1", gate=SOLD, headers=[GPC])
    assert told.startswith(b"__Host-gate-choice=" + DATE + b"!&analytics=")
    (told,) = choose(b"action=accept", gate=SOLD, headers=[GPC])
    assert told.startswith(b"__Host-gate-choice=%b&analytics=%b&marketing=; " % (DATE, A))


def test_a_signal_that_is_recorded_takes_the_companion_along() -> None:
    """What it says may be too much now; the script asks the gate instead."""
    yes = b"__Host-gate=" + SOLD.site.tokens.write(
        Consent(granted=frozenset({"analytics", "marketing"}), id=ID, decided_at=NOW)
    )
    sold = b"%04x" % SOLD.site.stamps["marketing"][0]
    cookie = yes + b"; __Host-gate-choice=" + DATE + b"&analytics=" + A + b"&marketing=" + sold
    finish = forward(SOLD, ask(cookie=cookie, headers=[GPC])).finish([HTML], NOW)
    assert told_of(finish) == [GONE]
    assert told_of(forward(SOLD, ask(cookie=yes, headers=[GPC])).finish([HTML], NOW)) == []


def test_a_no_that_is_written_again_is_told_again() -> None:
    """They live as long as each other."""
    regions = Regions(country="X-Country", profiles=(Profile(places=("US",), regime="opt-out"),))
    gate = make_gate(regions=regions)
    cookie = cookie_of(at=TODAY - 250 * DAY)
    finish = forward(gate, ask(cookie=cookie)).finish([HTML], NOW)
    (own,) = lines_of(finish)
    assert own.startswith(b"__Host-gate=")
    assert told_of(finish) == [
        line(b"%d%b&analytics=&marketing=" % (NOW // DAY - 250, TAG), LONGEST),
    ]


def test_the_app_can_neither_set_nor_delete_it() -> None:
    """It is the gate's own, as the choice is."""
    finish = forward(GATE, ask()).finish(
        [(b"set-cookie", b"__Host-gate-choice=1; Path=/; Secure"), (b"set-cookie", GONE)], NOW
    )
    assert all_lines(finish) == []


def test_it_decides_nothing_here() -> None:
    """Whatever it says, a visitor without a choice is a newcomer."""
    value = DATE + b"&analytics=" + A + b"&marketing=" + M
    visit = visit_of(GATE, ask(cookie=b"__Host-gate-choice=" + value))
    assert (visit.granted, visit.decided) == ({"necessary"}, False)


def test_a_signal_that_takes_nothing_back_leaves_the_companion() -> None:
    """What was refused anyway is told already."""
    no = Consent(granted=frozenset({"analytics"}), denied=frozenset({"marketing"}), decided_at=NOW)
    cookie = b"__Host-gate=" + SOLD.site.tokens.write(no)
    told = DATE + b"&analytics=%04x&marketing=" % SOLD.site.stamps["analytics"][0]
    step = forward(SOLD, ask(cookie=cookie + b"; __Host-gate-choice=" + told, headers=[GPC]))
    assert told_of(step.finish([HTML], NOW)) == []


def test_scripts_know_by_the_key_whether_the_gate_can_read_the_choice() -> None:
    """What was signed with a key that is gone was told with its tag, which is gone as well."""
    new = b"another-key-of-thirty-two-bytes-or-more"
    both, only = make_gate([new, KEY]), make_gate([new])
    assert GATE.site.key_tags[0] in both.site.key_tags
    assert GATE.site.key_tags[0] not in only.site.key_tags
    (told,) = choose(b"action=reject", gate=both)
    assert told.startswith(
        b"__Host-gate-choice=%d.%b&" % (NOW // DAY, both.site.key_tags[0].encode())
    )


# --- what other answers do ------------------------------------------------------------------------


def asked(cookie: bytes, gate: Gate = GATE, now: float = NOW, method: str = "GET") -> list[bytes]:
    """What scripts are told when theirs asks the gate."""
    request = ask(method, "/_gate/banner", cookie=cookie)
    return told_of(reply(gate, request, now=now).response)


def test_no_answer_but_that_to_a_choice_tells_of_a_yes() -> None:
    """A slow one could arrive after the yes was taken back."""
    value = DATE + b"&analytics=" + A + b"&marketing="
    choice = cookie_of("analytics")
    for companion in (b"", value, DATE, b"x", DATE + b"&analytics=&other=1234", b"%ff=&%"):
        assert asked(choice + b"; __Host-gate-choice=" + companion) == []
    assert asked(choice) == []


def test_a_companion_that_says_more_than_the_choice_goes() -> None:
    """Whichever of several says so; what scripts do not believe any more does no harm."""
    choice = cookie_of("analytics")
    more = b"; __Host-gate-choice=" + DATE + b"&analytics=" + A + b"&marketing=" + M
    assert asked(choice + more) == [GONE]
    assert asked(choice + b"; __Host-gate-choice=x" + more) == [GONE]
    assert asked(choice + more.replace(M, b"ffff")) == []
    newer = make_gate([b"another-key-of-thirty-two-bytes-or-more", KEY])
    assert asked(choice + more.replace(b"&marketing=" + M, b""), newer) == []


def test_a_companion_without_a_choice_goes_when_its_script_asks() -> None:
    """Also that of a choice that nobody can read any more; a gate that reports takes nothing."""
    companion = b"__Host-gate-choice=" + DATE + b"&analytics=" + A
    assert asked(companion) == [GONE]
    assert asked(companion + b"; __Host-gate=x") == [GONE]
    assert asked(companion, make_gate(mode="report")) == []
    assert asked(b"_ga=1") == []


def test_other_answers_leave_it_alone() -> None:
    """The state, and pages of the app that ask for nothing."""
    state = reply(GATE, ask(path="/_gate/state", cookie=cookie_of("analytics"))).response
    assert told_of(state) == []
    finish = forward(GATE, ask(cookie=cookie_of("analytics"))).finish([HTML], NOW)
    assert told_of(finish) == []
    as_json = ask("POST", "/_gate/choice", headers=[SAME_ORIGIN, JSON])
    assert len(told_of(reply(GATE, as_json, b'{"action":"reject"}').response)) == 1
