"""One request's Cookie header: whose its pairs are, which the app may see, which have to go."""

from __future__ import annotations

from dataclasses import replace
from time import process_time

import pytest

from consentgate.core.decision import Action
from consentgate.core.gate import Gate
from consentgate.core.policy import Rule
from consentgate.core.request_cookies import RequestCookies
from core.samples import KEY, NOW, POLICY, ask, cookie_of, forward, make_gate, names_sent

GATE = make_gate()
NO = cookie_of()
YES = cookie_of("analytics", "marketing")


def seen(cookie: bytes, gate: Gate = GATE) -> bytes:
    """The Cookie header that the app gets for this one."""
    visible = forward(gate, ask(cookie=cookie)).cookie
    return cookie if visible is None else visible


def strays(cookie: bytes, gate: Gate = GATE) -> list[bytes]:
    """The names of what a visitor with this header has on the device and must lose."""
    cookies = cookies_of(gate, cookie)
    visit = forward(gate, ask(cookie=cookie)).visit
    return [stray.name for stray in cookies.row.select(visit.peek()).strays]


def cookies_of(gate: Gate, cookie: bytes) -> RequestCookies:
    cookies = forward(gate, ask(cookie=cookie)).visit.cookies
    assert cookies is not None
    return cookies


@pytest.mark.parametrize(
    ("header", "names"),
    [
        (b"", set()),
        (b"a=1", {b"a"}),
        (b"a=1; b=2;c=3", {b"a", b"b", b"c"}),
        (b"d=3; d=1; d=2", {b"d"}),
        (b"\ta = 1 ", {b"a"}),
        (b"a", {b""}),
        (b"=a", {b""}),
        (b"a=b=c", {b"a"}),
        (b'j={"a":"b","c":1}; _ga=1', {b"j", b"_ga"}),
        (b"a[b]=1; _ga=1", {b"a[b]", b"_ga"}),
        (b'q="x; _ga=GA1; r=y"', {b"q", b"_ga", b"r"}),
        (b"ok=1; path=/x; _ga=1", {b"ok", b"path", b"_ga"}),
        (b"\xa0_ga=1", {b"\xa0_ga"}),
        (b"a=1, _ga=2", {b"a"}),
        (b"$Version=1; _ga=1", {b"$Version", b"_ga"}),
        (b"\x00=\xff", {b"\x00"}),
    ],
)
def test_a_cookie_header_is_read_as_browsers_write_it(header: bytes, names: set[bytes]) -> None:
    """Split at `;`, then at the first `=`: one odd cookie hides no other."""
    assert names_sent(header) == names


@pytest.mark.parametrize(
    ("cookie", "visible"),
    [
        (b"sid=1; _ga=2; lang_x=de", b"sid=1; lang_x=de"),
        (b"_ga=2; sid=1", b"sid=1"),
        (b"sid=1;_ga=2;lang=de", b"sid=1;lang=de"),
        (b"sid=1 ;  _ga=2;\tlang=de;", b"sid=1 ;\tlang=de;"),
        (b"sid=1; _ga=2; _ga=3; sid=4", b"sid=1; sid=4"),
        (b"_ga=1", b""),
        (b"_ga=1; stray=2; _fbp=3", b""),
        (b"stray=1; sid=2", b"sid=2"),
        (b"__Host-_ga=1; __Secure-sid=2", b"__Secure-sid=2"),
        (b"sid.0=a; sidC1=b; _gid.1=c", b"sid.0=a; sidC1=b"),
        (b'sid="a; _ga=b"', b'sid="a'),
        (b"sid=1; _ga", b"sid=1"),
        (b"sid=1; =_ga=2; =x", b"sid=1"),
        (b"sid", b""),  # without a name: no rule names it
        (b"sid=1; \xa0sid=2", b"sid=1"),
        (b"sid=caf\xe9; lang\xff=1", b"sid=caf\xe9; lang\xff=1"),
        (b"sid=1", b"sid=1"),
        (b"; ;; sid=1", b"; ;; sid=1"),
    ],
)
def test_what_may_not_be_used_is_not_there_for_the_app(cookie: bytes, visible: bytes) -> None:
    """For a newcomer: pairs go whole, and the rest stays byte for byte."""
    assert seen(cookie) == visible
    assert seen(cookie) == visible  # remembered or not


@pytest.mark.parametrize("name", ["my cookie", "l\xe0", "x _ga"])
def test_an_odd_name_that_the_site_needs_is_seen(name: str) -> None:
    """Unless some server would read it as one that was refused."""
    rule = Rule(name=name, category="necessary")
    necessary = replace(POLICY.categories[0], rules=(rule,))
    gate = Gate(replace(POLICY, categories=(necessary, *POLICY.categories[1:])), [KEY])
    header = b"_gid=1; " + name.encode() + b"=2"
    assert seen(header, gate) == (b"" if "_ga" in name else name.encode() + b"=2")


