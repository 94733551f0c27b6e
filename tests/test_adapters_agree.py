"""One table of scenarios, driven through both shells: the answers are the same, byte for byte."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from time import time
from typing import Any

import httpx
import pytest

from consentgate import GrantRefused, RequestConsent
from consentgate.core.policy import Csp, Flow, Gpc, Profile, Regions
from consentgate.testing import consent_cookie
from shells import Answer, Script, gate, policy, through_asgi, through_wsgi

SHOP = (
    (b"Content-Type", b"text/html"),
    (b"Set-Cookie", b"sessionid=s; Path=/; HttpOnly"),
    (b"set-cookie", b"_ga=GA1; Max-Age=63072000; Path=/"),
    (b"X-Frame-Options", b"DENY"),
    (b"SET-COOKIE", b"_fbp=fb.1; Path=/"),
    (b"Set-Cookie", b"stray=1"),
    (b"ETag", b'"x"'),
)
SAME_ORIGIN = {"origin": "http://testserver"}
HTML = ((b"Content-Type", b"text/html"),)
GONE = [
    b"_ga=; Max-Age=0; Path=/",
    b"_ga=; Max-Age=0; Path=/; Secure; SameSite=None; Partitioned",
]
SESSION, GA, FBP, STRAY = (value for name, value in SHOP if name.lower() == b"set-cookie")
OWN = b"gate=TOKEN; Max-Age=15724800; Path=/; HttpOnly; SameSite=Lax"
OWN_NO = OWN.replace(b"15724800", b"34560000")  # a no lives as long as browsers keep it
OWN_COUNTING = b"gate=TOKEN; Max-Age=AGE; Path=/; HttpOnly; SameSite=Lax"
OWN_REMOVED = (
    b"gate=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/; HttpOnly; SameSite=Lax"
)

# What scripts are told of a choice.
TOLD_YES = (
    b"gate-choice=DAY.KEY&analytics=584b&marketing=6a11; Max-Age=15724800; Path=/; SameSite=Lax"
)
TOLD_NO = b"gate-choice=DAY.KEY&analytics=&marketing=; Max-Age=34560000; Path=/; SameSite=Lax"
TOLD_ADS = b"gate-choice=DAY.KEY&marketing=6a11; Max-Age=15724800; Path=/; SameSite=Lax"
TOLD_SOME = TOLD_NO.replace(b"analytics=", b"analytics=584b")
TOLD_NOTHING = (
    b"gate-choice=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/; SameSite=Lax"
)
TOLD_OPT_OUT = b"gate-choice=DAY.KEY&marketing=; Max-Age=34560000; Path=/; SameSite=Lax"
OPTED_OUT = b"gate-optout=DAY; Max-Age=34560000; Path=/; HttpOnly; SameSite=Lax"
GPC = {"sec-gpc": "1"}
CALIFORNIA = {"x-country": "US-CA"}
WORLD = {
    "categories": tuple(
        replace(category, sale_or_sharing=category.id == "marketing")
        for category in policy().categories
    ),
    "regions": Regions(
        country="X-Country", profiles=(Profile(places=("US-CA",), regime="opt-out"),)
    ),
    "gpc": Gpc(updated="2026-11-02"),
    "flows": (Flow(paths=("/checkout/*",), cookies=("_fbp",)),),
}


@dataclass(frozen=True)
class Scenario:
    """A request, the app's answer, and the Set-Cookie lines that must come out."""

    title: str
    cookies: list[bytes]
    granted: tuple[str, ...] | None = None  # None: no consent cookie is sent
    script: Script = field(default_factory=lambda: Script(headers=SHOP))
    method: str = "GET"
    path: str = "/"
    headers: dict[str, str] = field(default_factory=dict)
    data: dict[str, Any] | None = None
    json: dict[str, Any] | None = None
    policy: dict[str, Any] = field(default_factory=dict)
    status: int = 200
    sent: str = ""  # cookies beside the choice
    seen: bytes | None = None  # what of them the app sees; it begins where the choice ends


