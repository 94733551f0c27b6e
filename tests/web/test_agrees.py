"""What the script allows, against what the gate allows: both as they are, in a real Chromium.

Every visitor of the table opens pages of one app. In each the script says what may be used, and the
gate says it of the same request, or, of a page that is the same for everybody, in `/_gate/state`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product
from time import time
from typing import Any, NamedTuple

import pytest

from browsers.chromium import Chromium, ChromiumVisitor, find_chromium
from browsers.site import _uvicorn as serving
from consentgate import Category, Gate, Policy, wrap
from consentgate.core.gate import NeedBody
from consentgate.core.http import Request
from consentgate.core.policy import OPT_OUT, Exemption, Profile, Regions, Rule
from web.standin import DAY

OLD, NEW = (b"a-signing-key-of-these-tests-0123456789-%d" % at for at in (1, 2))
ANALYTICS = Category(
    id="analytics",
    rules=(Rule(name="_ga", category="analytics", purpose="Counts visits."),),
    exemption=Exemption(kind="audience-measurement"),
)
POLICY = Policy(
    version="1",
    accepted_for=30 * DAY,
    refused_for=60 * DAY,
    categories=(
        ANALYTICS,
        Category(id="comfort"),
        Category(id="marketing", sale_or_sharing=True),
    ),
    regions=Regions(
        country="CF-IPCountry",
        profiles=(
            Profile(name="Opt-out", places=("US",), regime=OPT_OUT),
            Profile(name="Exempt", places=("FR",), exemptions=("audience-measurement",)),
            Profile(name="Opt-in", places=("DE",)),
        ),
    ),
)
# Without regions the policy asks for consent everywhere, and the script knows it.
LAWS = ("DE", "FR", "US", "everywhere")


def _gate(law: str, version: str) -> Gate:
    """Return the gate of a later day: with the policy as it was, or with another text in it."""
    policy, keys = POLICY, [OLD]
    first = Gate(policy, [OLD]).site.revisions["analytics"]
    if version in ("changed", "honoured"):
        purpose = (replace(ANALYTICS.rules[0], purpose="Counts visits, and says who came."),)
        honours = (first,) if version == "honoured" else ()
        told = replace(ANALYTICS, rules=purpose, honours=honours)
        policy = replace(policy, categories=(told, *policy.categories[1:]))
    if version == "lost key":
        keys = [NEW]
    if law == "everywhere":
        policy = replace(policy, regions=None)
    return Gate(policy, keys)


VERSIONS = ("same", "changed", "honoured", "lost key")
GATES = {pair: _gate(*pair) for pair in product(LAWS, VERSIONS)}


class Somebody(NamedTuple):
    """A visitor: what they chose, where, how long ago; and what is so today."""

    choice: str
    law: str
    signals: bool
    days: int
    version: str


CHOICES: Mapping[str, tuple[tuple[str, Mapping[str, Any]], ...]] = {
    "none": (),
    "all": (("choice", {"action": "accept"}),),
    "nothing": (("choice", {"action": "reject"}),),
    "some": (("choice", {"action": "save", "grant": ["analytics"]}),),
    "all but": (("choice", {"action": "save", "grant": ["comfort", "marketing"]}),),
    "withdrawn": (("choice", {"action": "accept"}), ("choice", {"action": "withdraw"})),
    "opted out": (("opt-out", {}),),
    "all, then opted out": (("choice", {"action": "accept"}), ("opt-out", {})),
    "all over the signal": (("choice", {"action": "accept", "over_gpc": True}),),
}
# A yes lapses after 30 days, a no is asked about again after 60.
LATER = ((40, "same"), (70, "same"), *((1, version) for version in VERSIONS[1:]))
TABLE = [
    *(
        (Somebody(choice, law, signals, 1, "same"), page)
        for choice, law, signals in product(CHOICES, LAWS, (False, True))
        for page in ("page", "static")
    ),
    *(
        (Somebody(choice, law, False, *later), page)
        for choice, law, later in product(("all", "nothing", "all but"), LAWS, LATER)
        for page in ("page", "static")
    ),
    *(
        (Somebody(choice, law, False, 1, "same"), page)
        for choice, law in product(("none", "all", "all but", "opted out"), ("DE", "FR", "US"))
        for page in ("strict", "without")
    ),
]


def chosen(one: Somebody) -> list[str]:
    """Return the Set-Cookie lines that a browser holds of who chose so, then."""
    gate = GATES[one.law, "same"]
    held: dict[str, str] = {}
    for path, wish in CHOICES[one.choice]:
        jar = "; ".join(line.partition(";")[0] for line in held.values())
        headers = [
            (b"host", b"localhost"),
            (b"sec-fetch-site", b"same-origin"),
            (b"content-type", b"application/json"),
            (b"cf-ipcountry", one.law.encode()),
        ]
        if jar:
            headers.append((b"cookie", jar.encode()))
        if "over_gpc" in wish:
            headers.append((b"sec-gpc", b"1"))
        request = Request("POST", f"/_gate/{path}", headers=headers)
        step = gate.begin(request, time() - one.days * DAY, lambda: os.urandom(10))
        assert isinstance(step, NeedBody)
        response = step.feed(json.dumps(wish).encode()).response
        assert response.status == 200, response
        for name, value in response.headers:
            if name == b"set-cookie":
                line = value.decode()
                held[line.partition("=")[0]] = line
        held = {name: line for name, line in held.items() if "Max-Age=0" not in line}
    return list(held.values())


def _site() -> Any:
    """Return the app behind all gates: a cookie says which, and what a proxy would say."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        consent, path = scope["state"]["consent"], scope["path"]
        if path == "/static":
            body = '<script src="/_gate/g.js" defer></script>'
        else:
            if path == "/strict":
                consent.require_opt_in()
            if path == "/without":
                consent.restrict("marketing")
            told = json.dumps([sorted(consent.granted), consent.needs_choice])
            body = f"{consent.banner()}<p id=told>{told}</p>"
        signal = (
            "<script>if (document.cookie.includes('.gpc.')) Object.defineProperty("
            "Navigator.prototype, 'globalPrivacyControl', {value: true})</script>"
        )
        page = f"<!doctype html><html lang=en><title>-</title>{signal}<body>{body}"
        headers = [(b"content-type", b"text/html; charset=utf-8")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": page.encode()})

    gated = {pair: wrap(app, gate) for pair, gate in GATES.items()}

    async def site(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] in ("/plant", "/start"):
            body = (await receive())["body"]
            lines = json.loads(body) if scope["path"] == "/plant" else []
            headers = [(b"set-cookie", line.encode()) for line in lines]
            headers += [(b"content-type", b"text/html"), (b"cache-control", b"no-store")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b"<!doctype html><body>"})
            return
        headers, law, version = [], "DE", "same"
        for name, value in scope["headers"]:
            if name != b"cookie":
                headers.append((name, value))
                continue
            pairs = value.decode().split("; ")
            for who in [pair for pair in pairs if pair.startswith("who=")]:
                pairs.remove(who)
                law, signal, version = who.removeprefix("who=").replace("_", " ").split(".")
                headers.append((b"cf-ipcountry", law.encode()))
                if signal == "gpc":
                    headers.append((b"sec-gpc", b"1"))
            if pairs:
                headers.append((name, "; ".join(pairs).encode()))
        await gated[law, version]({**scope, "headers": headers}, receive, send)

    return site


