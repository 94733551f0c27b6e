"""The promises of the gate, for any headers and any visitor."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from consentgate.core.caching import FIELDS, for_one_visitor, keep_private, vary_on
from consentgate.core.consent import Consent
from consentgate.core.cookies import (
    canonical_deletion,
    is_deletion,
    stored_names,
)
from consentgate.core.decision import Action
from consentgate.core.expiry import MAX_BYTES
from consentgate.core.gate import Forward, Gate
from consentgate.core.headers import SET_COOKIE, UNSAFE, is_unsafe, kind_of
from consentgate.core.http import Header
from consentgate.core.removals import FIELD_BYTES, MAX_LINES
from core.samples import NOW, POLICY, ask, forward, lines_of, make_gate
from property.strategies import (
    GATE,
    TOKENS,
    consents,
    cookie_headers,
    deletion_lines,
    header_names,
    header_values,
    recent,
    response_headers,
    set_cookie_lines,
    subsets,
)

ALLOWING = make_gate(unknown="allow")
REPORTING = make_gate(mode="report")
PREFIXES = (b"__host-http-", b"__host-", b"__secure-", b"__http-")
Lines = list[bytes]


def visiting(cookie: bytes | None, gate: Gate = GATE) -> Forward:
    return forward(gate, ask(cookie=cookie))


def cookie_for(consent: Consent) -> bytes:
    return b"__Host-gate=" + TOKENS.write(consent)


def as_sent(step: Forward, lines: list[bytes]) -> list[bool]:
    """Which of these lines leave as the very object that came."""
    headers = [(b"set-cookie", line) for line in lines]
    left = step.finish(headers, NOW).headers
    return [any(header is one for one in left) for header in headers]


def of_app(step: Forward, headers: list[Header]) -> list[Header]:
    """What leaves of the app's headers, those about caching apart: they come before ours."""
    decided = apart_from_caching(GATE.lane("/").filter.decide(step.visit, headers, NOW)[0])
    return apart_from_caching(step.finish(headers, NOW).headers)[: len(decided)]


def added(step: Forward, headers: list[Header]) -> list[Header]:
    """What leaves that is ours."""
    left = apart_from_caching(step.finish(headers, NOW).headers)
    return left[len(of_app(step, headers)) :]


def apart_from_caching(headers: list[Header]) -> list[Header]:
    return [one for one in headers if one[0].strip().lower() not in FIELDS]


def is_plain(header: Header) -> bool:
    return kind_of(header[0]) not in (SET_COOKIE, UNSAFE) and not is_unsafe(header[1])


def category_of(name: bytes) -> str | None:
    """Where a cookie of this name belongs by POLICY: a second reading, by hand."""
    for prefix in PREFIXES:
        if name.lower().startswith(prefix):
            name = name[len(prefix) :]
            break
    if name == b"sid" or (name.startswith(b"lang") and not name.endswith(b"_retarget")):
        return "necessary"
    if name.endswith(b"_retarget"):
        return "marketing"
    if name.startswith(b"_ga") or name == b"_gid":
        return "analytics"
    return "marketing" if name == b"_fbp" else None


@given(cookie_headers, response_headers)
def test_untouched_headers_leave_byte_for_byte_in_order(
    cookie: bytes, headers: list[Header]
) -> None:
    """What is no cookie and no danger leaves as the very object, in order, Vary and such apart."""
    step = visiting(cookie)
    left = step.finish(headers, NOW).headers
    plain = [one for one in headers if is_plain(one) and one[0].strip().lower() not in FIELDS]
    of_app = [one for one in left if any(one is header for header in plain)]
    assert of_app == plain
    assert all(here is there for here, there in zip(of_app, plain, strict=True))