def act(change: Callable[[RequestConsent], object]) -> Script:
    return Script(headers=SHOP, act=change)


def refused(change: Callable[[RequestConsent], object]) -> Script:
    def attempt(consent: RequestConsent) -> None:
        with pytest.raises(GrantRefused):
            change(consent)

    return act(attempt)


def choice(title: str, cookies: list[bytes], status: int = 303, **request: Any) -> Scenario:
    return Scenario(title, cookies, method="POST", path="/_gate/choice", status=status, **request)


SCENARIOS = [
    Scenario("a newcomer gets what is necessary", [SESSION]),
    Scenario("a refusal gets what is necessary", [SESSION], granted=()),
    Scenario("a grant of one category lets that one out", [SESSION, GA], granted=("analytics",)),
    Scenario(
        "a grant of all lets all that is named out",
        [SESSION, GA, FBP],
        granted=("analytics", "marketing"),
    ),
    Scenario("unknown = allow lets the unnamed out", [SESSION, STRAY], policy={"unknown": "allow"}),
    Scenario("report mode drops nothing", [SESSION, GA, FBP, STRAY], policy={"mode": "report"}),
    Scenario(
        "an excluded path is not gated",
        [SESSION, GA, FBP, STRAY],
        path="/hooks/pay",
        policy={"exclude": ("/hooks/*",)},
    ),
    Scenario(
        "a deletion of a refused cookie leaves in canonical form",
        [b"_ga=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/; Domain=a.example"],
        script=Script(headers=((b"Set-Cookie", b"_ga=x; Domain=a.example; max-age=0; path=/"),)),
    ),
    Scenario(
        "a deletion of a necessary cookie leaves as it came",
        [b'sessionid=""; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/'],
        script=Script(
            headers=(
                (
                    b"Set-Cookie",
                    b'sessionid=""; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/',
                ),
            )
        ),
    ),
    Scenario(
        "an error page is gated too", [SESSION], script=Script(headers=SHOP, status=500), status=500
    ),
    Scenario(
        "a redirect is gated too", [SESSION], script=Script(headers=SHOP, status=302), status=302
    ),
    Scenario("a refusal from a handler counts at once", [SESSION, OWN_NO, TOLD_NO],
             granted=("analytics",), script=act(lambda consent: consent.reject_all())),
    Scenario("a withdrawal from a handler counts at once", [SESSION, OWN_REMOVED, TOLD_NOTHING],
             granted=("analytics",), script=act(lambda consent: consent.withdraw())),
    Scenario("a grant from a handler counts at once", [SESSION, GA, FBP, OWN, TOLD_YES],
             method="POST", headers=SAME_ORIGIN, script=act(lambda consent: consent.accept_all())),
    Scenario("a grant of one category from a handler", [SESSION, FBP, OWN, TOLD_ADS], method="POST",
             headers=SAME_ORIGIN, script=act(lambda consent: consent.set(marketing=True))),
    Scenario("a handler of a GET cannot grant", [SESSION], headers=SAME_ORIGIN,
             script=refused(lambda consent: consent.accept_all())),
    Scenario("a handler cannot grant what another site asks for", [SESSION], method="POST",
             headers={"origin": "https://evil.example"},
             script=refused(lambda consent: consent.set(analytics=True))),
    Scenario("a signed choice for the other cookie name is not read", [SESSION],
             headers={"x-forwarded-proto": "https"}, granted=("analytics",)),
    choice("accept with proof", [OWN, TOLD_YES], data={"action": "accept"}, headers=SAME_ORIGIN),
    choice("accept with proof as JSON", [OWN, TOLD_YES], 200, json={"action": "accept"},
           headers={"sec-fetch-site": "same-origin"}),
    choice("accept without proof", [], 403, data={"action": "accept"}),
    choice("accept from another site", [], 403, data={"action": "accept"},
           headers={"origin": "https://evil.example", "sec-fetch-site": "cross-site"}),
    choice("reject without proof", [OWN_NO, TOLD_NO],
           data={"action": "reject", "next": "/cart?x=1"}),
    choice("withdraw", [OWN_REMOVED, TOLD_NOTHING], data={"action": "withdraw"},
           granted=("analytics",)),
    choice("save one", [OWN_NO, TOLD_SOME], 200, json={"action": "save", "grant": ["analytics"]},
           headers=SAME_ORIGIN),
    choice("save none needs no proof", [OWN_NO, TOLD_NO], data={"action": "save"}),
    choice("save an unknown category", [], 400, data={"action": "save", "grant": "ads"}),
    choice("an unknown action", [], 400, data={"action": "destroy"}),
    choice("a next that leaves the site", [], 400, data={"action": "reject", "next": "//evil"}),
    choice("a broken body", [], 400, headers={"content-type": "application/json"}),
    choice("a body of another type", [], 415, headers={"content-type": "text/plain"}),
    choice("a body too large", [], 413, data={"action": "reject", "x": "y" * 5000}),
    Scenario("GET of the choice", [], path="/_gate/choice", status=405),
    Scenario("the state", [], path="/_gate/state", granted=("analytics",)),
    Scenario("HEAD of the state", [], method="HEAD", path="/_gate/state"),
    Scenario("the preferences page", [], path="/_gate/?next=/cart"),
    Scenario("the prefix without its slash", [], path="/_gate", status=308),
    Scenario("nothing there", [], path="/_gate/nothing", status=404),
    Scenario("a path that only begins like ours", [SESSION], path="/_gateway"),
    Scenario("preflight from an origin of ours", [], method="OPTIONS", path="/_gate/choice",
             headers={"origin": "https://app.example"}, status=204,
             policy={"origins": ("https://app.example",)}),
    Scenario("a refused cookie is hidden and expired", [*GONE, OWN_COUNTING], granted=(),
             sent="_ga=1; basket=2", script=Script(headers=HTML, echo=True), seen=b"; basket=2"),
    Scenario("a newcomer's cookie is hidden and expired", GONE, sent="_ga=1; basket=2; stray=3",
             script=Script(headers=HTML, echo=True), seen=b"basket=2"),
    Scenario("hiding alone adds nothing", [], sent="_ga=1; basket=2",
             script=Script(echo=True), seen=b"basket=2"),
    Scenario("where nothing may be seen there is no header", [], sent="_ga=1; stray=2",
             script=Script(echo=True), seen=b""),
    Scenario("an allowed cookie is seen and stays", [], granted=("analytics",),
             sent="_ga=1; basket=2", script=Script(headers=HTML, echo=True),
             seen=b"; _ga=1; basket=2"),
    Scenario("hide = false shows everything", [], sent="_fbp=1; stray=2",
             script=Script(echo=True), seen=b"_fbp=1; stray=2", policy={"hide": False}),
    Scenario("report mode shows everything and expires nothing", [], sent="_ga=1; stray=2",
             script=Script(headers=HTML, echo=True), seen=b"_ga=1; stray=2",
             policy={"mode": "report"}),
    Scenario("an excluded path sees everything and expires nothing", [], sent="_ga=1; stray=2",
             script=Script(headers=HTML, echo=True), seen=b"_ga=1; stray=2", path="/hooks/x",
             policy={"exclude": ("/hooks/*",)}),
    choice("reject clears what was allowed", [OWN_NO, TOLD_NO, *GONE], data={"action": "reject"},
           granted=("analytics",), sent="_ga=1; basket=2"),
    choice("withdraw clears what was allowed", [OWN_REMOVED, TOLD_NOTHING, *GONE],
           data={"action": "withdraw"},
           granted=("analytics",), sent="_ga=1"),
    Scenario("California without a word gets what is not refused", [SESSION, GA, FBP],
             headers=CALIFORNIA, policy=WORLD),
    Scenario("Germany does not", [SESSION], headers={"x-country": "DE"}, policy=WORLD),
    Scenario("a signal keeps what is sold from California, and is recorded",
             [SESSION, GA, OPTED_OUT], headers=CALIFORNIA | GPC, policy=WORLD),
    Scenario("a signal goes before a yes", [SESSION, OPTED_OUT], granted=("marketing",),
             headers=GPC, policy=WORLD),
    Scenario("a recorded signal holds when it is gone", [SESSION, GA], headers=CALIFORNIA,
             sent=f"gate-optout={int(time()) // 86_400}", policy=WORLD),
    Scenario("the opt-out page", [], path="/_gate/opt-out", headers=CALIFORNIA, policy=WORLD),
    Scenario("an opt-out", [OWN_NO, TOLD_OPT_OUT], method="POST", path="/_gate/opt-out", status=303,
             data={}, headers=CALIFORNIA, policy=WORLD),
    Scenario("the GPC statement", [], path="/.well-known/gpc.json", policy=WORLD),
    Scenario("no statement where the policy has none", [SESSION], path="/.well-known/gpc.json"),
    Scenario("a flow gets what it needs", [SESSION, FBP], path="/checkout/pay", policy=WORLD),
    Scenario("outside its flow a cookie is hidden and stays", [], sent="_fbp=1; basket=2",
             script=Script(headers=HTML, echo=True), seen=b"basket=2", policy=WORLD),
    Scenario("in its flow it is seen", [], sent="_fbp=1; basket=2", path="/checkout/",
             script=Script(headers=HTML, echo=True), seen=b"_fbp=1; basket=2", policy=WORLD),
    Scenario("an app that demands opt-in", [SESSION], headers=CALIFORNIA, policy=WORLD,
             script=act(lambda consent: consent.require_opt_in())),
    Scenario("an app that forbids one category", [SESSION, GA], headers=CALIFORNIA, policy=WORLD,
             script=act(lambda consent: consent.restrict("marketing"))),
    Scenario("state for an origin of ours", [], path="/_gate/state",
             headers={"origin": "https://app.example"},
             policy={"origins": ("https://app.example",)}),
]  # fmt: skip


