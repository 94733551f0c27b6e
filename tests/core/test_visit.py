"""One request's visitor: what handlers read and change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from consentgate.core.consent import (
    Choice,
    Consent,
    GrantRefused,
    Receipt,
    ResponseStarted,
    UnknownCategory,
)
from consentgate.core.gate import Gate
from consentgate.core.policy import CHOICE_LIFETIME, Policy
from consentgate.core.record import LONGEST, receipt
from consentgate.core.recorded import CLOCK_SKEW, MAX_TWINS
from consentgate.core.visit import Visit
from core.samples import (
    DAY,
    ID,
    KEY,
    NOW,
    OLD_KEY,
    POLICY,
    REVISIONS,
    SAME_ORIGIN,
    TODAY,
    ask,
    choice_lines,
    cookie_of,
    fresh_id,
    make_gate,
    token_of,
    visit_of,
)

ALWAYS = frozenset({"necessary"})
ALL = frozenset({"necessary", "analytics", "marketing"})
GATE = make_gate()


def arriving(cookie: bytes | None = None, *, now: float = NOW, gate: Gate = GATE) -> Visit:
    return visit_of(gate, ask(cookie=cookie), now)


def posting(cookie: bytes | None = None, *, gate: Gate = GATE) -> Visit:
    """A visit that proves that a page of the site made it."""
    return visit_of(gate, ask("POST", cookie=cookie, headers=[SAME_ORIGIN]))


def seen(visit: Visit) -> tuple[frozenset[str], bool, bool]:
    return visit.granted, visit.decided, visit.needs_choice


def stored(visit: Visit) -> Consent | None:
    """What the one cookie that this visit writes would say next time; None: it is removed."""
    (line,) = choice_lines(visit)
    pair = line.partition(b";")[0]
    assert pair.startswith(b"__Host-gate=")
    return GATE.site.tokens.read(pair.partition(b"=")[2])


def lifetime(visit: Visit) -> int:
    (line,) = choice_lines(visit)
    return int(line.partition(b"Max-Age=")[2].partition(b";")[0])


# --- reading ------------------------------------------------------------------------------------


def test_a_newcomer_has_granted_nothing_and_is_to_be_asked() -> None:
    """Everything a handler can read, for somebody without any cookie."""
    visit = arriving()
    assert seen(visit) == (ALWAYS, False, True)
    assert [visit.allows(id) for id in ("necessary", "analytics", "marketing")] == [
        True,
        False,
        False,
    ]
    assert [visit.choice(id) for id in ("necessary", "analytics")] == [
        Choice.GRANTED,
        Choice.UNSET,
    ]
    assert (visit.id, visit.decided_on, visit.version) == (None, None, "2026-11")
    assert (visit.region, visit.gpc, bool(visit.gpc)) == (None, "absent", False)


def test_somebody_who_accepted_has_granted_everything() -> None:
    """Everything a handler can read after "accept all"."""
    visit = arriving(cookie_of("analytics", "marketing"))
    assert seen(visit) == (ALL, True, False)
    assert visit.choice("marketing") is Choice.GRANTED
    assert (visit.id, visit.decided_on) == (ID, NOW)


def test_somebody_who_refused_has_decided_too() -> None:
    """A no is a choice: nobody is asked again, and there is no id."""
    visit = arriving(cookie_of(at=TODAY))
    assert seen(visit) == (ALWAYS, True, False)
    assert visit.choice("analytics") is Choice.DENIED
    assert (visit.id, visit.decided_on) == (None, TODAY)


def test_a_new_category_is_asked_for_while_the_old_choice_stands() -> None:
    """What was said of analytics holds; marketing was never asked."""
    visit = arriving(cookie_of("analytics", denied=()))
    assert seen(visit) == (ALWAYS | {"analytics"}, True, True)
    assert visit.choice("marketing") is Choice.UNSET


def test_a_policy_without_optional_categories_asks_nothing() -> None:
    """Where there is nothing to choose there is no choice to make."""
    visit = arriving(gate=Gate(Policy(version="1"), [KEY]))
    assert seen(visit) == (ALWAYS, False, False)


@pytest.mark.parametrize(
    "ask_for",
    [
        lambda visit: visit.allows("analytic"),
        lambda visit: visit.choice("analytic"),
        lambda visit: visit.set(analytic=True),
        lambda visit: visit.set(analytic=False),
        lambda visit: visit.save(["analytic"]),
    ],
)
def test_an_unknown_category_is_a_programmers_mistake(ask_for: Callable[[Visit], object]) -> None:
    """The ids that exist are told; nothing is changed."""
    visit = posting()
    with pytest.raises(UnknownCategory) as problem:
        ask_for(visit)
    assert problem.value.known == ("necessary", "analytics", "marketing")
    assert not visit.changed


def test_nothing_is_looked_at_before_somebody_asks() -> None:
    """Making a visit reads no cookie; whether the app asked is known."""
    visit = arriving(cookie_of("analytics"))
    assert not visit.read
    assert visit.peek() == ALWAYS | {"analytics"}
    assert not visit.read
    assert visit.allows("analytics")
    assert visit.read


# --- believing ----------------------------------------------------------------------------------

UNBELIEVABLE = {
    "rubbish": b"__Host-gate=x",
    "empty": b"__Host-gate=",
    "of a lost key": b"__Host-gate=" + token_of("analytics", gate=make_gate([OLD_KEY])),
    "changed": cookie_of("analytics")[:-2] + b"AA",
    "from the future": cookie_of("analytics", at=NOW + CLOCK_SKEW + 1),
    "over 1 KiB": cookie_of("analytics") + b"A" * 1024,
    "quoted": b'__Host-gate="' + token_of("analytics") + b'"',
    "with a tail": cookie_of("analytics") + b" x",
}


@pytest.mark.parametrize("cookie", UNBELIEVABLE.values(), ids=UNBELIEVABLE.keys())
def test_a_consent_cookie_that_cannot_be_believed_is_a_no(cookie: bytes) -> None:
    """Present but unreadable: every optional category is refused, and nothing was decided."""
    visit = arriving(cookie)
    assert seen(visit) == (ALWAYS, False, True)
    assert [visit.allows(id) for id in ("analytics", "marketing")] == [False, False]
    assert (visit.id, visit.decided_on) == (None, None)
    assert choice_lines(visit) == []


def test_a_clock_may_run_a_minute_ahead() -> None:
    """Servers' clocks differ a little; more than that is a token from the future."""
    assert CLOCK_SKEW == 60
    assert arriving(cookie_of("analytics", at=NOW + 60)).allows("analytics")
    assert not arriving(cookie_of("analytics", at=NOW + 61)).allows("analytics")


