"""Laws of who may be sent what: GPC, refusal, age, a new text and a stricter place take away only.

Each is asked of whole requests, in every place the policy knows and in none.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from consentgate.core.changes import DAY
from consentgate.core.consent import Consent
from consentgate.core.gate import Gate
from consentgate.core.http import Header
from consentgate.core.policy import Category, Exemption, Flow, Gpc, Policy, Profile, Regions, Rule
from consentgate.core.regions import STRICTEST, Law, strictest
from consentgate.core.standing import Situation, Standings
from consentgate.core.visit import Visit
from core.samples import ID, KEY, NOW, SAME_ORIGIN, ask, fresh_id, visit_of
from property.strategies import cookie_headers

MEASURED = Exemption(kind="audience-measurement", objection="/privacy")
CATEGORIES = (
    Category(id="necessary", always=True, rules=(Rule(name="sid", category="necessary"),)),
    Category(id="analytics", rules=(Rule(name="_ga*", category="analytics"),)),
    Category(id="audience", exemption=MEASURED, rules=(Rule(name="_pk*", category="audience"),)),
    Category(
        id="marketing",
        sale_or_sharing=True,
        rules=(
            Rule(name="_fbp", category="marketing"),
            Rule(name="*_advert", category="marketing"),
        ),
    ),
)
PROFILES = (
    Profile(name="France", places=("FR",), exemptions=("audience-measurement",)),
    Profile(name="Germany", places=("DE",)),
    Profile(name="California", places=("US-CA",), regime="opt-out"),
    Profile(
        name="Opt-out, with an exemption",
        places=("US-VA",),
        regime="opt-out",
        exemptions=("audience-measurement",),
    ),
)
FLOWS = (
    Flow(paths=("/checkout/*",), cookies=("_fbp", "fraud")),
    Flow(paths=("/help*", "/checkout/x"), cookies=("chat*", "fraud"), expire_on_leave=True),
)
POLICY = Policy(
    version="1",
    categories=CATEGORIES,
    regions=Regions(country="X-Country", profiles=PROFILES),
    flows=FLOWS,
)
OPTIONAL = frozenset({"analytics", "audience", "marketing"})
GATES = [
    Gate(replace(POLICY, gpc=gpc, categories=categories, refused_for=refused), [KEY])
    for gpc, categories, refused in product(
        (Gpc(), Gpc(opt_in="sale")),
        (CATEGORIES, tuple(replace(one, sale_or_sharing=False) for one in CATEGORIES)),
        (182 * DAY, 390 * DAY),
    )
]
PLACES = ("", "XX", "T1", "BR", "FR", "DE", "US", "US-CA", "US-VA", "US-NY")
HTML: Header = (b"content-type", b"text/html")

gates = st.sampled_from(GATES)
places = st.sampled_from(PLACES)
subsets = st.frozensets(st.sampled_from(sorted(OPTIONAL)))
laws = st.builds(
    Law, st.booleans(), st.frozensets(st.sampled_from(["audience-measurement", "statistical"]))
)


@st.composite
def consents(draw: st.DrawFn, most: int = 500 * DAY) -> Consent:
    """Any consent that the gate itself could have written."""
    granted = draw(subsets)
    rest = OPTIONAL - granted
    denied = draw(subsets) & rest
    return Consent(
        granted=granted,
        denied=denied,
        reopened=draw(subsets) & rest,
        over_gpc=bool(granted) and draw(st.booleans()),
        id=ID if granted else None,
        decided_at=NOW - draw(st.integers(0, most)),
    )


def cookie_for(consent: Consent, gate: Gate = GATES[0]) -> bytes:
    return b"__Host-gate=" + gate.site.tokens.write(consent)


def visiting(
    gate: Gate,
    cookie: bytes | None,
    place: str,
    *,
    gpc: bool = False,
    now: float = NOW,
    method: str = "GET",
    headers: tuple[Header, ...] = (),
) -> Visit:
    sent = [(b"x-country", place.encode())] if place else []
    sent += [(b"sec-gpc", b"1")] if gpc else []
    return visit_of(gate, ask(method, cookie=cookie, headers=[*sent, *headers]), now)


def written(visit: Visit, gate: Gate, cookie: bytes | None) -> bytes | None:
    """The Cookie header of the next request: what was there, and what this visit wrote over it."""
    jar = dict(
        part.strip().partition(b"=")[::2] for part in (cookie or b"").split(b";") if b"=" in part
    )
    added = gate.additions.to(visit, [HTML], NOW, gate.judge)
    for name, line in added.headers:
        if name == b"set-cookie":
            pair = line.partition(b";")[0]
            key, _, value = pair.partition(b"=")
            if b"Max-Age=0" in line:
                jar.pop(key, None)
            else:
                jar[key] = value
    return b"; ".join(b"%b=%b" % one for one in jar.items()) or None


@given(gates, st.none() | consents().map(cookie_for) | cookie_headers, places)
def test_a_signal_never_allows_more(gate: Gate, cookie: bytes | None, place: str) -> None:
    """Sent with the request, or recorded earlier; whoever the visitor is, wherever they are."""
    without = visiting(gate, cookie, place).peek()
    marked = b"__Host-gate-optout=1" + (b"; " + cookie if cookie else b"")
    assert visiting(gate, cookie, place, gpc=True).peek() <= without
    assert visiting(gate, marked, place).peek() <= without
    assert visiting(gate, marked, place, gpc=True).peek() == visiting(gate, marked, place).peek()


@given(gates, st.none() | consents().map(cookie_for), places, places)
def test_the_absence_of_a_signal_is_never_a_yes(
    gate: Gate, cookie: bytes | None, place: str, later: str
) -> None:
    """After an answer that could record it, the next request without it allows no more."""
    visit = visiting(gate, cookie, place, gpc=True)
    with_signal = visiting(gate, cookie, later, gpc=True).peek()
    assert visiting(gate, written(visit, gate, cookie), later).peek() <= with_signal


TAKING_BACK: list[tuple[str, dict[str, Any]]] = [
    ("reject_all", {}),
    ("withdraw", {}),
    ("opt_out", {}),
    ("save", {"granted": ()}),
    ("save", {"granted": (), "leave": ("audience",)}),
    ("save", {"granted": (), "leave": ("analytics", "marketing")}),
    ("set", {"analytics": False}),
    ("set", {"marketing": False, "audience": False}),
]


@given(
    gates,
    st.none() | consents().map(cookie_for) | cookie_headers,
    places,
    st.lists(st.sampled_from(TAKING_BACK), min_size=1, max_size=3),
    st.booleans(),
)
@example(GATES[0], None, "US-CA", [("withdraw", {})], False)
@example(GATES[0], b"__Host-gate=", "US-CA", [("opt_out", {})], False)
@example(GATES[0], None, "US-CA", [("opt_out", {}), ("withdraw", {})], False)
def test_taking_back_never_allows_more_anywhere(
    gate: Gate,
    cookie: bytes | None,
    place: str,
    steps: list[tuple[str, dict[str, Any]]],
    gpc: bool,
) -> None:
    """Now, and on the next request wherever it comes from, with or without the signal."""
    before = {there: visiting(gate, cookie, there, gpc=gpc).peek() for there in PLACES}
    visit = visiting(gate, cookie, place, gpc=gpc, method="POST")
    allowed = visit.peek()
    for name, how in steps:
        getattr(visit, name)(**how)
        assert visit.peek() <= allowed
        allowed = visit.peek()
    after = written(visit, gate, cookie)
    for there in PLACES:
        assert visiting(gate, after, there, gpc=gpc).peek() <= before[there]


WITHHELD: list[tuple[str, tuple[Header, ...]]] = [
    ("POST", ((b"sec-fetch-site", b"cross-site"), (b"sec-fetch-mode", b"navigate"))),
    ("GET", ((b"sec-fetch-site", b"cross-site"), (b"sec-fetch-dest", b"iframe"))),
    ("POST", ((b"origin", b"https://evil.example"),)),
]


@given(
    gates,
    consents().map(cookie_for),
    places,
    st.sampled_from(WITHHELD),
    st.sampled_from(TAKING_BACK),
)
def test_a_request_without_the_choice_it_might_have_allows_no_more(
    gate: Gate,
    cookie: bytes,
    place: str,
    withheld: tuple[str, tuple[Header, ...]],
    act: tuple[str, dict[str, Any]],
) -> None:
    """Now, and afterwards, when the answer to it has replaced what lay on the device."""
    method, headers = withheld
    visit = visiting(gate, None, place, method=method, headers=headers)
    assert visit.peek() == {"necessary"}
    before = {there: visiting(gate, cookie, there).peek() for there in PLACES}
    name, how = act
    getattr(visit, name)(**how)
    after = written(visit, gate, cookie)
    for there in PLACES:
        assert visiting(gate, after, there).peek() <= before[there]


@given(gates, consents().map(cookie_for), places, st.booleans(), st.integers(0, 800 * DAY))
def test_age_never_allows_more_anywhere(
    gate: Gate, cookie: bytes, place: str, gpc: bool, later: int
) -> None:
    """A yes lapses and a no stands, also where what is not spoken of may be used."""
    now = visiting(gate, cookie, place, gpc=gpc).peek()
    assert visiting(gate, cookie, place, gpc=gpc, now=NOW + later).peek() <= now


@given(consents(), places, st.booleans(), subsets, subsets)
def test_a_new_text_never_allows_more(
    consent: Consent, place: str, gpc: bool, changed: frozenset[str], honoured: frozenset[str]
) -> None:
    """A yes to another text counts no more, unless the policy honours it; a no always stands."""
    old = GATES[0]
    categories = tuple(
        replace(
            one,
            description="Another text.",
            honours=(old.site.revisions[one.id],) if one.id in honoured else (),
        )
        if one.id in changed
        else one
        for one in CATEGORIES
    )
    new = Gate(replace(POLICY, categories=categories), [KEY])
    cookie = cookie_for(consent, old)
    before, after = visiting(old, cookie, place, gpc=gpc), visiting(new, cookie, place, gpc=gpc)
    assert after.peek() <= before.peek()
    assert after.said.denied == before.said.denied
    assert after.said.granted == before.said.granted - (changed - honoured)


def is_stricter(one: Law, two: Law) -> bool:
    """Whether one law allows, unasked, no more than the other."""
    return strictest([one, two]) == one or (one.opt_in and not two.opt_in)


@given(st.booleans(), st.booleans(), consents(), laws, laws, st.booleans(), subsets)
def test_a_stricter_place_never_allows_more(
    marked: bool,
    refuses: bool,
    consent: Consent,
    one: Law,
    two: Law,
    signalled: bool,
    restricted: frozenset[str],
) -> None:
    """The same visitor, said and signalled the same, under two laws that can be compared."""
    if not is_stricter(one, two):
        return
    categories = tuple(
        replace(each, sale_or_sharing=each.sale_or_sharing and marked) for each in CATEGORIES
    )
    standings = Standings(categories, signal_refuses=refuses)
    stricter = standings.of(Situation(consent, one, signalled, restricted))
    laxer = standings.of(Situation(consent, two, signalled, restricted))
    assert stricter.allowed <= laxer.allowed


@given(gates, st.none() | consents().map(cookie_for) | cookie_headers, places, st.booleans())
def test_nowhere_is_the_strictest_place(
    gate: Gate, cookie: bytes | None, place: str, gpc: bool
) -> None:
    """Without a known region nothing is allowed that is not allowed everywhere."""
    nowhere = visiting(gate, cookie, "", gpc=gpc).peek()
    assert nowhere <= visiting(gate, cookie, place, gpc=gpc).peek()
    assert gate.site.atlas.law(None) == STRICTEST


@given(gates, st.none() | consents().map(cookie_for), st.booleans())
def test_a_state_that_is_not_known_is_as_strict_as_the_strictest(
    gate: Gate, cookie: bytes | None, gpc: bool
) -> None:
    """A visitor of the United States, of no known state, is allowed what each state allows."""
    unknown = visiting(gate, cookie, "US", gpc=gpc).peek()
    for state in ("US-CA", "US-VA"):
        assert unknown <= visiting(gate, cookie, state, gpc=gpc).peek()


@given(
    gates,
    st.none() | consents().map(cookie_for),
    places,
    st.booleans(),
    st.lists(subsets, max_size=1),
)
def test_the_app_can_only_take_away(
    gate: Gate, cookie: bytes | None, place: str, opt_in: bool, restricted: list[frozenset[str]]
) -> None:
    """A minor, or an account that opted out elsewhere: for this request, and never more."""
    before = visiting(gate, cookie, place).peek()
    visit = visiting(gate, cookie, place)
    if opt_in:
        visit.require_opt_in()
    for ids in restricted:
        visit.restrict(*ids)
    assert visit.peek() <= before
    assert not visit.changed


NAMES = ("sid", "_ga", "_ga_1", "_pk_id", "_fbp", "x_advert", "_ga_advert", "fraud", "chat1", "odd")


def decisions(gate: Gate, path: str, place: str, cookie: bytes) -> tuple[object, ...]:
    """All that a gate does with these cookies, set and sent, on a path."""
    sent = b"; ".join([cookie, *(name.encode() + b"=1" for name in NAMES)])
    step = gate.admit(
        ask(path=path, cookie=sent, headers=[(b"x-country", place.encode())]), NOW, fresh_id
    )
    lines = [(b"set-cookie", name.encode() + b"=1") for name in NAMES]
    finish = step.finish([HTML, *lines], NOW)
    return step.cookie, finish.headers, finish.decisions


@given(
    st.permutations(CATEGORIES),
    st.permutations(PROFILES),
    st.permutations(FLOWS),
    st.booleans(),
    consents().map(cookie_for),
    places,
    st.sampled_from(["/", "/checkout/pay", "/checkout/x", "/help"]),
)
def test_the_order_of_the_file_never_matters(
    categories: list[Category],
    profiles: list[Profile],
    flows: list[Flow],
    backwards: bool,
    cookie: bytes,
    place: str,
    path: str,
) -> None:
    """Categories, their rules, regions, flows: however they stand, each decision is the same."""
    if backwards:
        categories = [replace(one, rules=one.rules[::-1]) for one in categories]
    other = replace(
        POLICY,
        categories=tuple(categories),
        regions=Regions(country="X-Country", profiles=tuple(profiles)),
        flows=tuple(flows),
    )
    assert decisions(Gate(other, [KEY]), path, place, cookie) == decisions(
        GATES[0], path, place, cookie
    )


@given(gates, consents().map(cookie_for), places, st.booleans(), subsets)
def test_what_was_chosen_is_what_counts_next_time(
    gate: Gate, cookie: bytes, place: str, gpc: bool, yes: frozenset[str]
) -> None:
    """After a choice made knowingly the next request, from the same place, allows the same."""
    visit = visiting(gate, cookie, place, gpc=gpc, method="POST", headers=(SAME_ORIGIN,))
    visit.conflict_was_shown()
    visit.save(yes)
    again = visiting(gate, written(visit, gate, cookie), place, gpc=gpc)
    assert again.peek() == visit.peek() == {"necessary"} | yes
    assert again.gpc == visit.gpc
