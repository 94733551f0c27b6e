"""What the log and the operator's hook hear of the gate's decisions."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentgate import Action, Category, Decision, Gate, Policy, Rule, asgi
from consentgate.core.decision import UNNAMED, printable
from consentgate.core.http import Request
from consentgate.report import MAX_ERRORS, MAX_NAMES, MAX_SENT_NAMES, Reporter, describe

POLICY = Policy(
    version="1",
    categories=(
        Category(id="necessary", always=True, rules=(Rule(name="basket", category="necessary"),)),
        Category(id="analytics", rules=(Rule(name="_ga*", category="analytics"),)),
    ),
)
KEY = b"a key of more than thirty-two bytes for tests"
DROPPED = Decision(
    name="_ga",
    category="analytics",
    rule="_ga*",
    origin="policy",
    action=Action.DROPPED,
    reason="the visitor has not allowed analytics",
)

UNLISTED = replace(DROPPED, category=None, rule=None, origin=None, reason=UNNAMED)


def decisions(*headers: bytes | tuple[bytes, bytes], **changes: Any) -> tuple[Decision, ...]:
    """Return what the gate decides of these Set-Cookie values for a visitor without a choice."""
    gate = Gate(replace(POLICY, **changes), [KEY])
    lines = [one if isinstance(one, tuple) else (b"set-cookie", one) for one in headers]
    forward = gate.admit(Request("GET", "/"), 0.0, lambda: b"\0" * 10)
    return forward.finish(lines, 0.0).decisions


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """Return a function that gives the lines logged since it was last called."""
    caplog.set_level(logging.DEBUG, "consentgate")

    def lines() -> list[str]:
        found = [f"{record.levelname} {record.getMessage()}" for record in caplog.records]
        caplog.clear()
        return found

    return lines


Logged = Callable[[], list[str]]


# --- the log ------------------------------------------------------------------------------------


def test_a_refused_cookie_is_logged_with_its_rule(logged: Logged) -> None:
    """Which rule, which category, and why."""
    Reporter()(decisions(b"_ga=GA1.2.3"))
    assert logged() == [
        'WARNING dropped Set-Cookie "_ga": the visitor has not allowed analytics; '
        'rule "_ga*" of category analytics (said once for each name)'
    ]


def test_an_unlisted_cookie_is_logged_with_what_to_add(logged: Logged) -> None:
    """That no rule names it, and the very text to put into the file."""
    Reporter()(decisions(b"ab_test=B"))
    assert logged() == [
        'WARNING dropped Set-Cookie "ab_test": no rule names it, and unknown cookies are blocked; '
        'to let it leave, add "ab_test" to the cookies of a category of the policy '
        "(said once for each name)"
    ]


def test_report_mode_says_what_would_have_been_done(logged: Logged) -> None:
    """The same sentences, in the conditional."""
    Reporter()(decisions(b"_ga=1", b"ab_test=B", mode="report"))
    assert [line[:47] for line in logged()] == [
        'WARNING would have dropped Set-Cookie "_ga": th',
        'WARNING would have dropped Set-Cookie "ab_test"',
    ]


def test_a_name_is_logged_the_first_time_only(logged: Logged) -> None:
    """One line for each name, however many requests set it."""
    report = Reporter()
    for value in range(50):
        report(decisions(b"_ga=%d" % value, b"ab_test=%d" % value))
    assert [line.split('"')[1] for line in logged()] == ["_ga", "ab_test"]


def test_what_leaves_is_not_logged(logged: Logged) -> None:
    """Neither what is kept nor a deletion, which leaves in another form."""
    Reporter()(decisions(b"basket=1", b"_ga=; Max-Age=0; Path=/shop; foo=bar"))
    assert logged() == []


def test_a_deletion_does_not_use_up_the_line_of_a_cookie(logged: Logged) -> None:
    """A cookie that is first deleted and later set is logged when it is dropped."""
    report = Reporter()
    report(decisions(b"_ga=; Max-Age=0"))
    report(decisions(b"_ga=1"))
    assert [line.split(":")[0] for line in logged()] == ['WARNING dropped Set-Cookie "_ga"']


HTML = (b"content-type", b"text/html")


def arriving(cookie: bytes, *headers: tuple[bytes, bytes], **changes: Any) -> tuple[Decision, ...]:
    """Return what the gate decides for a newcomer who sends these cookies."""
    gate = Gate(replace(POLICY, **changes), [KEY])
    request = Request("GET", "/", headers=[(b"cookie", cookie), (b"host", b"localhost")])
    return gate.admit(request, 0.0, lambda: b"\0" * 10).finish([*headers], 0.0).decisions


def test_what_was_refused_is_hidden_and_expired_without_alarm(logged: Logged) -> None:
    """Each name once: that a refusal is carried out is for information."""
    report = Reporter()
    for _ in range(3):
        report(arriving(b"_ga=1; basket=2", HTML))
    assert logged() == [
        'INFO hidden from the app Cookie "_ga": the visitor has not allowed analytics; '
        'rule "_ga*" of category analytics (said once for each name)',
        'INFO expired Cookie "_ga": the visitor has not allowed analytics; '
        'rule "_ga*" of category analytics (said once for each name)',
    ]


def test_hiding_what_no_rule_names_is_a_warning_with_advice(logged: Logged) -> None:
    """The app may have needed it."""
    Reporter()(arriving(b"ab_test=1"))
    assert logged() == [
        'WARNING hidden from the app Cookie "ab_test": no rule names it, and unknown cookies are '
        'blocked; to let it be seen, add "ab_test" to the cookies of a category of the policy '
        "(said once for each name)"
    ]


def test_in_report_mode_what_would_have_been_done_is_a_warning(logged: Logged) -> None:
    """Also of what would be routine later: it is what the log is read for."""
    Reporter()(arriving(b"_ga=1", HTML, mode="report"))
    assert [line.split(":")[0] for line in logged()] == [
        'WARNING would have hidden from the app Cookie "_ga"',
        'WARNING would have expired Cookie "_ga"',
    ]


def test_what_is_changed_or_cannot_be_done_is_a_warning(logged: Logged) -> None:
    """The operator's cookies are changed, or a declaration is missing."""
    for action in (Action.SHORTENED, Action.HARDENED, Action.STUCK):
        Reporter()(
            [
                replace(
                    DROPPED, action=action, reason="it would live longer than the published 1 day"
                )
            ]
        )
    assert [line.split(":")[0] for line in logged()] == [
        'WARNING shortened Set-Cookie "_ga"',
        'WARNING hardened Set-Cookie "_ga"',
        'WARNING given up Cookie "_ga"',
    ]