def test_a_yes_lapses_after_half_a_year() -> None:
    """Exactly the lifetime is still within; a second more and the visitor is asked again."""
    cookie = cookie_of("analytics", "marketing")
    assert seen(arriving(cookie, now=NOW + CHOICE_LIFETIME)) == (ALL, True, False)
    assert seen(arriving(cookie, now=NOW + CHOICE_LIFETIME + 1)) == (ALWAYS, False, True)


def test_a_no_does_not_lapse_with_the_yes_beside_it() -> None:
    """Of an old mixed choice the refusal stands, without the id."""
    visit = arriving(cookie_of("analytics"), now=NOW + CHOICE_LIFETIME + 1)
    assert seen(visit) == (ALWAYS, True, True)
    assert (visit.choice("analytics"), visit.choice("marketing")) == (Choice.UNSET, Choice.DENIED)
    assert visit.id is None


def test_a_refusal_does_not_lapse() -> None:
    """However old, a browser that still keeps it still says no; when old it is asked again."""
    for age, asks in ((CHOICE_LIFETIME, False), (10 * CHOICE_LIFETIME, True)):
        visit = arriving(cookie_of(at=TODAY), now=TODAY + age)
        assert seen(visit) == (ALWAYS, True, asks)
        assert visit.choice("analytics") is Choice.DENIED


