"""Where something may be used without consent, a lost no would allow more: it must not get lost.

Each of these lost one once, or was tried: other sites' forms, apps that delete what they see, slow
answers, sites that share a cookie, a policy that changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from consentgate.core.consent import Consent
from consentgate.core.front import notice
from consentgate.core.gate import Gate, Reply
from consentgate.core.http import Header
from consentgate.core.policy import Category, Flow, Profile, Regions, Rule
from core.samples import (
    DAY,
    FORM,
    ID,
    KEY,
    NOW,
    OPTIONAL,
    POLICY,
    SAME_ORIGIN,
    TODAY,
    ask,
    cookie_of,
    forward,
    lines_of,
    make_gate,
    reply,
    visit_of,
)

NECESSARY, ANALYTICS, MARKETING = POLICY.categories
SOLD = (NECESSARY, ANALYTICS, replace(MARKETING, sale_or_sharing=True))
CALIFORNIA = Regions(country="X-Country", profiles=(Profile(places=("US-CA",), regime="opt-out"),))
GATE = make_gate(categories=SOLD, regions=CALIFORNIA)
HERE: Header = (b"x-country", b"US-CA")
HTML: Header = (b"content-type", b"text/html")
GPC: Header = (b"sec-gpc", b"1")
ALWAYS = frozenset({"necessary"})
ALL = ALWAYS | OPTIONAL
NO = cookie_of(gate=GATE, at=TODAY)
MARK = b"__Host-gate-optout=%d" % (NOW // DAY)


def fetched(site: bytes, mode: bytes = b"navigate", dest: bytes = b"document") -> list[Header]:
    return [
        (b"sec-fetch-site", site),
        (b"sec-fetch-mode", mode),
        (b"sec-fetch-dest", dest),
    ]


def jar_after(lines: Iterable[bytes], cookie: bytes | None) -> bytes | None:
    """The Cookie header of a browser that held this one, after these Set-Cookie lines."""
    pairs = (cookie or b"").split(b"; ") if cookie else []
    jar = dict(pair.partition(b"=")[::2] for pair in pairs)
    for line in lines:
        name, _, value = line.partition(b";")[0].partition(b"=")
        jar[name] = value
        if b"Max-Age=0" in line:
            del jar[name]
    return b"; ".join(b"%b=%b" % pair for pair in jar.items()) or None


def allowed(cookie: bytes | None, gate: Gate = GATE, now: float = NOW) -> frozenset[str]:
    """What a Californian who comes by a link of the site is allowed."""
    headers = [HERE, *fetched(b"same-origin")]
    return visit_of(gate, ask(headers=headers, cookie=cookie), now).peek()


def send(
    body: bytes,
    *headers: Header,
    path: str = "/_gate/choice",
    cookie: bytes | None = None,
    gate: Gate = GATE,
) -> Reply:
    return reply(gate, ask("POST", path, headers=[HERE, FORM, *headers], cookie=cookie), body)


# --- other sites --------------------------------------------------------------------------------

FOREIGN = [
    fetched(b"cross-site"),
    [*fetched(b"cross-site"), (b"origin", b"https://evil.example")],
    [(b"origin", b"https://evil.example")],
    [(b"origin", b"null")],
]


@pytest.mark.parametrize("foreign", FOREIGN)
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/_gate/choice", b"action=save&leave=analytics&leave=marketing"),
        ("/_gate/choice", b"action=save&leave=analytics"),
        ("/_gate/choice", b"action=withdraw"),
        ("/_gate/choice", b"action=reject"),
        ("/_gate/opt-out", b""),
    ],
)
def test_no_other_site_takes_a_no_away(foreign: list[Header], path: str, body: bytes) -> None:
    """Its form comes without our cookie (SameSite), and our answer replaces the one there is."""
    answer = send(body, *foreign, path=path)
    assert answer.response.status == 303
    after = jar_after(lines_of(answer.response), NO)
    assert allowed(NO) == allowed(after) == ALWAYS


WITHHELD = [
    ("POST", fetched(b"cross-site")),
    ("GET", fetched(b"cross-site", b"navigate", b"iframe")),
    ("GET", fetched(b"cross-site", b"no-cors", b"image")),
    ("GET", fetched(b"cross-site", b"cors", b"empty")),
    ("GET", fetched(b"same-origin", b"navigate", b"iframe")),
    ("GET", fetched(b"same-site", b"cors", b"empty")),
    ("GET", fetched(b"same-origin", b"cors", b"manifest")),
    ("GET", fetched(b"unheard-of")),
    ("GET", [*fetched(b"cross-site"), *fetched(b"cross-site")]),
    ("OPTIONS", fetched(b"same-origin", b"cors", b"empty")),
    ("POST", [*fetched(b"cross-site"), (b"cookie", MARK)]),
    ("POST", [(b"origin", b"https://bank.example")]),
]


@pytest.mark.parametrize(("method", "headers"), WITHHELD)
def test_who_could_not_send_a_choice_is_no_newcomer(method: str, headers: list[Header]) -> None:
    """Back from a bank, or in a frame: a no may lie on the device, so nothing optional leaves."""
    step = forward(GATE, ask(method, headers=[HERE, *headers]))
    lines = [HTML, (b"set-cookie", b"_fbp=1"), (b"set-cookie", b"_ga=1")]
    assert lines_of(step.finish(lines, NOW)) == []
    assert step.visit.granted == ALWAYS


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("GET", []),
        ("GET", fetched(b"none")),
        ("GET", fetched(b"same-origin", b"cors", b"empty")),
        ("POST", fetched(b"same-site")),
        ("GET", fetched(b"cross-site")),
        ("POST", [(b"origin", b"https://shop.example")]),
        ("POST", []),
    ],
)
def test_who_would_have_sent_one_is(method: str, headers: list[Header]) -> None:
    """A link from elsewhere carries a Lax cookie; older browsers say nothing of a request."""
    assert visit_of(GATE, ask(method, headers=[HERE, *headers])).peek() == ALL


def test_over_plain_http_no_choice_comes_and_so_nothing_is_used_unasked() -> None:
    """But on a developer's machine, or where the policy does without https."""
    assert visit_of(GATE, ask(headers=[HERE], scheme="http")).peek() == ALWAYS
    assert visit_of(GATE, ask(headers=[HERE], scheme="http", host=b"localhost")).peek() == ALL
    plain = make_gate(categories=SOLD, regions=CALIFORNIA, secure=False)
    assert visit_of(plain, ask(headers=[HERE], scheme="http")).peek() == ALL