@given(cookie_headers, st.lists(st.tuples(header_names, header_values), max_size=6))
def test_an_answer_without_anything_to_decide_is_the_very_list(
    cookie: bytes, headers: list[Header]
) -> None:
    """No copy where there is nothing to do, and the short way agrees with the long one."""
    gate = make_gate()  # what an old one has forgotten goes the long way
    harmless = all(map(is_plain, headers))
    step = visiting(cookie, gate)
    if step.cookie is not None:  # then at least the hiding is a decision
        assert not step.passes(headers)
        return
    finish = step.finish(headers, NOW)
    assert (finish.headers is headers) is harmless
    twins = step.visit.spare  # may have to be tidied up: then the long way finds out
    assert visiting(cookie, gate).passes(headers) is (harmless and not twins)
    if harmless:
        assert finish == (headers, (), None)


@given(cookie_headers, st.lists(st.tuples(header_names, header_values), max_size=6))
def test_hiding_alone_changes_no_header(cookie: bytes, headers: list[Header]) -> None:
    """Where nothing is to be expired, a hidden cookie leaves the answer as it is.

    But for a no of long ago, which is written again.
    """
    step = visiting(cookie)
    headers = [one for one in headers if is_plain(one)]
    finish = step.finish(headers, NOW)
    own = step.visit.spare or step.visit.renews
    if not own and all(one.action is Action.HIDDEN for one in finish.decisions):
        assert finish.headers is headers


@given(cookie_headers, response_headers)
def test_the_short_way_never_lets_through_what_the_long_way_would_not(
    cookie: bytes, headers: list[Header]
) -> None:
    """`passes` means exactly: `finish` would change nothing and decide nothing."""
    if visiting(cookie).passes(headers):
        assert visiting(cookie).finish(headers, NOW) == (headers, (), None)


@given(cookie_headers, response_headers)
def test_every_cookie_that_leaves_may_leave(cookie: bytes, headers: list[Header]) -> None:
    """Each Set-Cookie sent is our own, or a deletion, or allowed under each of its names."""
    step = visiting(cookie)
    allowed = step.visit.peek()
    for _, line in [one for one in of_app(step, headers) if kind_of(one[0]) == SET_COOKIE]:
        names = stored_names(line)
        assert names is not None
        if not all(category_of(name) in allowed for name in names):
            assert is_deletion(line, NOW)
            assert canonical_deletion(line) == line


@given(cookie_headers, response_headers)
def test_only_refused_cookies_that_a_rule_names_are_expired(
    cookie: bytes, headers: list[Header]
) -> None:
    """Each line that is added is our own cookie, or removes one that was sent and is refused."""
    step = visiting(cookie)
    lines = [value for name, value in added(step, headers) if name == b"set-cookie"]
    sent = {part.partition(b"=")[0].strip(b" \t") for part in cookie.split(b";") if b"=" in part}
    tokens = {part.strip(b" \t") for part in cookie.split(b";") if b"=" not in part}
    assert len(lines) <= MAX_LINES
    assert sum(len(line) + FIELD_BYTES for line in lines) <= MAX_BYTES
    for line in lines:
        name = line.partition(b"=")[0]
        if name == b"":
            assert {category_of(token) for token in tokens} - {None, *step.visit.peek()}
            assert line.startswith(b"=x; Max-Age=0; Path=/")
        elif name not in (b"__Host-gate", b"__Host-gate-choice"):
            assert name in sent
            assert category_of(name) not in {None, *step.visit.peek()}
            assert line.startswith(name + b"=; Max-Age=0; Path=/")


@given(cookie_headers, st.sampled_from([GATE, ALLOWING]))
def test_what_the_app_sees_are_the_pairs_that_may_be_used(cookie: bytes, gate: Gate) -> None:
    """Byte for byte, in their order; and none that an app might read under a refused name."""
    step = visiting(cookie, gate)
    parts = cookie.split(b";")
    seen = parts if step.cookie is None else step.cookie.split(b";") if step.cookie else []
    left = [part.strip(b" \t") for part in parts]
    free = {*step.visit.peek(), *([None] if gate is ALLOWING else [])}
    for part in seen:
        part = part.strip(b" \t")
        assert part in left
        del left[: left.index(part) + 1]
        name, equals, _ = part.partition(b"=")
        if name.strip(b" \t") not in (b"gate", b"__Host-gate") and part.strip(b" \t=") != b"":
            names = {name.strip(b" \t"), name.decode("latin-1").strip().encode("latin-1")}
            assert {category_of(one) for one in names} <= free
    for part in parts:
        name, equals, _ = part.partition(b"=")
        name = name.strip(b" \t")
        if equals and name and name.isascii() and category_of(name) in step.visit.peek():
            assert part.strip(b" \t") in [one.strip(b" \t") for one in seen]