def test_an_overlong_cookie_header_is_a_no() -> None:
    """Beyond 64 KiB or 512 cookies every optional category is refused; it is never an error."""
    yes = cookie_of("analytics")
    within = yes + b"; a=" + b"x" * (65_536 - len(yes) - 4)
    assert len(within) == 65_536
    assert arriving(within).allows("analytics")
    assert seen(arriving(within + b"x")) == (ALWAYS, False, True)
    many = yes + b"; a=1" * 511
    assert arriving(many).allows("analytics")
    assert seen(arriving(many + b"; b=1")) == (ALWAYS, False, True)


def test_several_cookie_headers_are_one() -> None:
    """HTTP/2 sends a field per cookie; consent may stand in any, and the caps count all."""
    fields = [b"a=1", cookie_of("analytics"), b"b=2"]
    request = ask(headers=[(b"cookie", field) for field in fields])
    assert visit_of(GATE, request).allows("analytics")
    request = ask(headers=[(b"cookie", field) for field in [*fields, *[b"c=3"] * 510]])
    assert not visit_of(GATE, request).allows("analytics")


@pytest.mark.parametrize(
    ("host", "scheme", "headers", "read_under"),
    [
        (b"shop.example", "https", [], b"__Host-gate"),
        (b"shop.example", "http", [], b"__Host-gate"),
        (b"localhost:8000", "https", [], b"__Host-gate"),
        (b"localhost:8000", "http", [], b"gate"),
        (b"127.0.0.1:8000", "http", [], b"gate"),
        (b"testserver", "http", [], b"gate"),
        (b"localhost", "http", [(b"x-forwarded-for", b"1.2.3.4")], b"__Host-gate"),
        (b"localhost", "http", [(b"x-forwarded-proto", b"http")], b"__Host-gate"),
        (b"localhost", "http", [(b"forwarded", b"for=1.2.3.4")], b"__Host-gate"),
        (b"localhost", "http", [(b"via", b"1.1 proxy")], b"__Host-gate"),
        (None, "http", [], b"__Host-gate"),
    ],
)
def test_the_consent_cookie_is_read_under_one_name_only(
    host: bytes | None, scheme: str, headers: list[tuple[bytes, bytes]], read_under: bytes
) -> None:
    """Plain `gate` is for development alone: elsewhere a sub-domain could plant it."""
    for name in (b"gate", b"__Host-gate"):
        request = ask(
            host=host, scheme=scheme, headers=headers, cookie=cookie_of("analytics", name=name)
        )
        visit = visit_of(GATE, request)
        assert visit.allows("analytics") is (name == read_under)
        visit.reject_all()
        assert choice_lines(visit)[0].startswith(read_under + b"=")


# --- duplicates ---------------------------------------------------------------------------------

OLDER, NEWER = cookie_of("analytics", at=NOW - DAY), cookie_of("marketing", at=NOW)
PARTITIONED_GONE = (
    b"__Host-gate=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/; Secure; HttpOnly; "
    b"Partitioned"
)


@pytest.mark.parametrize(
    ("cookies", "granted"),
    [
        ([OLDER, NEWER], {"marketing"}),
        ([NEWER, OLDER], {"marketing"}),
        ([OLDER, cookie_of(at=TODAY)], set()),
        ([cookie_of(at=TODAY), cookie_of("analytics", at=NOW)], set()),
        ([cookie_of("analytics", at=NOW), cookie_of(at=TODAY)], set()),
        ([cookie_of("analytics"), cookie_of("analytics", "marketing")], {"analytics"}),
        ([b"__Host-gate=forged", OLDER], {"analytics"}),
        ([OLDER, b"__Host-gate=forged"], {"analytics"}),
        ([OLDER, cookie_of("marketing", at=NOW + 3600)], {"analytics"}),
        ([OLDER, b"a=1", NEWER, b"__Host-gate="], {"marketing"}),
    ],
)
def test_of_several_consent_cookies_the_newest_valid_one_wins(
    cookies: list[bytes], granted: set[str]
) -> None:
    """Whatever their order; of a refusal the others are expired, and it is written again.

    A yes is not: a slow answer could bring it back after it was taken back.
    """
    visit = arriving(b"; ".join(cookies))
    assert visit.granted == ALWAYS | granted
    if granted:
        assert choice_lines(visit) == []
        return
    expired, kept = choice_lines(visit)
    assert expired == PARTITIONED_GONE
    again = arriving(kept.partition(b";")[0])
    assert again.granted == visit.granted
    assert again.decided_on == visit.decided_on


