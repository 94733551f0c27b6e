"""A yes can lapse, a no cannot: nothing that happens to consent ever enlarges what is allowed."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from dataclasses import replace
from itertools import permutations

from hypothesis import example, given
from hypothesis import strategies as st

from consentgate.core.consent import Consent, GrantRefused
from consentgate.core.gate import Gate
from consentgate.core.recorded import CLOCK_SKEW
from consentgate.core.token import Tokens
from consentgate.core.visit import Visit
from core.samples import (
    DAY,
    ID,
    KEY,
    NOW,
    OLD_KEY,
    OPTIONAL,
    SAME_ORIGIN,
    ask,
    choice_lines,
    consent_of,
    make_gate,
    token_of,
    visit_of,
)
from property.strategies import (
    GATE,
    TOKENS,
    any_bytes,
    consents,
    cookie_headers,
    moments,
    recent,
    subsets,
)

LOST = make_gate([OLD_KEY])
ROTATED = make_gate([OLD_KEY, KEY])
ALWAYS = frozenset({"necessary"})


def allowed(cookie: bytes | None, now: float = NOW, gate: Gate = GATE) -> frozenset[str]:
    return visit_of(gate, ask(cookie=cookie), now).peek()


def cookie_for(value: bytes) -> bytes:
    return b"__Host-gate=" + value


@given(consents())
def test_every_consent_survives_its_token(consent: Consent) -> None:
    """Written and read again, it is the same."""
    fresh = make_gate().site.tokens
    assert fresh.read(TOKENS.write(consent)) == consent
    assert TOKENS.read(TOKENS.write(consent)) == consent
    assert TOKENS.write(consent) == fresh.write(consent)


@given(
    st.lists(st.text(min_size=1, max_size=40), max_size=8, unique=True),
    moments,
    st.binary(min_size=10, max_size=10),
)
def test_every_consent_of_eight_categories_is_short(
    categories: list[str], at: int, id: bytes
) -> None:
    """At most 120 bytes, name included, whatever the categories are called."""
    try:
        tokens = Tokens([KEY], categories)
    except ValueError:  # two ids with one tag: refused when the policy is read
        return
    yes = frozenset(categories[::2])
    consent = Consent(
        granted=yes,
        denied=frozenset(categories) - yes,
        id=id.hex() if yes else None,
        decided_at=at,
    )
    value = tokens.write(consent)
    assert tokens.read(value) == consent
    assert len(b"__Host-gate=" + value) <= 120


def test_no_flipped_bit_of_a_token_enlarges_what_is_allowed() -> None:
    """Every bit of every byte of a yes, a no and a mixed choice, one after the other."""
    for value in (token_of("analytics", "marketing"), token_of("analytics"), token_of()):
        before = allowed(cookie_for(value))
        payload = value.partition(b".")[0]
        for at in range(len(value)):
            for bit in range(8):
                changed = bytearray(value)
                changed[at] ^= 1 << bit
                after = allowed(cookie_for(bytes(changed)))
                # Nearly all are not to be believed; base64 leaves two bits of the signature unused.
                same = at > len(payload) and decoded(value) == decoded(bytes(changed))
                assert after == (before if same else ALWAYS)


def decoded(value: bytes) -> bytes:
    """The signature that a token carries, as base64 decoders read it."""
    signature = value.rpartition(b".")[2]
    try:
        return urlsafe_b64decode(signature + b"=" * (-len(signature) % 4))
    except ValueError:
        return b""


@given(consents(recent), st.integers(0, 200), st.integers(0, 40), any_bytes)
def test_no_damage_to_a_token_enlarges_what_is_allowed(
    consent: Consent, at: int, length: int, other: bytes
) -> None:
    """Any stretch of it replaced, removed or grown: the same, or nothing."""
    value = TOKENS.write(consent)
    changed = value[:at] + other + value[at + length :]
    assert allowed(cookie_for(changed)) <= allowed(cookie_for(value))


@given(consents(recent), consents(recent))
def test_no_two_tokens_make_a_third(one: Consent, two: Consent) -> None:
    """The payload of one with the signature of another is nobody's consent."""
    first, second = TOKENS.write(one), TOKENS.write(two)
    spliced = first.partition(b".")[0] + b"." + second.rpartition(b".")[2]
    assert allowed(cookie_for(spliced)) in (ALWAYS, allowed(cookie_for(first)))
    if first != second:
        assert allowed(cookie_for(spliced)) == ALWAYS


@given(consents(), moments)
def test_a_lost_key_allows_nothing(consent: Consent, now: int) -> None:
    """Whatever was said and whenever: without the key it is not believed."""
    value = cookie_for(TOKENS.write(consent))
    assert allowed(value, now, LOST) == ALWAYS
    assert allowed(value, now, ROTATED) == allowed(value, now, GATE)


@given(consents(), moments, st.integers(0, 2**32))
def test_age_never_enlarges_what_is_allowed(consent: Consent, now: int, later: int) -> None:
    """From the moment it is valid, time only takes away; before that it allows nothing."""
    value = cookie_for(TOKENS.write(consent))
    at = consent.decided_at or 0
    if now + CLOCK_SKEW < at:
        assert allowed(value, now) == ALWAYS
    else:
        assert allowed(value, now + later) <= allowed(value, now) <= ALWAYS | consent.granted
    if now - at > GATE.policy.accepted_for:
        assert allowed(value, now) == ALWAYS


