"""What the guard is told of the rules."""

from __future__ import annotations

import json
from typing import Any

from consentgate.core.gate import Gate
from consentgate.core.policy import Flow, Rule
from core.samples import KEY, POLICY, Plain, ask, make_gate


def told(gate: Gate) -> dict[str, Any]:
    assets = gate.site.assets(ask())
    assert assets is not None
    text = assets.first.content.decode()
    found: dict[str, Any] = json.loads(text.removeprefix("guard(").removesuffix(");"))
    return found


def test_it_is_told_what_it_must_know_to_decide_as_the_gate_does() -> None:
    """Of each place the names by category, in the policy's order; and whose names are ours."""
    found = told(make_gate())
    keys = ("guard", "report", "unknown", "unknownCookies", "site", "own", "rules", "always")
    assert {key: found[key] for key in keys} == {
        "guard": "block",
        "report": False,
        "unknown": "report",
        "unknownCookies": "block",
        "site": "",
        "own": {
            "cookie": sorted(prefix + one for one in NAMES for prefix in ("", "__Host-")),
            "local": ["public.cookie.choice"],
        },
        "rules": {
            "cookie": [
                {"necessary": ["sid"], "analytics": ["_gid"], "marketing": ["_fbp"]},
                {"marketing": ["*_retarget"]},
                {"necessary": ["lang*"]},
                {"analytics": ["_ga*"]},
            ],
            "local": [{"analytics": ["ajs_*"]}],
            "session": [{"analytics": ["draft"]}],
            "idb": [],
            "cache": [],
        },
        "always": ["necessary"],
    }


NAMES = ("gate", "gate-choice", "gate-optout")


def test_what_is_known_beside_the_policy_comes_after_it() -> None:
    """Names of frameworks, and those that an app was asked for: each gate tells of its own."""
    known = (Rule(name="session", category="necessary"), Rule(name="_ga", category="necessary"))
    gate = Gate(POLICY, [KEY], known=known, renderer=Plain())
    assert told(gate)["rules"]["cookie"][4:] == [{"necessary": ["session", "_ga"]}]
    more = gate.knowing([Rule(name="renamed_*", category="necessary")])
    assert told(more)["rules"]["cookie"][4:] == [
        {"necessary": ["session", "_ga"]},
        {"necessary": ["renamed_*"]},
    ]
    assert told(gate)["rules"] != told(more)["rules"]


def test_what_a_flow_needs_is_necessary_to_the_guard() -> None:
    """Before the category that names the same, as in the gate."""
    flow = Flow(paths=("/pay*",), cookies=("_fbp", "fraud-*", "_ga*"))
    ranks = told(make_gate(flows=(flow,)))["rules"]["cookie"]
    assert [list(rank.items()) for rank in ranks] == [
        [("necessary", ["_fbp", "sid"]), ("analytics", ["_gid"]), ("marketing", ["_fbp"])],
        [("marketing", ["*_retarget"])],
        [("necessary", ["fraud-*"])],
        [("necessary", ["lang*"])],
        [("necessary", ["_ga*"]), ("analytics", ["_ga*"])],
    ]


def test_the_settings_are_those_of_the_policy() -> None:
    """And above the site's host no cookie is its to remove."""
    gate = make_gate(
        guard="report",
        mode="report",
        unknown="allow",
        unknown_storage="block",
        site="https://www.shop.example:8443",
        mirror="mine",
        cookie="c",
    )
    found = told(gate)
    keys = ("guard", "report", "unknown", "unknownCookies", "site", "own")
    assert [found[key] for key in keys] == [
        "report",
        True,
        "block",
        "allow",
        "shop.example",
        {
            "cookie": sorted(p + n for n in ("c", "c-choice", "c-optout") for p in ("", "__Host-")),
            "local": ["mine"],
        },
    ]
