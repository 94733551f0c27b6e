"""How refused cookies are removed from the device: by which lines, how many, and how often."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from consentgate.core.consent import Consent
from consentgate.core.decision import Action
from consentgate.core.expiry import (
    MAX_BYTES,
    MISDECLARED,
    UNDECLARED,
    room_beside,
)
from consentgate.core.gate import Finish, Gate
from consentgate.core.http import Header
from consentgate.core.policy import Category
from consentgate.core.removals import FIELD_BYTES, MAX_LINES
from core.removing import DEEP, HTML, NO, finish, gate_with, removals, rule
from core.samples import KEY, NOW, POLICY, ask, cookie_of, forward, make_gate

# --- how many -----------------------------------------------------------------------------------


def many(count: int, name: bytes = b"_ga_%d") -> bytes:
    return b"; ".join([NO, *(name % number + b"=1" for number in range(count))])


@pytest.mark.parametrize(
    "cookie",
    [
        many(4),
        many(16),
        many(200),
        many(60, b"_ga_" + b"x" * 90 + b"%d"),
        many(3, b"__Http-_ga_" + b"x" * 60 + b"%d") + b"; _ga_" + b"y" * 62 + b"=1",
    ],
)
def test_an_answer_gets_at_most_16_lines_and_2048_bytes(cookie: bytes) -> None:
    """The line of our own that counts the tries is among them."""
    found = finish(cookie).headers
    lines = [value for name, value in found if name == b"set-cookie"]
    assert 4 <= len(lines) <= MAX_LINES
    assert sum(len(line) + FIELD_BYTES for line in lines) <= MAX_BYTES


@pytest.mark.parametrize("size", [0, 1000, 2000, 3000, 3500, 4000, 10_000])
def test_what_is_added_fits_into_what_a_proxy_takes(size: int) -> None:
    """nginx keeps 4 KiB of headers by default, and answers 502 to more."""
    headers = [HTML, (b"x-filler", b"x" * size)]
    found = finish(many(200), headers=headers).headers
    before, after = (sum(len(n) + len(v) + 4 for n, v in one) for one in (headers, found))
    assert after == before or after < 4096 - 200
    assert (len(found) > 4) is (size <= 3500)


def test_the_room_is_what_is_left() -> None:
    """Lines and bytes, and never less than nothing."""
    assert room_beside(0, 0, 0) == (16, 2048)
    assert room_beside(0, 3, 300) == (13, 1748)
    assert room_beside(3000, 1, 0) == (15, 796)
    assert room_beside(9000, 20, 5) == (0, 0)


def test_declared_ones_come_first() -> None:
    """Whatever else there is, and wherever the turn is."""
    gate = gate_with(rule("known", path="/a"), rule("s*"))
    cookie = b"; ".join([b"s%d=1" % number for number in range(50)] + [b"known=1"])
    for now in range(NOW, NOW + 5):
        assert removals(cookie, gate, now=now)[0] == b"known=; Max-Age=0; Path=/a"


def test_more_declared_ones_than_fit_take_turns() -> None:
    """Each gets its line in the end."""
    gate = gate_with(rule("d*", path="/a"))
    cookie = b"; ".join(b"d%d=1" % number for number in range(40))
    gone: set[bytes] = set()
    for now in range(NOW, NOW + 40):
        lines = removals(cookie, gate, now=now)
        assert len(lines) == len(set(lines)) == 16
        gone.update(lines)
    assert len(gone) == 40


def test_declared_ones_do_not_starve_the_others() -> None:
    """Where they alone fill the answer, every other turn is the others'."""
    gate = gate_with(rule("d*", path="/wrong"), rule("plain"))
    pairs = [*(b"d%d=1" % number for number in range(20)), b"plain=1"]
    own = b"__Host-gate=" + gate.site.tokens.write(
        Consent(denied=gate.site.optional, decided_at=NOW)
    )
    tried: set[bytes] = set()
    for _ in range(9):
        found = finish(b"; ".join([own, *pairs]), gate)
        tried |= {line.partition(b"=")[0] for name, line in found.headers if name == b"set-cookie"}
        own = own_cookie(found) or own
    assert {pair.partition(b"=")[0] for pair in pairs} <= tried
    newcomer = b"; ".join(pairs)
    gone = {line for now in range(NOW, NOW + 40) for line in removals(newcomer, gate, now=now)}
    assert b"plain=; Max-Age=0; Path=/" in gone