def choice_of(scenario: Scenario) -> str:
    if scenario.granted is None:
        return ""
    cookies = consent_cookie(gate(**scenario.policy), *scenario.granted)
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


def request_of(scenario: Scenario, choice: str) -> httpx.Request:
    cookie = "; ".join(filter(None, [choice, scenario.sent])).encode("latin-1")
    return httpx.Request(
        scenario.method,
        "http://testserver" + scenario.path,
        headers=[
            *((name.encode(), value.encode()) for name, value in scenario.headers.items()),
            *([(b"cookie", cookie)] if cookie else []),
        ],
        data=scenario.data,
        json=scenario.json,
    )


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.title)
def test_both_shells_give_the_same_answer(scenario: Scenario) -> None:
    """What one shell answers the other answers too, byte for byte, and it is what was expected."""
    answers: list[Answer] = []
    choice = choice_of(scenario)
    for shell in (through_asgi, through_wsgi):
        answer = shell(gate(**scenario.policy), scenario.script, request_of(scenario, choice))
        answers.append(answer.without_tokens())
    assert answers[0] == answers[1]
    age = re.compile(rb"(=TOKEN; Max-Age=)(?!15724800|34560000)[0-9]+")
    cookies = [age.sub(rb"\1AGE", line) for line in answers[0].cookies()]
    cookies = [re.sub(rb"(?<=optout=|choice=)[0-9]+", b"DAY", line) for line in cookies]
    cookies = [re.sub(rb"(?<=choice=DAY\.)[0-9a-f]{4}", b"KEY", line) for line in cookies]
    assert (answers[0].status, sorted(cookies)) == (scenario.status, sorted(scenario.cookies))
    if scenario.seen is not None:
        assert answers[0].body == choice.encode() + scenario.seen