def test_of_several_invalid_ones_none_is_believed_and_none_is_touched() -> None:
    """Only invalid ones: nothing is allowed."""
    visit = arriving(b"__Host-gate=x; __Host-gate=y")
    assert seen(visit) == (ALWAYS, False, True)
    assert choice_lines(visit) == []


def test_several_lapsed_ones_are_left_to_lapse() -> None:
    """A slow answer that removed them could remove a newer refusal."""
    cookie = b"; ".join([cookie_of("analytics", "marketing")] * 2)
    visit = arriving(cookie, now=NOW + CHOICE_LIFETIME + 1)
    assert seen(visit) == (ALWAYS, False, True)
    assert choice_lines(visit) == []


def test_writing_an_old_refusal_again_does_not_make_it_younger() -> None:
    """What is left of its life is what the cookie gets."""
    old = cookie_of(at=TODAY - DAY)
    visit = arriving(b"; ".join([old, old]))
    assert not visit.allows("analytics")
    kept = choice_lines(visit)[1]
    assert b"; Max-Age=%d;" % (LONGEST - DAY - (NOW - TODAY)) in kept


def test_what_another_policy_with_the_same_cookie_was_told_stands() -> None:
    """A site's choice is not lost by visiting, or choosing on, a neighbour that knows less."""
    neighbour = Gate(replace(POLICY, categories=POLICY.categories[:2]), [KEY])
    for granted, kept in ((True, Choice.GRANTED), (False, Choice.DENIED)):
        cookie = cookie_of(*["marketing"] * granted) + b"; _ga=1"
        step = neighbour.admit(ask("POST", cookie=cookie, headers=[SAME_ORIGIN]), NOW, fresh_id)
        html = [(b"content-type", b"text/html")]
        counted = [line for _, line in step.finish(html, NOW).headers if b"_Host-gate=" in line]
        assert bool(counted) is not granted  # a choice that grants anything is left alone
        for line in counted:
            refused = visit_of(make_gate(), ask(cookie=line.partition(b";")[0]))
            assert refused.choice("marketing") is Choice.DENIED
        visit = visit_of(neighbour, ask("POST", cookie=cookie, headers=[SAME_ORIGIN]))
        visit.set(analytics=True)
        written = choice_lines(visit)[-1].partition(b";")[0]
        again = visit_of(make_gate(), ask(cookie=written))
        assert (again.choice("analytics"), again.choice("marketing")) == (Choice.GRANTED, kept)
    rejecting = visit_of(neighbour, ask(cookie=cookie_of("marketing")))
    rejecting.reject_all()
    written = choice_lines(rejecting)[-1].partition(b";")[0]
    assert visit_of(make_gate(), ask(cookie=written)).choice("marketing") is Choice.DENIED


def test_a_heap_of_twins_is_a_no() -> None:
    """No browser keeps so many of one name: who sends them wants us to be busy."""
    twins = [cookie_of("analytics", at=NOW - number) for number in range(MAX_TWINS)]
    assert arriving(b"; ".join(twins)).allows("analytics")
    assert seen(arriving(b"; ".join([*twins, twins[0]]))) == (ALWAYS, False, True)


def test_duplicates_are_expired_under_the_domains_they_may_have() -> None:
    """With a shared domain, host-only twins and those of other parents go."""
    gate = make_gate(domain="shop.example")
    cookie = cookie_of(name=b"gate")
    visit = visit_of(gate, ask(host=b"www.shop.example", cookie=cookie + b"; " + cookie))
    assert not visit.allows("analytics")
    gone = b"gate=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/"
    assert choice_lines(visit)[:-1] == [
        gone + b"; Secure; HttpOnly",
        gone + b"; Domain=www.shop.example; Secure; HttpOnly",
    ]


