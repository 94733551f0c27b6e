"""The gate: one request in, one step out."""

from __future__ import annotations

import pickle
from copy import deepcopy
from dataclasses import replace

import pytest

from consentgate.core.consent import Receipt, ResponseStarted
from consentgate.core.decision import Action
from consentgate.core.gate import Forward, Gate, NeedBody, Reply
from consentgate.core.http import Header
from consentgate.core.policy import Category, Policy, Rule
from core.samples import (
    DAY,
    FORM,
    ID,
    KEY,
    NOW,
    OLD_KEY,
    POLICY,
    REVISIONS,
    SAME_ORIGIN,
    TODAY,
    ask,
    cookie_of,
    forward,
    fresh_id,
    lines_of,
    make_gate,
    reply,
    sent,
    token_of,
)

GATE = make_gate()
REPORTING = make_gate(mode="report")
SHOP: list[Header] = [
    (b"Content-Type", b"text/html"),
    (b"Set-Cookie", b"sid=s; Path=/; HttpOnly"),
    (b"set-cookie", b"_ga=GA1; Max-Age=31536000"),
    (b"X-Frame-Options", b"DENY"),
    (b"SET-COOKIE", b"_fbp=fb.1"),
    (b" Set-Cookie", b"stray=1"),
    (b"ETag", b'"x"'),
]
VARY, PRIVATE = (b"vary", b"Cookie"), (b"cache-control", b"private")
YES = cookie_of("analytics", "marketing")
OWN_PARTITIONED_GONE = (
    b"__Host-gate=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/; Secure; HttpOnly; "
    b"Partitioned"
)


# --- what a request becomes ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "root", "own"),
    [
        ("/_gate/", "", True),
        ("/_gate", "", True),
        ("/_gate/state", "", True),
        ("/_gate/nothing", "", True),
        ("/_gate/state", "/shop", True),
        ("/shop/_gate/state", "/shop", True),
        ("/shop/_gate/state", "/shop/", True),
        ("/", "", False),
        ("/_gates", "", False),
        ("/_gate.json", "", False),
        ("/x/_gate/state", "", False),
        ("/shop/_gate/state", "", False),
        ("/other/_gate/state", "/shop", False),
        ("/_GATE/state", "", False),
        ("//_gate/state", "", False),
        ("", "", False),
        ("*", "", False),
    ],
)
def test_the_gates_own_paths_are_found_in_both_forms_of_a_mount(
    path: str, root: str, own: bool
) -> None:
    """Under the prefix, inside the mount, whether or not the path repeats the mount."""
    assert isinstance(GATE.begin(ask(path=path, root=root), NOW, fresh_id), Reply) is own


def test_the_prefix_is_the_policys() -> None:
    """Another prefix, other paths."""
    gate = make_gate(prefix="/privacy/choices")
    assert isinstance(gate.begin(ask(path="/privacy/choices/"), NOW, fresh_id), Reply)
    assert isinstance(gate.begin(ask(path="/_gate/"), NOW, fresh_id), Forward)


def test_a_choice_needs_its_body_and_anything_else_is_answered_at_once() -> None:
    """The three steps."""
    request = ask("POST", "/_gate/choice", headers=[FORM])
    step = GATE.begin(request, NOW, fresh_id)
    assert isinstance(step, NeedBody)
    assert step.limit == 4096
    assert step.too_large().response.status == 413
    assert isinstance(GATE.begin(ask("POST", "/choice", headers=[FORM]), NOW, fresh_id), Forward)


def test_a_websocket_is_let_through_whatever_its_path() -> None:
    """`admit` never answers with a page, and filters all the same."""
    step = GATE.admit(ask(path="/_gate/state", cookie=YES), NOW, fresh_id)
    assert step.visit.allows("analytics")
    plain = GATE.admit(ask(scheme="wss"), NOW, fresh_id)
    assert lines_of(plain.finish(SHOP, NOW)) == [b"sid=s; Path=/; HttpOnly"]


# --- finish -------------------------------------------------------------------------------------