def test_what_the_gate_does_not_touch_leaves_byte_for_byte_in_its_order() -> None:
    """Names keep their letter case, values their bytes, and every header its place."""
    for shell in (through_asgi, through_wsgi):
        answer = shell(gate(), Script(headers=SHOP), httpx.Request("GET", "http://testserver/"))
        assert answer.headers == (
            (b"Content-Type", b"text/html"),
            (b"Set-Cookie", b"sessionid=s; Path=/; HttpOnly"),
            (b"X-Frame-Options", b"DENY"),
            (b"ETag", b'"x"'),
            (b"vary", b"Cookie"),
            (b"cache-control", b"private"),
        )


def test_an_answer_with_only_necessary_cookies_is_untouched() -> None:
    """Where no cookie depended on the visitor, not a byte is added."""
    headers = ((b"Set-Cookie", b"sessionid=s"), (b"Cache-Control", b"public, max-age=60"))
    for shell in (through_asgi, through_wsgi):
        answer = shell(gate(), Script(headers=headers), httpx.Request("GET", "http://testserver/"))
        assert answer.headers == headers


SOURCED: dict[str, Any] = {
    "csp": Csp(mode="enforce", report_uri="/reports"),
    "categories": (
        replace(policy().categories[0], sources=("https://cdn.example",)),
        replace(policy().categories[1], sources=("https://stats.example",)),
        *policy().categories[2:],
    ),
}
ANYWHERE = b"default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob: https://cdn.example"
OWN_POLICY = (b"Content-Security-Policy", b"script-src 'nonce-x'")