def test_names_that_visitors_make_up_use_up_nobody_elses_lines(logged: Logged) -> None:
    """They have lines of their own, and not many."""
    report = Reporter()
    for number in range(MAX_SENT_NAMES + 50):
        report([replace(UNLISTED, name=f"made-up-{number}", action=Action.HIDDEN)])
    lines = logged()
    assert len(lines) == MAX_SENT_NAMES + 1
    assert lines[-1] == f"WARNING {MAX_SENT_NAMES} names reported; further ones are not"
    report(decisions(b"_ga=1"))
    assert len(logged()) == 1


def test_what_was_heard_is_bounded() -> None:
    """Decisions that are made anew each time fill no memory."""
    report = Reporter()
    for number in range(10_000):
        report([replace(DROPPED, name=f"n{number}")])
    assert len(report._heard) <= 4096


def test_a_header_that_is_no_cookie_is_called_a_header(logged: Logged) -> None:
    """What could end its own line is dropped whatever it is."""
    Reporter()(decisions((b"x-next", b"/a\r\nSet-Cookie: _ga=1")))
    assert logged() == [
        'WARNING dropped header "x-next": a header with CR, LF or NUL could become a second one '
        "(said once for each name)"
    ]


def test_an_unreadable_line_is_logged_without_its_text(logged: Logged) -> None:
    """Of what browsers read differently nothing is shown, for it may be a value."""
    Reporter()(decisions(b"_ga\x01=secret-value"))
    (line,) = logged()
    assert (line.startswith('WARNING dropped Set-Cookie "(unreadable)": '), "secret" in line) == (
        True,
        False,
    )