def test_only_strictly_necessary_cookies_leave_for_a_newcomer() -> None:
    """Whole answer: other headers byte for byte in order, and shared caches kept away."""
    finish = forward(GATE, ask()).finish(SHOP, NOW)
    assert finish.headers == [
        (b"Content-Type", b"text/html"),
        (b"Set-Cookie", b"sid=s; Path=/; HttpOnly"),
        (b"X-Frame-Options", b"DENY"),
        (b"ETag", b'"x"'),
        VARY,
        PRIVATE,
    ]
    assert [(one.name, one.action) for one in finish.decisions] == [
        ("sid", Action.KEPT),
        ("_ga", Action.DROPPED),
        ("_fbp", Action.DROPPED),
        ("stray", Action.DROPPED),
    ]
    assert finish.receipt is None


def test_allowed_cookies_leave_as_they_came() -> None:
    """With consent the headers are those of the app; only the unknown cookie is missing."""
    finish = forward(GATE, ask(cookie=YES)).finish(SHOP, NOW)
    assert finish.headers == [header for header in SHOP if header[1] != b"stray=1"] + [
        VARY,
        PRIVATE,
    ]
    kept = [header for header in finish.headers if header in SHOP]
    assert all(any(one is given for given in SHOP) for one in kept)


def test_headers_without_any_cookie_leave_as_the_very_list() -> None:
    """Where nothing is to do nothing is made: no copy, no decision, no header."""
    headers = [(b"content-type", b"text/plain"), (b"x-a", b"\xff")]
    for cookie in (None, YES, b"__Host-gate=x"):
        step = forward(GATE, ask(cookie=cookie))
        assert step.finish(headers, NOW) == (headers, (), None)
        assert step.finish(headers, NOW).headers is headers


def test_necessary_cookies_alone_leave_the_answer_as_it_is() -> None:
    """A cookie that needs no consent makes no answer private: the app knows best."""
    headers = [(b"set-cookie", b"sid=1"), (b"cache-control", b"no-cache")]
    finish = forward(GATE, ask()).finish(headers, NOW)
    assert finish.headers is headers
    assert len(finish.decisions) == 1


def test_whether_nothing_is_to_do_can_be_asked_first() -> None:
    """`passes` is the short way to the same answer."""
    plain = [(b"content-type", b"text/plain")]
    for headers, passes in (
        (plain, True),
        ([], True),
        (SHOP, False),
        ([(b"x-a", b"1\r\n")], False),
        ([(b"x-a", b"1\n")], False),
        ([(b"x-a", b"1\0")], False),
    ):
        step = forward(GATE, ask(cookie=YES))
        step.finish(headers, NOW)  # names are known from here on
        assert step.passes(headers) is passes
    step = forward(GATE, ask(cookie=YES))
    assert step.visit.allows("analytics")
    assert not step.passes(plain)


def test_a_name_seen_for_the_first_time_does_not_pass_unread() -> None:
    """What is not known to be harmless goes the long way."""
    gate = make_gate()
    assert not forward(gate, ask()).passes([(b"x-new", b"1")])
    assert not forward(gate, ask()).passes([(b"set-cookie", b"_ga=1")])
    step = forward(gate, ask())
    step.passes([])
    with pytest.raises(ResponseStarted):
        step.visit.reject_all()


def test_the_same_headers_give_the_same_answer_again() -> None:
    """A shell may ask twice: WSGI allows start_response to be called again."""
    for cookie in (None, YES, YES + b"; " + YES):
        step = forward(GATE, ask(cookie=cookie))
        first = step.finish(SHOP, NOW)
        assert step.finish(SHOP, NOW) == first


def test_what_was_finished_is_finished() -> None:
    """Filtering the filtered changes nothing more."""
    step = forward(GATE, ask())
    once = step.finish(SHOP, NOW).headers
    assert forward(GATE, ask()).finish(once, NOW).headers == once


def test_the_headers_given_are_never_changed() -> None:
    """An app may send one shared list a thousand times."""
    before = list(SHOP)
    for cookie in (None, YES, b"__Host-gate=x"):
        forward(GATE, ask(cookie=cookie)).finish(SHOP, NOW)
        assert before == SHOP