@given(consents(), moments)
def test_a_no_stays_a_no(consent: Consent, now: int) -> None:
    """However old: what was refused reads as refused, never as unset or granted."""
    visit = visit_of(GATE, ask(cookie=cookie_for(TOKENS.write(consent))), now)
    if (consent.decided_at or 0) <= now + CLOCK_SKEW:
        assert {id for id in OPTIONAL if visit.choice(id) == "denied"} >= consent.denied
    assert not visit.granted & consent.denied


@given(cookie_headers)
def test_only_a_granted_category_is_ever_allowed(cookie: bytes) -> None:
    """Whatever the Cookie header: nothing is allowed that no valid token of ours grants."""
    valid = [TOKENS.read(part.partition(b"=")[2].strip()) for part in cookie.split(b";")]
    granted = [one.granted for one in valid if one is not None]
    assert allowed(cookie) <= ALWAYS.union(*granted)


def whole(cookie: bytes) -> tuple[object, ...]:
    """All that a visit says of who sends this Cookie header."""
    visit = visit_of(GATE, ask(cookie=cookie))
    choices = [visit.choice(id) for id in GATE.site.ids]
    return visit.peek(), choices, visit.id, visit.decided_on


@given(st.lists(consents(recent), min_size=2, max_size=3))
@example([consent_of("analytics", denied=()), consent_of("marketing", denied=())])
@example([consent_of("analytics", denied=()), consent_of("analytics")])
@example([consent_of("analytics"), replace(consent_of("analytics"), id="00" * 10)])
def test_the_order_of_consent_cookies_never_matters(several: list[Consent]) -> None:
    """The newest valid one wins, wherever it stands; and the winner is one of them."""
    values = [cookie_for(TOKENS.write(one)) for one in several]
    results = [whole(b"; ".join(order)) for order in permutations(values)]
    assert all(one == results[0] for one in results)
    assert results[0] in [whole(value) for value in values]


@given(consents(recent), consents(recent))
def test_a_later_refusal_beside_an_older_yes_counts(one: Consent, two: Consent) -> None:
    """Of two copies, a full refusal made on the day of the yes or later always wins."""
    day = max(one.decided_at or 0, two.decided_at or 0) // DAY * DAY
    if day > NOW:
        return
    refusal = cookie_for(TOKENS.write(consent_of(at=day)))
    for other in (one, two):
        for cookie in (
            refusal + b"; " + cookie_for(TOKENS.write(other)),
            cookie_for(TOKENS.write(other)) + b"; " + refusal,
        ):
            assert allowed(cookie) == ALWAYS


@given(
    cookie_headers,
    st.sampled_from(["GET", "POST", "PUT"]),
    st.booleans(),
    st.lists(
        st.one_of(
            st.just(("reject_all", {})),
            st.just(("withdraw", {})),
            st.dictionaries(st.sampled_from(sorted(OPTIONAL)), st.just(False)).map(
                lambda refused: ("set", refused)
            ),
            st.just(("save", {"granted": []})),
        ),
        max_size=4,
    ),
)
def test_taking_back_never_enlarges_what_is_allowed(
    cookie: bytes, method: str, proven: bool, steps: list[tuple[str, dict[str, object]]]
) -> None:
    """Refusals in any order, with or without proof, now and when the new cookie comes back."""
    headers = [SAME_ORIGIN] if proven else []
    visit = visit_of(GATE, ask(method, cookie=cookie, headers=headers))
    before = visit.peek()
    for name, how in steps:
        getattr(visit, name)(**how)
        assert visit.peek() <= before
        before = visit.peek()
    if visit.changed:
        written = choice_lines(visit)[-1].partition(b";")[0]
        assert allowed(written) <= before


@given(cookie_headers, subsets, st.sampled_from(["GET", "HEAD", "POST"]), st.booleans())
def test_nothing_is_granted_without_proof(
    cookie: bytes, wanted: frozenset[str], method: str, proven: bool
) -> None:
    """By a safe method or without proof every grant is refused, and changes nothing."""
    visit = visit_of(GATE, ask(method, cookie=cookie, headers=[SAME_ORIGIN] if proven else []))
    before = visit.peek()
    try:
        visit.set(**dict.fromkeys(wanted, True))
    except GrantRefused:
        assert not (proven and method == "POST")
        assert visit.peek() == before
        assert not visit.changed
    else:
        assert not wanted or (proven and method == "POST")
        assert visit.peek() == before | wanted


@given(consents(recent), subsets, subsets)
def test_what_a_visit_writes_is_what_it_says(
    consent: Consent, yes: frozenset[str], no: frozenset[str]
) -> None:
    """The next request allows exactly what this one ended with, and knows the same choices."""
    cookie = cookie_for(TOKENS.write(consent))
    visit = visit_of(GATE, ask("POST", cookie=cookie, headers=[SAME_ORIGIN]))
    visit.set(**(dict.fromkeys(yes, True) | dict.fromkeys(no, False)))
    if not visit.changed:
        assert not yes | no
        return
    again: Visit = visit_of(GATE, ask(cookie=choice_lines(visit)[-1].partition(b";")[0]))
    assert again.peek() == visit.peek()
    assert [again.choice(id) for id in GATE.site.ids] == [visit.choice(id) for id in GATE.site.ids]
    assert again.id == visit.id == (ID if again.granted > ALWAYS else None)