def test_what_the_visitor_allows_the_app_sees() -> None:
    """With consent the header is the very one that came, where every cookie is allowed."""
    header = YES + b"; sid=1; _ga=2; _fbp=3"
    assert forward(GATE, ask(cookie=header)).cookie is None
    some = cookie_of("analytics") + b"; sid=1; _ga=2; _fbp=3"
    assert seen(some) == cookie_of("analytics") + b"; sid=1; _ga=2"


def test_the_gates_own_cookie_is_always_seen_and_never_goes() -> None:
    """In both of its forms, valid or not; a nameless one of the same text is another cookie."""
    header = NO + b"; gate=x; __Host-gate=forged; sid=1"
    assert (seen(header), strays(header)) == (header, [])
    assert seen(b"gate; sid=1") == b"sid=1"


def test_unknown_names_follow_the_policy() -> None:
    """Where unknown cookies are allowed they are seen, but not under a name that is refused."""
    allowing = make_gate(unknown="allow")
    assert seen(b"stray=1; _ga=2; x y=3; other", allowing) == b"stray=1; x y=3; other"


@pytest.mark.parametrize(
    "name",
    [
        b"\xa0_gid",
        b"_gid\xa0",
        b"_gid\x85",
        b"\x0b_gid",
        b"_gid\x0c",
        b"\x1c_gid",
        b"\xc2\xa0_gid",
        b"_gid\xe3\x80\x80",
        b"x _gid",
        b"x\xa0_gid",
        b"",
    ],
)
def test_a_name_that_some_server_would_read_as_a_refused_one_is_hidden(name: bytes) -> None:
    """Starlette, Django, Litestar, WebOb and Bottle trim names as text, each in its own way."""
    pair = name + b"=1" if name else b"_gid"
    assert seen(b"stray=1; " + pair, make_gate(unknown="allow")) == b"stray=1"


def test_hiding_can_be_turned_off_and_a_gate_that_reports_only_counts() -> None:
    """The header is the one that came; what would have been hidden is told in report mode alone."""
    off, reporting = make_gate(hide=False), make_gate(mode="report")
    for gate in (off, reporting):
        assert forward(gate, ask(cookie=b"_ga=1; sid=2")).cookie is None
    decisions = forward(reporting, ask(cookie=b"_ga=1; _ga=2; sid=2")).finish([], NOW).decisions
    assert [(one.name, one.action, one.enforced) for one in decisions] == [
        ("_ga", Action.HIDDEN, False)
    ] * 2
    assert forward(off, ask(cookie=b"_ga=1")).finish([], NOW).decisions == ()


def test_on_a_path_that_is_excluded_nothing_is_hidden() -> None:
    """Machines and native clients send what they like."""
    gate = make_gate(exclude=("/webhooks/*",))
    assert forward(gate, ask(path="/webhooks/x", cookie=b"_ga=1")).cookie is None


def test_every_hidden_pair_is_a_decision() -> None:
    """Which rule, and why, and never a value."""
    finish = forward(GATE, ask(cookie=b"_ga=s3cret; stray=s3cret; s3cret; sid=1")).finish([], NOW)
    assert [(one.name, one.rule, one.action, one.reason) for one in finish.decisions] == [
        ("_ga", "_ga*", Action.HIDDEN, "the visitor has not allowed analytics"),
        ("stray", None, Action.HIDDEN, "no rule names it, and unknown cookies are blocked"),
        ("(no name)", None, Action.HIDDEN, "no rule names it, and unknown cookies are blocked"),
    ]


def test_only_what_a_rule_names_is_to_go() -> None:
    """An unknown cookie may belong to a neighbour; unless the policy says that it may not."""
    header = b"_ga=1; stray=2; _fbp=3; _ga=4; sid=5; __Host-_gid=6; \xa0_ga=7; a b=8"
    assert strays(header) == [b"_ga", b"_fbp", b"__Host-_gid"]
    expiring = make_gate(expire_unknown=True)
    assert strays(header, expiring) == [
        b"_ga",
        b"stray",
        b"_fbp",
        b"__Host-_gid",
        b"\xa0_ga",
        b"a b",
    ]
    assert strays(YES + b"; " + header) == []
    assert strays(cookie_of("analytics") + b"; " + header) == [b"_fbp"]


def test_a_nameless_cookie_goes_by_its_token() -> None:
    """Some servers take the token for a name, so the rule of that name counts."""
    assert strays(b"_ga; sid=1; other") == [b""]
    assert strays(b"sid; other") == []


def test_values_of_our_own_cookie_come_in_the_order_sent() -> None:
    """Every cookie of exactly this name counts, and none that only resembles it."""
    header = b"gate=1; xgate=2; Gate=3; gate = 4=; __Host-gate=5; gate ; =gate=6"
    for _ in range(2):
        cookies = cookies_of(GATE, header)
        assert cookies.own(b"gate") == [b"1", b"4="]
        assert cookies.own(b"__Host-gate") == [b"5"]