def test_one_list_serves_every_visitor() -> None:
    """The same headers, two visitors in turn: neither sees what is the other's."""
    for _ in range(50):
        nobody = forward(GATE, ask()).finish(SHOP, NOW)
        somebody = forward(GATE, ask(cookie=YES)).finish(SHOP, NOW)
        assert b"_ga=GA1; Max-Age=31536000" not in lines_of(nobody)
        assert b"_ga=GA1; Max-Age=31536000" in lines_of(somebody)


@pytest.mark.parametrize("byte", [b"\r", b"\n", b"\0"])
def test_a_header_that_could_end_its_own_line_never_leaves(byte: bytes) -> None:
    """CR, LF or NUL in the name or value of any header: it is dropped, and said."""
    safe = (b"x-b", b"2")
    for name, value in (
        (b"x-a", b"1" + byte + b"Set-Cookie: _ga=1"),
        (b"x-a" + byte, b"1"),
        (b"x-a: 1" + byte + b"set-cookie", b"_ga=1"),
        (b"set-cookie", b"sid=1" + byte),
    ):
        finish = forward(GATE, ask(cookie=YES)).finish([(name, value), safe], NOW)
        assert finish.headers[:1] == [safe]
        assert [one.action for one in finish.decisions] == [Action.DROPPED]
        assert all(b"_ga" not in value for _, value in finish.headers)


@pytest.mark.parametrize("name", [b"Set-Cookie: _ga=1; x", b"set-cookie:"])
def test_a_header_name_that_holds_a_cookie_never_leaves(name: bytes) -> None:
    """Some servers write such a name to the wire as it is."""
    finish = forward(GATE, ask(cookie=YES)).finish([(name, b"1")], NOW)
    assert finish.headers == []
    assert [one.action for one in finish.decisions] == [Action.DROPPED]


@pytest.mark.parametrize(
    "name", [b" set-cookie", b"set-cookie ", b"set-cookie\t", b"\x0bSet-Cookie", b"set-cookie\xa0"]
)
def test_header_names_are_trimmed_as_servers_trim_them(name: bytes) -> None:
    """What a server makes a Set-Cookie of is one, and what is kept keeps its odd name."""
    headers = [(name, b"_ga=1"), (name, b"sid=1")]
    assert forward(GATE, ask()).finish(headers, NOW).headers == [headers[1], VARY, PRIVATE]


def test_the_deletion_of_a_refused_cookie_keeps_its_place() -> None:
    """Rewritten where it stood, so that a cookie set after it is still set after it."""
    headers = [
        (b"Set-Cookie", b"_ga=; Max-Age=0; Path=/; Domain=shop.example"),
        (b"set-cookie", b"sid=; Max-Age=0"),
        (b"x", b"y"),
    ]
    finish = forward(GATE, ask()).finish(headers, NOW)
    assert finish.headers == [
        (
            b"Set-Cookie",
            b"_ga=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/; Domain=shop.example",
        ),
        *headers[1:],
        VARY,
        PRIVATE,
    ]
    assert [one.action for one in finish.decisions] == [Action.REWRITTEN, Action.KEPT]


def test_what_the_clock_says_decides_whether_an_expiry_is_past() -> None:
    """Time is an argument."""
    line = b"_ga=; Expires=Mon, 02 Nov 2026 18:00:00 GMT"
    step = forward(GATE, ask())
    assert lines_of(step.finish([(b"set-cookie", line)], NOW)) == []
    assert len(lines_of(step.finish([(b"set-cookie", line)], NOW + DAY))) == 1


def test_prefixed_forms_of_a_listed_name_are_that_name() -> None:
    """`__Host-sid` and `__Secure-sid` leave as `sid` does; `__Secure-_ga` does not."""
    assert sent(GATE, b"__Host-sid=1; Secure; Path=/", b"__Secure-sid=1", b"__Secure-_ga=1") == [
        b"__Host-sid=1; Secure; Path=/",
        b"__Secure-sid=1",
    ]


def test_an_answer_that_depended_on_consent_says_so() -> None:
    """The app read consent: Vary and private, though no cookie was set."""
    step = forward(GATE, ask())
    step.visit.allows("analytics")
    finish = step.finish([(b"vary", b"Accept"), (b"cache-control", b"public, max-age=60")], NOW)
    assert finish.headers == [
        (b"vary", b"Accept, Cookie"),
        (b"cache-control", b"max-age=60, private"),
    ]