def test_a_strict_cookie_comes_with_no_link_from_elsewhere() -> None:
    """Nor does one that is None come with frames that browsers keep from their cookies."""
    strict = make_gate(categories=SOLD, regions=CALIFORNIA, same_site="strict")
    shared = make_gate(categories=SOLD, regions=CALIFORNIA, same_site="none")
    link = ask(headers=[HERE, *fetched(b"cross-site")])
    form = ask("POST", headers=[HERE, *fetched(b"cross-site")])
    frame = ask(headers=[HERE, *fetched(b"cross-site", b"navigate", b"iframe")])
    found = [
        [visit_of(gate, one).peek() for one in (link, form, frame)] for gate in (strict, shared)
    ]
    assert found == [[ALWAYS, ALWAYS, ALWAYS], [ALL, ALL, ALWAYS]]
    # Older browsers say nothing of a link, but where it stands.
    for referer, expected in ((b"https://shop.example/a", ALL), (b"https://e.example/", ALWAYS)):
        old = ask(headers=[HERE, (b"referer", referer)])
        assert visit_of(strict, old).peek() == expected


# --- the app itself -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", [b"__Host-gate", b"__Host-gate-optout", b"gate", b"gate-optout"])
def test_no_app_deletes_what_the_gate_wrote(name: bytes) -> None:
    """At a logout many delete every cookie that they see; a no is not theirs."""
    line = name + b"=; Max-Age=0; Path=/; Secure"
    step = forward(GATE, ask(headers=[HERE], cookie=NO))
    finish = step.finish([HTML, (b"set-cookie", line), (b"set-cookie", b"sid=; Max-Age=0")], NOW)
    assert lines_of(finish) == [b"sid=; Max-Age=0"]


def test_a_slow_answer_does_not_bring_back_half_of_a_no() -> None:
    """Begun after an opt-out, and done when all was refused: it writes no choice at all."""
    out = cookie_of(denied=["marketing"], at=TODAY, gate=GATE)
    slow = forward(GATE, ask(headers=[HERE], cookie=out + b"; _fbp=1"))
    lines = lines_of(slow.finish([HTML], NOW))
    assert lines
    assert allowed(jar_after(lines, NO)) == ALWAYS


# --- sites with one cookie, and policies that change --------------------------------------------


def shared(*categories: Category, regions: Regions | None = None) -> Gate:
    policy = replace(POLICY, categories=categories, regions=regions, domain="shop.example")
    return Gate(policy, [KEY])


ADS = Category(id="ads", rules=(Rule(name="ads_id", category="ads"),))
LAX = shared(*SOLD, regions=CALIFORNIA)
STRICT = shared(NECESSARY, ADS)
BARE = shared(NECESSARY)
ALIKE = shared(*SOLD)