@given(cookie_headers, st.lists(set_cookie_lines, max_size=5))
def test_where_unknown_cookies_are_allowed_no_refused_one_slips_through(
    cookie: bytes, lines: list[bytes]
) -> None:
    """Under none of its names may a line that leaves belong to a refused category, or to us."""
    step = visiting(cookie, ALLOWING)
    left = as_sent(step, lines)
    for line, leaves in zip(lines, left, strict=True):
        names = stored_names(line)
        if leaves:
            assert names is not None
            assert not names & {b"gate", b"__Host-gate"}
            assert {category_of(name) for name in names} <= {None, *step.visit.peek()}


@given(subsets, subsets, st.lists(set_cookie_lines, max_size=6))
def test_granting_more_never_removes_more(
    some: frozenset[str], others: frozenset[str], lines: list[bytes]
) -> None:
    """A line that leaves for who granted less leaves for who granted more."""
    for gate in (GATE, ALLOWING):
        fewer = as_sent(visiting(cookie_for(yes(some)), gate), lines)
        more = as_sent(visiting(cookie_for(yes(some | others)), gate), lines)
        assert all(there or not here for here, there in zip(fewer, more, strict=True))


def yes(granted: frozenset[str]) -> Consent:
    return Consent(granted=granted, id="00" * 10 if granted else None, decided_at=NOW)


@given(cookie_headers, deletion_lines)
def test_a_deletion_always_leaves(cookie: bytes, line: bytes) -> None:
    """As it came where the cookie is allowed, else in canonical form, and under the same name.

    But for that of the gate's own cookie, which only the gate and the visitor delete.
    """
    assert is_deletion(line, NOW)
    step = visiting(cookie)
    finish = step.finish([(b"set-cookie", line)], NOW)
    names = stored_names(line)
    if names is not None and names & GATE.site.own_names():
        assert line not in lines_of(finish)
        return
    assert lines_of(finish)[0] in (line, canonical_deletion(line))
    assert Action.DROPPED not in {one.action for one in finish.decisions}


@given(deletion_lines, st.integers(NOW, NOW + 10**9))
@example(b"_ga=; Max-Age=0; SameSite=None", NOW)
@example(b"__Host-Http-a=; Max-Age=0", NOW)
def test_a_canonical_deletion_is_one_for_ever(line: bytes, later: int) -> None:
    """Rewriting a deletion keeps its name, stays a deletion, and is done once."""
    canonical = canonical_deletion(line)
    assert stored_names(canonical) == stored_names(line)
    assert is_deletion(canonical, later)
    assert canonical_deletion(canonical) == canonical


@given(st.one_of(deletion_lines, set_cookie_lines), st.integers(0, 2**32), st.integers(0, 10**9))
def test_a_deletion_does_not_come_back_to_life(line: bytes, now: int, later: int) -> None:
    """What deletes now deletes later."""
    assert is_deletion(line, now + later) or not is_deletion(line, now)


@given(cookie_headers, response_headers, st.booleans(), st.booleans())
def test_finish_gives_the_same_answer_again(
    cookie: bytes, headers: list[Header], read: bool, can_add: bool
) -> None:
    """Asked twice with the same arguments; and the list it was given is as it was."""
    step = visiting(cookie)
    if read:
        step.visit.allows("analytics")
    before = list(headers)
    first = step.finish(headers, NOW, can_add=can_add)
    assert step.finish(headers, NOW, can_add=can_add) == first
    assert headers == before