def test_the_same_names_with_other_values_are_told_apart() -> None:
    """What is remembered is never a value, and nothing of one visitor is another's."""
    for number in range(3000):
        header = b"sid=%d; _ga=%d; lang=%d" % (number, number, number % 7)
        assert seen(header) == b"sid=%d; lang=%d" % (number, number % 7)
    tokens = [cookie_of("analytics"), NO, YES, b"__Host-gate=forged"]
    for token, visible in zip(tokens * 2, [True, False, True, False] * 2, strict=True):
        assert (b"_ga=1" in seen(token + b"; _ga=1")) is visible


def test_a_token_without_a_name_is_not_taken_for_a_name_that_came_before() -> None:
    """The same text before and after, with `=` and without."""
    gate = make_gate()
    assert seen(b"sid=1; lang=2", gate) == b"sid=1; lang=2"
    assert seen(b"sid; lang=2==", gate) == b"lang=2=="
    assert seen(b"sid=1; lang=2", gate) == b"sid=1; lang=2"


def test_nothing_remembered_holds_a_value() -> None:
    """Neither a name's value nor a nameless cookie's token."""
    gate = make_gate()
    for header in (b"sid=s3cret; _ga=s3cret", b"s3cret-token; sid=1", b"=s3cret; sid=1"):
        forward(gate, ask(cookie=header))
    sorter = gate.lane("/").sorter
    remembered = [*sorter._rows.young, *sorter._headers.young, *gate.judge.remembered.young]
    assert remembered
    assert "s3cret" not in repr(remembered)
    assert all(isinstance(key, int) for key in sorter._headers.young)


def test_made_up_names_cannot_grow_the_memory() -> None:
    """Bounded in number and in size."""
    gate = make_gate()
    for number in range(3000):
        forward(gate, ask(cookie=b"made-up-%d=1; sid=2" % number))
    forward(gate, ask(cookie=b"; ".join(b"x%d=1" % number for number in range(65))))
    forward(gate, ask(cookie=b"x=" + b"y" * 9000))
    sorter = gate.lane("/").sorter
    assert len(sorter._rows) <= 512
    assert len(sorter._headers) <= 2048
    assert max(map(len, sorter._rows.young)) == 2


def test_a_row_of_made_up_names_is_not_remembered() -> None:
    """Each of them takes a kilobyte: a few are, since sites have a few that nobody listed."""
    gate = make_gate()
    for count, remembered in ((24, 1), (25, 0)):
        before = len(gate.lane("/").sorter._rows)
        cookie = b"; ".join(b"x%d_%d=1" % (count, number) for number in range(count))
        forward(gate, ask(cookie=b"sid=1; " + cookie))
        assert len(gate.lane("/").sorter._rows) - before == remembered
    for value in (b"=zz=1", b"=_gid=1"):  # the name of a nameless one is its value
        assert seen(value, make_gate(unknown="allow")) == seen(value, make_gate(unknown="allow"))
    allowing = make_gate(unknown="allow")
    assert [seen(b"=zz=1", allowing), seen(b"=_gid=1", allowing)] == [b"=zz=1", b""]


def test_several_cookie_fields_are_one() -> None:
    """HTTP/2 sends one field per cookie; what the app sees then is one field."""
    request = ask(cookie=b"sid=1", headers=[(b"cookie", b"_ga=2"), (b"cookie", b"lang=3")])
    assert forward(GATE, request).cookie == b"sid=1; lang=3"


def test_a_chunk_is_governed_by_its_rule() -> None:
    """Parts of a refused cookie go with it."""
    rule = Rule(name="profile", category="marketing")
    marketing = replace(POLICY.categories[2], rules=(rule,))
    gate = Gate(replace(POLICY, categories=(POLICY.categories[0], marketing)), [KEY])
    assert strays(b"profile=1; profile.0=2; profileC1=3; profile.x=4", gate) == [
        b"profile",
        b"profile.0",
        b"profileC1",
    ]


@pytest.mark.parametrize(
    "part",
    [b"_ga=1", b"x%d=1", b"=", b"token%d", b"\xff%d=1", b"_ga_%d=1", b";;;", b"a*b*%d=1"],
)
def test_a_header_of_64_kib_is_read_in_linear_time(part: bytes) -> None:
    """At most 5 ms, and ten times as much takes at most some thirteen times as long."""
    gate = make_gate()

    def seconds(size: int) -> float:
        best = 9.0
        for round_ in range(5):
            parts = []
            while sum(map(len, parts[-1:])) * len(parts) < size:
                number = len(parts) * 7 + round_ * 100_000
                parts.append(part % number if b"%d" in part else part)
            header = b"; ".join(parts)[:size]
            start = process_time()
            forward(gate, ask(cookie=header)).finish([(b"content-type", b"text/html")], NOW)
            best = min(best, process_time() - start)
        return best

    small, large = seconds(6_500), seconds(65_000)
    assert large < 0.1  # what it is on a quiet machine stands in benchmarks/
    assert large < 25 * small + 0.005