def test_headers_can_be_taken_away_where_none_can_be_added() -> None:
    """An old WebSocket handshake takes no header, yet loses the ones that may not leave.

    A choice that no cookie can carry is not recorded, so there is no receipt of it either.
    """
    step = GATE.admit(ask(cookie=YES + b"; " + YES), NOW, fresh_id)
    step.visit.reject_all()
    finish = step.finish([(b"set-cookie", b"_ga=1"), (b"x", b"y")], NOW, can_add=False)
    assert (finish.headers, finish.receipt) == ([(b"x", b"y")], None)


# --- changes made by the app --------------------------------------------------------------------


def test_what_consent_is_at_the_start_of_the_answer_counts_for_every_cookie() -> None:
    """Added before or after the handler's change: one decision, on the consent as it is then."""
    step = forward(GATE, ask(cookie=YES))
    step.visit.reject_all()
    finish = step.finish(SHOP, NOW)
    lines = lines_of(finish)
    assert lines[:-1] == [b"sid=s; Path=/; HttpOnly"]
    assert lines[-1].startswith(b"__Host-gate=")
    assert finish.receipt == Receipt(
        action="reject",
        id=None,
        decided_at=TODAY,
        version="2026-11",
        granted=(),
        denied=("analytics", "marketing"),
    )
    granting = forward(GATE, ask("POST", headers=[SAME_ORIGIN]))
    granting.visit.accept_all()
    lines = lines_of(granting.finish(SHOP, NOW))
    assert b"_ga=GA1; Max-Age=31536000" in lines
    assert lines[-1] == (
        b"__Host-gate="
        + token_of("analytics", "marketing")
        + b"; Max-Age=15724800; Path=/; Secure; HttpOnly; SameSite=Lax"
    )


def test_a_cookie_of_the_gates_name_set_by_the_app_is_replaced_by_ours() -> None:
    """The app cannot forge consent, even while it changes it."""
    step = forward(GATE, ask())
    step.visit.reject_all()
    forged = [(b"set-cookie", b"__Host-gate=forged; Secure; Path=/"), (b"set-cookie", b"gate=x")]
    (line,) = lines_of(step.finish(forged, NOW))
    assert line.startswith(b"__Host-gate=" + token_of(at=TODAY))


def test_duplicates_of_a_refusal_are_expired_when_the_app_or_a_cookie_asks() -> None:
    """Before that nobody has looked; then the others go and the refusal is written again."""
    cookie = cookie_of(at=TODAY) + b"; " + YES
    untouched = [(b"x", b"y")]
    assert forward(GATE, ask(cookie=cookie)).finish(untouched, NOW).headers is untouched
    for headers, read in ((untouched, True), ([(b"set-cookie", b"_ga=1")], False)):
        step = forward(GATE, ask(cookie=cookie))
        if read:
            step.visit.allows("analytics")
        expired, kept = lines_of(step.finish(headers, NOW))
        assert expired == OWN_PARTITIONED_GONE
        assert kept.startswith(b"__Host-gate=" + token_of(at=TODAY))


def test_finishing_closes_the_visit_to_changes() -> None:
    """Too late is an error that can be seen."""
    step = forward(GATE, ask())
    step.finish([], NOW)
    with pytest.raises(ResponseStarted):
        step.visit.reject_all()


# --- report mode, excluded paths, trailers ------------------------------------------------------


def test_report_mode_changes_nothing_and_says_what_it_would_have_done() -> None:
    """The very list comes back, byte for byte; the decisions are marked as not enforced."""
    headers = [*SHOP, (b"x-a", b"1\r\nSet-Cookie: _ga=1"), (b"cache-control", b"public")]
    for cookie in (None, YES, YES + b"; " + YES, b"__Host-gate=x; __Host-gate=y"):
        finish = forward(REPORTING, ask(cookie=cookie)).finish(headers, NOW)
        assert finish.headers is headers
        assert [one.enforced for one in finish.decisions] == [False] * 5
    finish = forward(REPORTING, ask()).finish(headers, NOW)
    assert [one.action for one in finish.decisions] == [
        Action.KEPT,
        Action.DROPPED,
        Action.DROPPED,
        Action.DROPPED,
        Action.DROPPED,
    ]