@given(cookie_headers, response_headers)
def test_what_was_filtered_stays_as_it_is(cookie: bytes, headers: list[Header]) -> None:
    """A second gate behind the first finds nothing to do to the app's headers."""
    step = visiting(cookie)
    once = of_app(step, headers)
    assert of_app(visiting(cookie), once) == once


@given(response_headers, cookie_headers)
def test_report_mode_is_byte_identical(headers: list[Header], cookie: bytes) -> None:
    """The very list, whatever it holds, and as many decisions as the enforcing gate makes."""
    finish = visiting(cookie, REPORTING).finish(headers, NOW)
    assert finish.headers is headers
    if any(kind_of(name) == UNSAFE or is_unsafe(value) for name, value in headers):
        return  # what is dropped of them may have been what forbids to expire
    enforced = visiting(cookie).finish(headers, NOW)
    assert [(one.name, one.action) for one in finish.decisions] == [
        (one.name, one.action) for one in enforced.decisions
    ]


@given(st.lists(set_cookie_lines, max_size=8), consents(recent))
def test_what_was_judged_before_changes_no_decision(lines: list[bytes], consent: Consent) -> None:
    """A gate with a memory and one without decide alike, value by value."""
    headers = [(b"set-cookie", line) for line in lines]
    fresh = visiting(cookie_for(consent), make_gate())
    assert visiting(cookie_for(consent)).finish(headers, NOW) == fresh.finish(headers, NOW)


@given(st.lists(st.tuples(set_cookie_lines, set_cookie_lines), max_size=4), consents(recent))
def test_no_decision_shows_a_value(lines: list[tuple[bytes, bytes]], consent: Consent) -> None:
    """A marked value is nowhere in what is logged."""
    headers = [(b"set-cookie", one + b"=s3cr3t-v4lu3;" + two) for one, two in lines]
    headers += [(b"set-cookie", b"s3cr3t-v4lu3"), (b"set-cookie", b"=s3cr3t-v4lu3")]
    finish = visiting(cookie_for(consent)).finish(headers, NOW)
    assert "s3cr3t" not in repr(finish.decisions)


# --- caching ------------------------------------------------------------------------------------

plain_headers = st.lists(st.tuples(header_names, header_values), max_size=6)


@given(plain_headers)
@example([(b"vary", b'x="a, b'), (b"vary", b"*"), (b"vary", b'x="a, b')])
def test_marking_an_answer_as_private_is_done_once(headers: list[Header]) -> None:
    """Again changes nothing; what is not about caching is the very object, in its order."""
    marked = for_one_visitor(headers)
    assert for_one_visitor(marked) == marked
    others = [one for one in headers if one[0].strip().lower() not in FIELDS]
    kept = [one for one in marked if any(one is other for other in others)]
    assert kept == others


@given(plain_headers)
def test_a_private_answer_is_never_public(headers: list[Header]) -> None:
    """Whatever was there: Vary has Cookie or `*`, Cache-Control private or no-store, no public."""
    fields: dict[bytes, list[bytes]] = {b"vary": [], b"cache-control": []}
    for name, value in keep_private(vary_on(headers, b"Cookie")):
        if name.strip().lower() in fields and b'"' not in value:
            fields[name.strip().lower()] += [item.strip().lower() for item in value.split(b",")]
    if all(b'"' not in value for _, value in headers):
        assert {b"cookie", b"*"} & set(fields[b"vary"])
        assert {b"private", b"no-store"} & set(fields[b"cache-control"])
        assert not {b"public"} & set(fields[b"cache-control"])


def test_the_second_reading_agrees_with_the_policy() -> None:
    """`category_of` above names every rule of POLICY as POLICY does."""
    for category in POLICY.categories:
        for rule in category.rules:
            assert category_of(rule.name.replace("*", "x").encode()) == category.id
    assert kind_of(b"set-cookie") == SET_COOKIE