@pytest.mark.parametrize("other", [STRICT, BARE, ALIKE, LAX])
@pytest.mark.parametrize("body", [b"action=reject", b"action=withdraw", b"action=save"])
def test_what_is_said_on_a_sister_site_takes_no_no_away(other: Gate, body: bytes) -> None:
    """Whatever that one asks about, and whether it knows regions."""
    cookie = jar_after(lines_of(send(b"action=reject", gate=LAX).response), None)
    assert allowed(cookie, LAX) == ALWAYS
    after = jar_after(lines_of(send(body, cookie=cookie, gate=other).response), cookie)
    assert allowed(after, LAX) == ALWAYS


@pytest.mark.parametrize("body", [b"action=accept", b"action=save&grant=analytics"])
def test_a_visit_to_a_sister_site_takes_no_no_away(body: bytes) -> None:
    """However late, and whichever of the two it is; also beside a yes that has lapsed meanwhile."""
    cookie = jar_after(lines_of(send(b"action=reject", gate=STRICT).response), None)
    cookie = jar_after(lines_of(send(body, SAME_ORIGIN, cookie=cookie, gate=LAX).response), cookie)
    assert cookie is not None
    assert "analytics" in allowed(cookie, LAX)
    for days in (250, 390):
        now = NOW + days * DAY
        for gate in (LAX, STRICT):
            step = forward(gate, ask(headers=[HERE], cookie=cookie + b"; _ga=1; ads_id=1"), now)
            cookie = jar_after(lines_of(step.finish([HTML], now)), cookie)
            assert cookie is not None
        visit = visit_of(STRICT, ask(cookie=cookie), now)
        assert visit.choice("ads") == "denied"


def test_a_no_outlives_a_change_of_domain() -> None:
    """Written for the host alone, or for all of the domain: in its other form it is a no still."""
    host = GATE
    both = shared(*SOLD, regions=CALIFORNIA)
    for old, new in ((host, both), (both, host)):
        cookie = jar_after(lines_of(send(b"action=reject", gate=old).response), None)
        assert allowed(cookie, new) == ALWAYS
        assert allowed(b"gate=x" if old is both else b"__Host-gate=x", new) == ALWAYS
        marked = jar_after([b"%b-optout=1" % old.site.production.name], None)
        assert allowed(marked, new) == ALWAYS | {"analytics"}
    yes = jar_after(lines_of(send(b"action=accept", SAME_ORIGIN, gate=host).response), None)
    visit = visit_of(both, ask(headers=[HERE], cookie=yes))
    assert (visit.said.granted, visit.id) == (frozenset(), None)  # a yes was given to one host


def test_a_later_yes_counts_over_a_no_in_the_other_form() -> None:
    """The current form is the choice; only where there is none the other one speaks."""
    both = shared(*SOLD, regions=CALIFORNIA)
    yes = jar_after(lines_of(send(b"action=accept", SAME_ORIGIN, gate=both).response), None)
    assert yes is not None
    old = cookie_of(gate=GATE, at=TODAY - DAY)
    assert allowed(old + b"; " + yes, both) == ALL
    # And a no that is newer counts over an older yes: `domain` was set, and taken out again.
    before = b"__Host-gate=" + GATE.site.tokens.write(
        Consent(granted=OPTIONAL, id=ID, decided_at=NOW - 10 * DAY)
    )
    for body in (b"action=reject", b"action=withdraw"):
        newer = jar_after(lines_of(send(body, gate=both).response), None)
        assert newer is not None
        assert allowed(before + b"; " + newer) == ALWAYS


# --- categories that come later ------------------------------------------------------------------


def test_a_no_to_everything_covers_what_comes_later() -> None:
    """A category added, or renamed, after it; where one asks, it is asked about."""
    retarget = Category(
        id="retarget", sale_or_sharing=True, rules=(Rule(name="re", category="retarget"),)
    )
    renamed = Category(id="ads", rules=MARKETING.rules, sale_or_sharing=True)
    for body in (b"action=reject", b"action=withdraw"):
        cookie = jar_after(lines_of(send(body).response), None)
        for categories in ((*SOLD, retarget), (*SOLD[:2], renamed)):
            later = make_gate(categories=categories, regions=CALIFORNIA)
            assert allowed(cookie, later) == ALWAYS
            assert visit_of(later, ask(cookie=cookie)).needs_choice


FOREIGN_FORM = [*fetched(b"cross-site"), (b"origin", b"https://evil.example")]