def test_a_choice_is_recorded_in_report_mode_too() -> None:
    """Visitors may choose before the policy is enforced; the app's own cookies still all leave."""
    step = forward(REPORTING, ask())
    step.visit.reject_all()
    lines = lines_of(step.finish(SHOP, NOW))
    assert lines[:-1] == [b"sid=s; Path=/; HttpOnly", b"_ga=GA1; Max-Age=31536000", b"_fbp=fb.1"]
    assert lines[-1].startswith(b"__Host-gate=")


@pytest.mark.parametrize(
    ("path", "root", "gated"),
    [
        ("/webhooks/pay", "", False),
        ("/webhooks/", "", False),
        ("/webhooks", "", True),
        ("/health", "", False),
        ("/healthy", "", True),
        ("/api/webhooks/pay", "", True),
        ("/shop/webhooks/pay", "/shop", False),
        ("/webhooks/pay", "/shop", False),
        ("/", "", True),
    ],
)
def test_excluded_paths_are_not_gated(path: str, root: str, gated: bool) -> None:
    """Machines and native clients: every header leaves as it came, and trailers too."""
    gate = make_gate(exclude=("/webhooks/*", "/health"))
    step = forward(gate, ask(path=path, root=root))
    finish = step.finish(SHOP, NOW)
    trailers = [(b"set-cookie", b"_ga=1")]
    assert (finish.headers is SHOP) is not gated
    assert (finish.decisions == ()) is not gated
    assert (step.trailers(trailers) == trailers) is not gated


def test_the_gates_own_pages_cannot_be_excluded() -> None:
    """A visitor can always change their mind."""
    gate = make_gate(exclude=("*",))
    assert reply(gate, ask(path="/_gate/")).response.status == 200


def test_consent_can_be_read_and_changed_on_an_excluded_path() -> None:
    """Not gated means that cookies are let through, not that consent is unknown."""
    gate = make_gate(exclude=("/webhooks/*",))
    step = forward(gate, ask(path="/webhooks/x", cookie=YES))
    assert step.visit.allows("analytics")
    step.visit.reject_all()
    assert lines_of(step.finish(SHOP, NOW))[-1].startswith(b"__Host-gate=")


def test_a_cookie_is_never_a_trailer() -> None:
    """Set-Cookie, in any disguise, goes; other trailers leave as they came."""
    trailers = [
        (b"server-timing", b"x"),
        (b"Set-Cookie", b"sid=1"),
        (b"set-cookie ", b"_ga=1"),
        (b"x-a", b"1\r\nSet-Cookie: _ga=1"),
        (b"x-b: 1\nset-cookie", b"1"),
        (b"etag", b"y"),
    ]
    step = forward(GATE, ask(cookie=YES))
    assert step.trailers(trailers) == [(b"server-timing", b"x"), (b"etag", b"y")]
    assert forward(REPORTING, ask()).trailers(trailers) is trailers


# --- making a gate ------------------------------------------------------------------------------


@pytest.mark.parametrize("keys", [[], [b""], [b"x" * 31], [KEY, b"short"]])
def test_a_gate_needs_keys_of_32_bytes(keys: list[bytes]) -> None:
    """Missing or short keys are found when the gate is made, and not shown."""
    with pytest.raises(ValueError, match="32 bytes or more"):
        Gate(POLICY, keys)


def test_rules_that_tie_are_found_when_the_gate_is_made() -> None:
    """With both rules and a name that they would fight over."""
    rules = (Rule(name="_fbp*", category="ads"), Rule(name="*_fbp", category="other"))
    policy = Policy(
        version="1",
        categories=(
            Category(id="ads", rules=rules[:1]),
            Category(id="other", rules=rules[1:]),
        ),
    )
    with pytest.raises(ValueError, match=r"'_fbp\*' and '\*_fbp' tie over '_fbp_fbp'"):
        Gate(policy, [KEY])