def test_a_nameless_cookie_is_logged_without_advice(logged: Logged) -> None:
    """It cannot be listed; what browsers store may be its value, so that is not shown."""
    Reporter()(decisions(b"=secret-value"))
    assert logged() == [
        'WARNING dropped Set-Cookie "(no name)": no rule names it, and unknown cookies are blocked '
        "(said once for each name)"
    ]


# --- names made to do harm ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b'x"; rule "basket', '"x\\"; rule \\"basket"'),
        ("bücher".encode(), '"bücher"'),
        ("a\u202eb".encode(), '"a\\u202eb"'),
        ("a\u2028b".encode(), '"a\\u2028b"'),
        ("a\x9bb".encode(), '"a\\x9bb"'),
        (b"a\xffb", '"a\\xffb"'),
        (b"a\r\nb\0\x1b[31mc\td", '"a\\r\\nb\\x00\\x1b[31mc\\td"'),
        (b"a" * 100, f'"{"a" * 100}"'),
        (b"a" * 101, f'"{"a" * 99}…"'),
    ],
)
def test_a_name_is_shown_in_quotes_that_it_cannot_end(
    logged: Logged, name: bytes, shown: str
) -> None:
    """Quotation marks and what is not printable are escaped; what is long is cut."""
    Reporter()((replace(UNLISTED, name=printable(name)),))
    (line,) = logged()
    assert (line.isprintable(), line.split(": ")[0]) == (
        True,
        f"WARNING dropped Set-Cookie {shown}",
    )


@pytest.mark.parametrize("name", [b"a\xe2\x80\xaeb", b"a" * 500])
def test_a_name_that_is_not_shown_as_it_is_is_not_offered_for_the_file(
    logged: Logged, name: bytes
) -> None:
    """Escaped or cut it would match nothing."""
    Reporter()((replace(UNLISTED, name=printable(name)),))
    (line,) = logged()
    assert "; to let it leave, name it, or its beginning and a *, in a category" in line


@given(lines=st.lists(st.binary(max_size=300).map(lambda rest: rest + b"=hunter2;x=hunter2")))
def test_every_line_is_one_printable_line_without_a_value(lines: list[bytes]) -> None:
    """Control characters, line ends, escape sequences, huge names: none reaches a log as it is."""
    for decision in decisions(*[line.replace(b"hunter", b"") for line in lines]):
        assert describe(decision).isprintable()
    for decision in decisions(*[b"n%d=hunter2; Path=/hunter2" % at for at in range(len(lines))]):
        text = describe(decision)
        assert (len(text) < 700, "hunter2" in text) == (True, False)


def test_the_log_is_bounded(logged: Logged) -> None:
    """An app that makes up names is told so once, and then no more."""
    report = Reporter()
    for number in range(MAX_NAMES * 2):
        report((replace(DROPPED, name=f"n{number}"),))
    lines = logged()
    assert (len(lines), lines[-1]) == (
        MAX_NAMES + 1,
        "WARNING 1000 names reported; further ones are not",
    )
    report(decisions(b"_ga=1"))
    assert logged() == []


def test_deletions_of_made_up_names_leave_the_log_alone(logged: Logged) -> None:
    """Apps often delete every cookie that a visitor sent: no name of a visitor's is counted."""
    report = Reporter()
    for number in range(MAX_NAMES * 2):
        report(decisions(b"n%d=; Max-Age=0" % number))
    report(decisions(b"_ga=1"))
    assert [line.split(":")[0] for line in logged()] == ['WARNING dropped Set-Cookie "_ga"']


# --- the hook -----------------------------------------------------------------------------------