# --- changing -----------------------------------------------------------------------------------


def test_accepting_grants_everything_and_gives_an_id() -> None:
    """What is allowed at once, what the cookie says next time, and the proof."""
    visit = posting()
    visit.accept_all()
    assert seen(visit) == (ALL, True, False)
    assert stored(visit) == Consent(
        granted=frozenset({"analytics", "marketing"}), id=ID, decided_at=NOW
    )
    assert lifetime(visit) == CHOICE_LIFETIME
    assert receipt(visit) == Receipt(
        action="accept",
        id=ID,
        decided_at=NOW,
        version="2026-11",
        granted=("analytics", "marketing"),
        denied=(),
        revisions=REVISIONS,
    )


def test_rejecting_refuses_everything_and_forgets_the_id() -> None:
    """The cookie keeps only the day, so two who refuse today cannot be told apart."""
    visit = arriving(cookie_of("analytics"))
    visit.reject_all()
    assert seen(visit) == (ALWAYS, True, False)
    assert visit.id is None
    assert stored(visit) == Consent(denied=frozenset({"analytics", "marketing"}), decided_at=TODAY)
    assert receipt(visit) == Receipt(
        action="reject",
        id=None,
        decided_at=TODAY,
        version="2026-11",
        granted=(),
        denied=("analytics", "marketing"),
    )


def test_withdrawing_takes_everything_back_and_asks_anew() -> None:
    """The cookie goes; nothing optional is allowed."""
    visit = arriving(cookie_of("analytics"))
    visit.withdraw()
    assert seen(visit) == (ALWAYS, False, True)
    assert choice_lines(visit) == [
        b"__Host-gate=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/; Secure; "
        b"HttpOnly; SameSite=Lax"
    ]
    assert receipt(visit) == Receipt(
        action="withdraw", id=None, decided_at=NOW, version="2026-11", granted=(), denied=()
    )


def test_setting_one_category_leaves_the_others_as_they_are() -> None:
    """A yes and a no by name; what was said before of the others stands."""
    visit = posting(cookie_of("marketing", denied=()))
    visit.set(analytics=True)
    assert seen(visit) == (ALL, True, False)
    visit.set(marketing=False)
    assert seen(visit) == (ALWAYS | {"analytics"}, True, False)
    assert stored(visit) == Consent(
        granted=frozenset({"analytics"}),
        denied=frozenset({"marketing"}),
        id=ID,
        decided_at=NOW,
    )
    fresh = posting()
    fresh.set(analytics=True)
    assert [fresh.choice(id) for id in ("analytics", "marketing")] == [
        Choice.GRANTED,
        Choice.UNSET,
    ]


def test_setting_nothing_changes_nothing() -> None:
    """No category, no choice, no cookie."""
    visit = arriving()
    visit.set()
    assert (visit.changed, choice_lines(visit)) == (False, [])


def test_what_is_always_on_cannot_be_refused() -> None:
    """Saying yes to it changes nothing else; saying no is a mistake."""
    visit = posting()
    with pytest.raises(ValueError, match="always on"):
        visit.set(necessary=False)
    visit.set(necessary=True, analytics=True)
    assert stored(visit) == Consent(granted=frozenset({"analytics"}), id=ID, decided_at=NOW)


@pytest.mark.parametrize("value", [1, 0, "yes", "", None, []])
def test_a_choice_is_true_or_false_and_nothing_else(value: object) -> None:
    """A text "false" from some form must never become a yes."""
    visit = posting()
    with pytest.raises(TypeError, match="analytics must be True or False"):
        visit.set(analytics=value)  # type: ignore[arg-type]
    assert not visit.changed