def test_only_what_has_a_line_is_called_expired() -> None:
    """Of a hundred cookies the answer removes a few, and says so of those."""
    found = finish(many(100))
    lines = [value for name, value in found.headers if value.startswith(b"_ga_")]
    expired = [one.name for one in found.decisions if one.action is Action.EXPIRED]
    assert sorted(expired) == sorted({line.partition(b"=")[0].decode() for line in lines})


@pytest.mark.parametrize("count", [2, 40, 98])
def test_a_large_policy_leaves_room_for_its_own_cookie(count: int) -> None:
    """The refusal's own line grows with the categories, and is among what is counted."""
    ids = [f"optional-{number}" for number in range(count)]
    categories = (
        POLICY.categories[0],
        Category(id="analytics", rules=(rule("_ga*"),)),
        *(Category(id=id) for id in ids),
    )
    gate = Gate(replace(POLICY, categories=categories), [KEY])
    own = b"__Host-gate=" + gate.site.tokens.write(
        Consent(denied=gate.site.optional, decided_at=NOW)
    )
    headers = [HTML, (b"x-filler", b"x" * 2500)]
    found = finish(b"; ".join([own, many(60).partition(b"; ")[2]]), gate, headers=headers).headers
    assert own_cookie_of(found)
    assert sum(len(name) + len(value) + 4 for name, value in found) < 4096 - 200


def own_cookie_of(headers: Iterable[Header]) -> bool:
    return any(value.startswith(b"__Host-gate=") for _, value in headers)


def test_sets_that_change_to_and_fro_are_given_up_too() -> None:
    """Cookies of several paths come and go with the pages; there is an end to trying."""
    own, answers = NO, 0
    for visit in range(600):
        cookie = own + (b"; _ga=1" if visit % 2 else b"; _ga=1; _gid=2")
        found = finish(cookie)
        answers += own_cookie_of(found.headers)
        own = own_cookie(found) or own
    assert answers == 255


def test_for_who_has_made_no_choice_the_turn_is_a_function_of_time() -> None:
    """The same moment gives the same lines, and all have their turn, however regular the visits."""
    cookie = b"; ".join(b"_ga_%d=1" % number for number in range(20))
    assert removals(cookie) == removals(cookie)
    for period in (1, 5, 60, 3600):
        gone = {
            line
            for visit in range(60)
            for line in removals(cookie, now=NOW + visit * period, host=b"shop.example")
        }
        assert len(gone) == 60


def test_a_refusal_whose_count_does_not_arrive_takes_turns_by_time() -> None:
    """A browser may keep the choice and refuse to have it written again."""
    cookie = many(20)
    gone = {
        line
        for visit in range(80)
        for line in removals(cookie, now=NOW + visit * 7, host=b"shop.example")
    }
    assert len(gone) == 60


# --- how often ----------------------------------------------------------------------------------


def own_cookie(found: Finish) -> bytes:
    """The consent cookie that an answer sets, as it is sent back; b"" if there is none."""
    lines = [value for name, value in found.headers if value.startswith(b"__Host-gate=")]
    return lines[-1].partition(b";")[0] if lines else b""


def jar_after(lines: Iterable[bytes], jar: dict[bytes, bytes]) -> dict[bytes, bytes]:
    """What is left of a jar of (name: domain, or b"" for host-only) cookies at Path=/."""
    left = dict(jar)
    for line in lines:
        name, _, rest = line.partition(b"=")
        domain = rest.partition(b"; Domain=")[2].partition(b";")[0]
        if b"Path=/" in rest and b"Partitioned" not in rest and left.get(name) == domain:
            del left[name]
    return left


@pytest.mark.parametrize(
    ("jar", "most"),
    [
        ({b"_ga_%d" % n: b"" for n in range(200)}, 14),
        ({b"_ga_%d" % n: b"shop.example" for n in range(20)}, 3),
        ({b"_ga_%d" % n: b"shop.example" for n in range(200)}, 27),
        ({b"_ga_%d" % n: b"www.app.shop.example" for n in range(200)}, 54),
        (
            {
                b"_ga_%d" % n: [b"", b"shop.example", b"app.shop.example", DEEP][n % 4]
                for n in range(200)
            },
            34,
        ),
    ],
    ids=["host-only", "20 of the domain", "200 of the domain", "200 of the host", "scattered"],
)
def test_a_full_refusal_is_carried_out_in_so_many_answers(
    jar: dict[bytes, bytes], most: int
) -> None:
    """The place reached rides in the refusal's own cookie: no line is passed over."""
    own, answers = cookie_of("analytics"), 0
    while jar:
        cookie = b"; ".join([own, *(name + b"=1" for name in jar)])
        step = forward(make_gate(), ask("POST", cookie=cookie, host=DEEP))
        if not answers:
            step.visit.reject_all()
        found = step.finish([HTML], NOW)
        own = own_cookie(found) or own
        jar = jar_after([value for name, value in found.headers if name == b"set-cookie"], jar)
        answers += 1
        assert answers <= most