def test_the_hook_hears_every_decision_in_order() -> None:
    """Kept, dropped and rewritten, each time anew."""
    heard: list[Decision] = []
    report = Reporter(heard.append)
    given = decisions(b"basket=1", b"_ga=1", b"_gid=; Max-Age=0")
    report(given)
    report(given)
    assert tuple(heard) == given + given
    assert [one.action for one in given] == [Action.KEPT, Action.DROPPED, Action.REWRITTEN]


def test_a_hook_that_raises_is_logged_and_raises_no_further(
    logged: Logged, caplog: pytest.LogCaptureFixture
) -> None:
    """The later decisions are still told, the log has the traceback."""
    heard: list[str] = []

    def hook(decision: Decision) -> None:
        heard.append(decision.name)
        raise LookupError(decision.name)

    Reporter(hook)(decisions(b"basket=1", b"a=1"))
    assert heard == ["basket", "a"]
    assert "LookupError: basket" in caplog.text
    assert [line.partition(":")[0] for line in logged()] == [
        "ERROR the on_decision hook failed (said once for each kind of error)",
        'WARNING dropped Set-Cookie "a"',
    ]


def test_the_log_of_failing_hooks_is_bounded(logged: Logged) -> None:
    """Once for each kind of error, and for so many kinds: every request would log it else."""

    def hook(decision: Decision) -> None:
        raise type(f"Error{decision.name}", (Exception,), {})

    report = Reporter(hook)
    for _ in range(3):
        for number in range(MAX_ERRORS * 2):
            report((replace(DROPPED, name=f"{number}", action=Action.KEPT),))
    assert len(logged()) == MAX_ERRORS


def test_a_hook_that_must_be_awaited_is_told_so(
    logged: Logged, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody awaits it, so that it would silently do nothing."""

    async def hook(decision: Decision) -> None:
        raise AssertionError("never runs")

    Reporter(hook)(decisions(b"basket=1"))
    assert "TypeError: on_decision is called, not awaited: no async function" in caplog.text
    assert len(logged()) == 1


def test_a_shutdown_in_a_hook_is_not_swallowed() -> None:
    """KeyboardInterrupt and its like are not the hook's errors."""

    def hook(decision: Decision) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Reporter(hook)(decisions(b"basket=1"))


def test_a_failing_hook_harms_no_answer(logged: Logged) -> None:
    """The response leaves as it would have, through a real shell."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"set-cookie", b"basket=1"), (b"set-cookie", b"_ga=1")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"page"})

    def hook(decision: Decision) -> None:
        raise ValueError("no")

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    gated = asgi.ConsentMiddleware(app, Gate(POLICY, [KEY]), on_decision=hook)
    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    asyncio.run(gated(scope, None, send))  # type: ignore[arg-type]
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert [value for name, value in sent[0]["headers"] if name == b"set-cookie"] == [b"basket=1"]
    assert len(logged()) == 2


# --- the sentences ------------------------------------------------------------------------------


def test_every_decision_can_be_said() -> None:
    """Kept and rewritten ones too, for whoever asks."""
    said = [
        describe(one)
        for one in decisions(b"basket=1", b"_ga=; Max-Age=0", b"x=; Max-Age=0", b"gate=1")
    ]
    assert said == [
        'kept Set-Cookie "basket": strictly necessary: needs no consent; '
        'rule "basket" of category necessary',
        'rewrote Set-Cookie "_ga": a deletion always leaves; '
        'the visitor has not allowed analytics; rule "_ga*" of category analytics',
        'rewrote Set-Cookie "x": a deletion always leaves; '
        "no rule names it, and unknown cookies are blocked",
        'dropped Set-Cookie "gate": only the gate itself sets its own cookie',
    ]


def test_where_unknown_cookies_may_leave_there_is_nothing_to_add() -> None:
    """The reason is told, and no advice."""
    (decision,) = decisions(b"x=1", unknown="allow")
    assert describe(decision) == (
        'kept Set-Cookie "x": no rule names it, and unknown cookies are allowed'
    )