def test_a_changed_key_keeps_the_choices_made_before() -> None:
    """Newest first: what the old key signed is read, and what is written is signed by the new."""
    old, both, new = make_gate([OLD_KEY]), make_gate([KEY, OLD_KEY]), make_gate([KEY])
    cookie = cookie_of("analytics", gate=old)
    step = forward(both, ask(cookie=cookie))
    assert step.visit.allows("analytics")
    step.visit.set(marketing=False)
    written = lines_of(step.finish([], NOW))[0].partition(b";")[0]
    assert forward(new, ask(cookie=written)).visit.allows("analytics")
    assert not forward(old, ask(cookie=written)).visit.allows("analytics")
    assert not forward(new, ask(cookie=cookie)).visit.allows("analytics")


KNOWN = (
    Rule(name="sessionid", category="anything", origin="Django"),
    Rule(name="_gid", category="anything", origin="somewhere"),
)


def test_names_known_without_being_listed_are_strictly_necessary() -> None:
    """Whatever category they are said to have, and unless the policy says otherwise."""
    gate = Gate(POLICY, [KEY], known=KNOWN)
    assert sent(gate, b"sessionid=1", b"_gid=1") == [b"sessionid=1"]
    essential = replace(POLICY, categories=(Category(id="essential", always=True),))
    assert sent(Gate(essential, [KEY], known=KNOWN), b"sessionid=1", b"_gid=1") == [
        b"sessionid=1",
        b"_gid=1",
    ]
    assert sent(Gate(Policy(version="1"), [KEY], known=KNOWN), b"sessionid=1", b"x=1") == [
        b"sessionid=1"
    ]


def test_a_gate_can_learn_more_names() -> None:
    """The names an app was asked for join those known before; the first gate stays as it was."""
    gate = Gate(POLICY, [KEY], known=KNOWN)
    wiser = gate.knowing([Rule(name="shop_session", category="x", origin="the app's session")])
    assert sent(wiser, b"sessionid=1", b"shop_session=1") == [b"sessionid=1", b"shop_session=1"]
    assert sent(gate, b"sessionid=1", b"shop_session=1") == [b"sessionid=1"]
    assert forward(wiser, ask(cookie=YES)).visit.allows("analytics")


def test_a_policy_may_let_unknown_cookies_through() -> None:
    """`unknown = "allow"`: only what a rule names is held back."""
    assert sent(make_gate(unknown="allow"), b"stray=1", b"_ga=1") == [b"stray=1"]


def test_outside_the_gate_everybody_is_a_newcomer() -> None:
    """Nothing granted, nothing grantable, and no cookie read."""
    visit = GATE.newcomer()
    assert (visit.granted, visit.decided, visit.id) == (frozenset({"necessary"}), False, None)
    assert not visit.allows("analytics")
    with pytest.raises(PermissionError):
        visit.accept_all()
    visit.reject_all()


def test_an_answer_of_the_gate_carries_its_receipt() -> None:
    """The proof of a choice comes with the answer, to be written before it is sent."""
    answer = reply(
        GATE, ask("POST", "/_gate/choice", headers=[FORM, SAME_ORIGIN]), b"action=accept"
    )
    assert answer.receipt == Receipt(
        action="accept",
        id=ID,
        decided_at=NOW,
        version="2026-11",
        granted=("analytics", "marketing"),
        denied=(),
        revisions=REVISIONS,
    )


def test_every_category_and_rule_can_be_asked_of_a_gate() -> None:
    """`explain` asks the very objects that decide."""
    assert GATE.judge.rule(b"_ga_1").name == "_ga*"  # type: ignore[union-attr]
    assert GATE.site.optional == {"analytics", "marketing"}


def test_neither_keys_nor_cookies_are_shown_or_pickled() -> None:
    """A repr in a log or a copy in a queue holds no secret."""
    with pytest.raises(TypeError, match="never pickled"):
        pickle.dumps(GATE)
    assert deepcopy(GATE) is GATE
    step = forward(GATE, ask(cookie=YES))
    finish = step.finish([(b"set-cookie", b"sid=s3cr3t")], NOW)
    answer = reply(
        GATE, ask("POST", "/_gate/choice", headers=[FORM, SAME_ORIGIN]), b"action=accept"
    )
    for shown in map(repr, (GATE, GATE.site, step, step.visit, finish, answer, answer.response)):
        assert KEY.decode() not in shown
        assert "s3cr3t" not in shown
        assert "gate=" not in shown