def test_saving_grants_what_is_listed_and_refuses_the_rest() -> None:
    """As the preferences page does; what is always on may be listed."""
    visit = posting(cookie_of("marketing"))
    visit.save(["necessary", "analytics"])
    assert stored(visit) == Consent(
        granted=frozenset({"analytics"}),
        denied=frozenset({"marketing"}),
        id=ID,
        decided_at=NOW,
    )
    visit.save([])
    assert stored(visit) == Consent(denied=frozenset({"analytics", "marketing"}), decided_at=TODAY)


def test_refusing_one_thing_does_not_make_another_yes_younger() -> None:
    """The yes keeps its date and its id; the no beside it lives as long as browsers keep it."""
    old = NOW - 100 * DAY
    visit = arriving(cookie_of("analytics", "marketing", at=old))
    visit.set(marketing=False)
    assert stored(visit) == Consent(
        granted=frozenset({"analytics"}),
        denied=frozenset({"marketing"}),
        id=ID,
        decided_at=old,
    )
    assert lifetime(visit) == LONGEST


def test_a_refused_category_outlives_an_older_copy_of_the_yes() -> None:
    """Old and new cookie have one date; whichever comes first, the no counts."""
    old = cookie_of("analytics", "marketing", at=NOW - DAY)
    visit = arriving(old)
    visit.set(marketing=False)
    new = choice_lines(visit)[0].partition(b";")[0]
    for cookies in ([old, new], [new, old]):
        assert arriving(b"; ".join(cookies)).granted == ALWAYS | {"analytics"}


def test_a_choice_after_an_unreadable_cookie_starts_afresh() -> None:
    """Whatever was there, what is said now counts."""
    visit = posting(b"__Host-gate=x")
    visit.set(marketing=False)
    assert stored(visit) == Consent(denied=frozenset({"marketing"}), decided_at=TODAY)


def test_the_last_change_counts() -> None:
    """A handler may change its mind before the answer starts."""
    visit = posting()
    visit.accept_all()
    visit.reject_all()
    assert seen(visit) == (ALWAYS, True, False)
    assert receipt(visit).action == "reject"
    visit.withdraw()
    visit.accept_all()
    assert seen(visit) == (ALL, True, False)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "TRACE"])
@pytest.mark.parametrize(
    "grant",
    [
        lambda visit: visit.accept_all(),
        lambda visit: visit.set(analytics=True),
        lambda visit: visit.set(analytics=True, marketing=False),
        lambda visit: visit.save(["analytics"]),
    ],
)
def test_browsing_is_not_consent(method: str, grant: Callable[[Visit], None]) -> None:
    """Granting by a safe method is refused, even from a page of the site; nothing is changed."""
    visit = visit_of(GATE, ask(method, headers=[SAME_ORIGIN]))
    with pytest.raises(GrantRefused, match=f"by {method}: browsing is not consent"):
        grant(visit)
    assert (visit.changed, visit.granted, choice_lines(visit)) == (False, ALWAYS, [])


@pytest.mark.parametrize(
    "grant",
    [
        lambda visit: visit.accept_all(),
        lambda visit: visit.set(analytics=True),
        lambda visit: visit.save(["marketing"]),
    ],
)
def test_granting_needs_proof(grant: Callable[[Visit], None]) -> None:
    """A POST from anywhere could be anybody's: refused, and nothing is changed."""
    visit = visit_of(GATE, ask("POST", headers=[(b"origin", b"https://evil.example")]))
    with pytest.raises(GrantRefused, match="from a page of this site"):
        grant(visit)
    assert (visit.changed, visit.granted, choice_lines(visit)) == (False, ALWAYS, [])


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize(
    "refuse",
    [
        lambda visit: visit.reject_all(),
        lambda visit: visit.withdraw(),
        lambda visit: visit.set(analytics=False),
        lambda visit: visit.save([]),
    ],
)
def test_refusing_always_works(method: str, refuse: Callable[[Visit], None]) -> None:
    """By any method, from anywhere: nobody gains by forcing a no."""
    visit = visit_of(
        GATE,
        ask(
            method,
            cookie=cookie_of("analytics"),
            headers=[(b"origin", b"https://evil.example"), (b"sec-fetch-site", b"cross-site")],
        ),
    )
    refuse(visit)
    assert not visit.allows("analytics")
    assert visit.changed