@pytest.mark.parametrize("status", [200, 404, 500])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_document_is_told_from_where_it_may_load(status: int, method: str) -> None:
    """After the app's own policy, which stays; on error pages too, and without their body."""
    script = Script(headers=(OWN_POLICY, *HTML), status=status, body=b"")
    for granted, more in (((), b""), (("analytics",), b" https://stats.example")):
        ((name, token),) = consent_cookie(gate(**SOURCED), *granted).items()
        cookie = {"cookie": f"{name}={token}"}
        for shell in (through_asgi, through_wsgi):
            request = httpx.Request(method, "http://testserver/", headers=cookie)
            assert shell(gate(**SOURCED), script, request).headers == (
                OWN_POLICY,
                *HTML,
                (b"content-security-policy", ANYWHERE + more + b"; report-uri /reports"),
                (b"vary", b"Cookie"),
                (b"cache-control", b"private"),
            )


@pytest.mark.parametrize(("status", "told"), [(201, 1), (302, 0), (304, 0), (404, 1), (503, 1)])
def test_what_is_shown_goes_by_the_status(status: int, told: int) -> None:
    """A Location alone makes no redirect, and nothing takes the place of what is stored."""
    script = Script(headers=(*HTML, (b"location", b"/there")), status=status, body=b"")
    for shell in (through_asgi, through_wsgi):
        headers = shell(gate(**SOURCED), script, httpx.Request("GET", "http://testserver/")).headers
        assert [name for name, _ in headers].count(b"content-security-policy") == told
        assert told or headers == script.headers


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"sec-fetch-dest": "document"}, 200),
        ({"accept": "text/html"}, 200),
        ({"sec-fetch-dest": "image"}, 304),
        ({"accept": "*/*"}, 304),
    ],
)
@pytest.mark.parametrize("sent", [None, "sessionid=1", "sessionid=1; _ga=2"])
def test_a_stored_document_is_sent_again_in_full(
    asked: dict[str, str], status: int, sent: str | None
) -> None:
    """With the policy of today. What is no document may stay where it is."""
    script = Script(headers=HTML, stored=b'"x"', echo=True)
    headers = {**asked, "if-none-match": '"x"', **({"cookie": sent} if sent else {})}
    for shell in (through_asgi, through_wsgi):
        request = httpx.Request("GET", "http://testserver/", headers=headers)
        answer = shell(gate(**SOURCED), script, request)
        assert answer.status == status
        if status == 200:
            told = (b"content-security-policy", ANYWHERE + b"; report-uri /reports")
            assert told in answer.headers
            assert answer.body == (b"sessionid=1" if sent else b"")
        else:
            assert b"content-security-policy" not in dict(answer.headers)
        others: list[dict[str, Any]] = [{}, {**SOURCED, "mode": "report"}]
        for how in others:
            assert shell(gate(**how), script, request).status == 304