def test_after_three_tries_it_is_given_up_and_said() -> None:
    """A cookie at a path that nobody declared is out of reach. Then the answer is nobody's own."""
    own = NO
    actions = []
    for _ in range(5):
        found = finish(own + b"; _ga=1")
        actions.append(found.decisions[-1].action)
        own = own_cookie(found) or own
    assert actions == [Action.EXPIRED] * 3 + [Action.STUCK] * 2
    assert found.headers == [HTML]
    assert found.decisions[-1].reason == UNDECLARED


def test_what_is_still_there_is_looked_for_at_the_paths_above_the_page() -> None:
    """Scripts and some frameworks set cookies for the folder of the page: it is tried at last."""
    own, lines = NO, []
    for _ in range(4):
        found = finish(own + b"; _ga=1; __Host-_ga=2", path="/acct/orders")
        lines.append([value for name, value in found.headers if value.startswith(b"_ga=")])
        own = own_cookie(found) or own
    assert [len(one) for one in lines] == [4, 6, 6, 0]
    assert lines[1][4:] == [
        b"_ga=; Max-Age=0; Path=/acct",
        b"_ga=; Max-Age=0; Path=/acct/orders",
    ]


def test_a_wrong_declaration_is_called_one() -> None:
    """The rule says where the cookie is, and that is not where it is."""
    gate = gate_with(rule("x", path="/wrong"))
    own = b"__Host-gate=" + gate.site.tokens.write(
        Consent(denied=gate.site.optional, decided_at=NOW)
    )
    for _ in range(4):
        found = finish(own + b"; x=1", gate)
        own = own_cookie(found) or own
    assert found.decisions[-1].reason == MISDECLARED


def test_what_comes_later_gets_its_tries_too() -> None:
    """Giving up one cookie is not giving up another."""
    own = NO
    for _ in range(4):
        own = own_cookie(finish(own + b"; _ga=1")) or own
    assert removals(own + b"; _ga=1") == []
    assert len(removals(own + b"; _ga=1; _gid=2")) == 8
    assert len(removals(own + b"; _gid=2")) == 4


def test_counting_makes_the_refusal_no_younger() -> None:
    """It is written with what is left of its life, and says the same as before."""
    old = cookie_of(at=NOW - 100 * 86_400)
    found = finish(old + b"; _ga=1")
    (line,) = [value for _, value in found.headers if value.startswith(b"__Host-gate=")]
    assert b"; Max-Age=%d;" % ((400 - 100) * 86_400) in line
    before = forward(make_gate(), ask(cookie=old)).visit
    after = forward(make_gate(), ask(cookie=own_cookie(found))).visit
    assert (after.granted, after.decided_on) == (before.granted, before.decided_on)
    assert all(after.choice(id) == before.choice(id) for id in ("analytics", "marketing"))


def test_a_refusal_that_grows_old_is_written_again_for_its_whole_life() -> None:
    """Forgotten, it could be taken for no word at all; it says the same as before."""
    for days, life in ((200, 200), (201, 400)):
        old = cookie_of(at=NOW - days * 86_400)
        found = finish(old + b"; _ga=1")
        (line,) = [value for _, value in found.headers if value.startswith(b"__Host-gate=")]
        assert b"; Max-Age=%d;" % (life * 86_400) in line
        before = forward(make_gate(), ask(cookie=old)).visit
        after = forward(make_gate(), ask(cookie=own_cookie(found))).visit
        assert (after.granted, after.decided_on) == (before.granted, before.decided_on)


def test_a_choice_that_grants_something_is_never_written_by_visiting() -> None:
    """A slow answer could bring back a yes that was taken back meanwhile."""
    found = finish(cookie_of("marketing") + b"; _ga=1")
    assert own_cookie(found) == b""
    assert len(removals(cookie_of("marketing") + b"; _ga=1")) == 4


def test_a_gate_that_reports_removes_nothing_and_says_what_it_would() -> None:
    """The headers are the very list."""
    headers = [HTML]
    gate = make_gate(mode="report")
    found = forward(gate, ask(cookie=NO + b"; _ga=1")).finish(headers, NOW)
    assert found.headers is headers
    assert [(one.action, one.enforced) for one in found.decisions] == [
        (Action.HIDDEN, False),
        (Action.EXPIRED, False),
    ]