@pytest.mark.parametrize("posted", ["LAX", "STRICT", "BARE", "ALIKE"])
@pytest.mark.parametrize("action", ["reject", "withdraw", "opt-out"])
def test_no_other_site_takes_a_no_to_a_sister_site_away(posted: str, action: str) -> None:
    """Its form comes without the cookie that they share, and the answer replaces it."""
    other = {"LAX": LAX, "STRICT": STRICT, "BARE": BARE, "ALIKE": ALIKE}[posted]
    ads = shared(NECESSARY, ADS, regions=CALIFORNIA)
    cookie = jar_after(lines_of(send(b"action=reject", gate=LAX).response), None)
    cookie = jar_after(lines_of(send(b"action=reject", cookie=cookie, gate=ads).response), cookie)
    path = "/_gate/opt-out" if action == "opt-out" else "/_gate/choice"
    body = b"" if action == "opt-out" else b"action=" + action.encode()
    after = jar_after(lines_of(send(body, *FOREIGN_FORM, path=path, gate=other).response), cookie)
    assert allowed(after, LAX) == allowed(after, ads) == ALWAYS


def test_what_no_longer_fits_into_a_token_is_a_no() -> None:
    """Sites with very many categories and one cookie: in doubt what was cut off was one."""
    many = tuple(Category(id=f"k{at}") for at in range(70))
    wide = shared(NECESSARY, *many, regions=CALIFORNIA)
    cookie = jar_after(lines_of(send(b"action=save", gate=wide).response), None)
    assert allowed(cookie, wide) == ALWAYS
    cookie = jar_after(lines_of(send(b"action=save", cookie=cookie, gate=LAX).response), cookie)
    assert allowed(cookie, wide) == ALWAYS


# --- a signal, in part --------------------------------------------------------------------------


def test_a_yes_to_part_of_what_is_sold_leaves_the_signal_applied() -> None:
    """To the rest of it: so it is displayed, and the page asks about the conflict again."""
    retarget = Category(
        id="retarget", sale_or_sharing=True, rules=(Rule(name="re", category="retarget"),)
    )
    gate = make_gate(categories=(*SOLD, retarget), regions=CALIFORNIA)
    form = (GPC, SAME_ORIGIN)
    answer = send(b"action=save&grant=marketing&over_gpc=1", *form, gate=gate)
    cookie = jar_after(lines_of(answer.response), None)
    visit = visit_of(gate, ask(headers=[HERE, GPC], cookie=cookie))
    assert (visit.gpc, visit.allows("marketing"), visit.allows("retarget")) == (
        "applied",
        True,
        False,
    )
    assert notice(visit)
    answer = send(b"action=accept&over_gpc=1", *form, cookie=cookie, gate=gate)
    visit = visit_of(
        gate, ask(headers=[HERE, GPC], cookie=jar_after(lines_of(answer.response), None))
    )
    assert (visit.gpc, visit.allows("retarget")) == ("overridden", True)


# --- and the rest -------------------------------------------------------------------------------


def test_a_refusal_in_a_flow_spares_what_the_flow_needs() -> None:
    """Though it has a path of its own, and is expired elsewhere."""
    rule = Rule(name="fraud", category="marketing", path="/checkout")
    gate = make_gate(
        categories=(NECESSARY, replace(MARKETING, rules=(rule,))),
        flows=(Flow(paths=("/checkout*",), cookies=("fraud",), expire_on_leave=True),),
    )
    for path, gone in (("/checkout/pay", False), ("/", True)):
        step = forward(gate, ask("POST", path))
        step.visit.reject_all()
        lines = lines_of(step.finish([HTML], NOW))
        assert any(line.startswith(b"fraud=;") for line in lines) is gone


def test_outside_a_request_there_is_no_place() -> None:
    """The site's callable is not asked about a request that nobody made."""
    gate = Gate(replace(POLICY, regions=CALIFORNIA), [KEY], locate=lambda _: "US-CA")
    visit = gate.newcomer()
    assert (visit.granted, visit.region) == (ALWAYS, None)


def test_a_place_first_asked_for_after_the_start_is_not_told() -> None:
    """Caches were told nothing of it."""
    step = forward(GATE, ask(headers=[HERE]))
    step.finish([HTML], NOW)
    assert step.visit.region is None


def test_what_was_decided_before_a_restriction_still_varies() -> None:
    """On the signal that the handler's first answer depended on."""
    step = forward(GATE, ask(headers=[HERE, *fetched(b"none")]))
    assert step.visit.allows("marketing")
    step.visit.restrict()
    vary = dict(step.finish([HTML], NOW).headers)[b"vary"]
    assert b"Sec-GPC" in vary