PLANTS = "fetch('/plant', {method: 'POST', body: %s}).then(() => localStorage.clear())"
TELLS = """(async () => {
  await gate.ready;
  const script = %s.filter((id) => gate.has(id));
  const state = await (await fetch("/_gate/state")).json();
  const told = JSON.parse(document.querySelector("#told")?.textContent ?? "null");
  const [allowed, asks] = told ?? [state.allowed, state.needs_choice];
  const banner = () => document.querySelector("[data-gate=banner]") !== null;
  // What the script shows it has fetched.
  for (let times = 0; times < 100 && banner() !== asks; times += 1) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return [script, allowed, banner(), asks];
})()"""
IDS = ["analytics", "comfort", "marketing", "necessary"]
FORGOTTEN = [f"{name}=; Path=/; Max-Age=0" for name in ("gate", "gate-choice", "gate-optout")]


class Visited(NamedTuple):
    """What became of one visitor on one page."""

    who: Somebody
    page: str
    script: frozenset[str]
    gate: frozenset[str]
    banner: bool
    asked: bool


@pytest.fixture(scope="module")
def visited() -> Iterator[list[Visited]]:
    executable = find_chromium()
    if executable is None:
        pytest.skip("no Chromium on the search path and none named in $CHROMIUM")
    with (
        serving(_site(), None) as port,
        Chromium(executable) as browser,
        browser.visitor() as visitor,
    ):
        address = f"http://localhost:{port}"
        visitor.visit(f"{address}/start")
        yield [_visit(visitor, address, *one) for one in TABLE]


def _visit(visitor: ChromiumVisitor, address: str, who: Somebody, page: str) -> Visited:
    """Open a page with what the visitor holds; then ask the gate."""
    today = f"{who.law}.{'gpc' if who.signals else ''}.{who.version.replace(' ', '_')}"
    lines = [*FORGOTTEN, f"who={today}; Path=/", *chosen(who)]
    visitor.evaluate(PLANTS % json.dumps(json.dumps(lines)))
    visitor.visit(f"{address}/{page}")
    script, gate, banner, asked = visitor.evaluate(TELLS % json.dumps(IDS))
    return Visited(who, page, frozenset(script), frozenset(gate), banner, asked)


# Where the script allows less. The companion says more than what still holds, so the gate takes it
# back whole; the rest of the yes is the gate's to know, and a policy that asks everywhere lets the
# script hear of none that it has not read itself. It ends with the next choice.
LESS = {
    *product(("all", "all but"), ["everywhere"], [True], [1], ["same"]),
}


def test_the_script_never_says_more_than_the_gate(visited: list[Visited]) -> None:
    """Whoever it is, wherever, and whatever changed since: what the gate refuses, `has` refuses."""
    assert [one for one in visited if one.script - one.gate] == []


def test_the_script_says_what_the_gate_says(visited: list[Visited]) -> None:
    """On pages made for the visitor and on static ones, `has` is what the gate allows."""
    assert {one.who for one in visited if one.script != one.gate} == LESS


def test_who_is_to_be_asked_is_asked(visited: list[Visited]) -> None:
    """The banner is on the page of those whom the gate would ask, and on nobody else's."""
    assert [one for one in visited if one.banner is not one.asked] == []


def test_the_table_is_worth_its_name(visited: list[Visited]) -> None:
    """Among the visitors something is allowed by consent, unasked and by exemption, and nothing."""
    found = {(one.who.choice, one.who.law, one.gate - {"necessary"}) for one in visited}
    wanted = {
        ("all", "DE", frozenset(IDS[:3])),
        ("none", "US", frozenset(IDS[:3])),
        ("opted out", "US", frozenset(IDS[:2])),
        ("none", "FR", frozenset(IDS[:1])),
        ("none", "DE", frozenset()),
    }
    assert wanted - found == set()