# --- after the answer has started ---------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        lambda visit: visit.accept_all(),
        lambda visit: visit.reject_all(),
        lambda visit: visit.withdraw(),
        lambda visit: visit.set(analytics=False),
        lambda visit: visit.save([]),
    ],
)
def test_a_change_after_the_answer_has_started_comes_too_late(
    change: Callable[[Visit], None],
) -> None:
    """The cookies have been decided: a refusal that took no effect must not go unnoticed."""
    visit = posting(cookie_of("analytics"))
    visit.sealed = True
    with pytest.raises(ResponseStarted, match="before the first byte"):
        change(visit)
    assert not visit.changed


class Listening(Visit):
    """A visit that counts what it was told."""

    __slots__ = ("told",)
    told: int

    def read_too_late(self) -> None:
        self.told = getattr(self, "told", 0) + 1


def test_a_first_read_after_the_answer_has_started_is_answered_as_refused() -> None:
    """The answer was not marked as depending on the visitor, so it must not; the shell is told."""
    visit = GATE.admit(ask(cookie=cookie_of("analytics")), NOW, lambda: b"", Listening).visit
    assert isinstance(visit, Listening)
    visit.sealed = True
    assert seen(visit) == (ALWAYS, False, True)
    assert not visit.allows("analytics")
    assert visit.choice("analytics") is Choice.UNSET
    assert (visit.id, visit.decided_on, visit.read) == (None, None, False)
    assert visit.told == 7
    arriving_late = arriving(cookie_of("analytics"))
    arriving_late.sealed = True
    assert arriving_late.granted == ALWAYS


def test_what_was_read_before_may_be_read_after() -> None:
    """Templates that stream go on with what the handler knew."""
    visit = arriving(cookie_of("analytics"))
    assert visit.allows("analytics")
    visit.sealed = True
    assert visit.allows("analytics")
    assert visit.granted == ALWAYS | {"analytics"}
    assert visit.id == ID


def test_what_the_gate_has_looked_at_is_not_a_read_by_the_app() -> None:
    """Deciding a cookie does not open the door for a late read."""
    visit = arriving(cookie_of("analytics"))
    visit.peek()
    visit.sealed = True
    assert not visit.allows("analytics")


# --- a lifetime of the policy's choosing --------------------------------------------------------


def test_the_lifetime_of_a_choice_is_the_policys() -> None:
    """For a yes; a no is kept for as long as browsers keep a cookie (RFC 6265bis 5.5)."""
    gate = make_gate(accepted_for=DAY, refused_for=DAY)
    for change, life in ((Visit.accept_all, DAY), (Visit.reject_all, LONGEST)):
        visit = posting(gate=gate)
        change(visit)
        assert lifetime(visit) == life
    visit = arriving(cookie_of("analytics", denied=()), now=NOW + DAY + 1, gate=gate)
    assert visit.granted == ALWAYS


def test_a_consent_that_says_nothing_decides_nothing() -> None:
    """A token of categories that are gone: the visitor is asked, and nothing is allowed."""
    old_gate = Gate(
        replace(GATE.policy, categories=(replace(GATE.policy.categories[1], id="gone", rules=()),)),
        [KEY],
    )
    value = old_gate.site.tokens.write(Consent(granted=frozenset({"gone"}), id=ID, decided_at=NOW))
    visit = arriving(b"__Host-gate=" + value)
    assert seen(visit) == (ALWAYS, False, True)


def test_a_yes_that_is_kept_while_another_is_given_does_not_become_younger() -> None:
    """The cookie keeps the older date, so nothing outlives its time; the receipt says today."""
    old = NOW - 100 * DAY
    visit = posting(cookie_of("analytics", at=old))
    visit.set(marketing=True)
    assert (visit.granted, visit.decided_on, receipt(visit).decided_at) == (
        ALWAYS | {"analytics", "marketing"},
        old,
        NOW,
    )
