"""Who may be sent what, told by example: the table is the test, and the page of the documentation.

The page is written anew with: cd tests && python -m law.test_situations
"""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from consentgate.core.consent import Choice, Consent
from consentgate.core.gate import Forward, Gate
from consentgate.core.http import Request
from consentgate.core.policy import Category, Exemption, Flow, Policy, Regions, Rule
from consentgate.core.standing import Basis
from consentgate.core.visit import Visit
from consentgate.law import authorities, profiles

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "legal-situations.md"
SITUATIONS: list[dict[str, Any]] = tomllib.loads(
    Path(__file__).with_name("situations.toml").read_text("utf-8")
)["situation"]
KEY = b"a-signing-key-of-the-tests-0123456789-ABCDEF"
DAY = 86_400
NOW = 1_793_620_800 + DAY // 2
MEASURED = Exemption(kind="audience-measurement", objection="/privacy", data_kept="25 months")


def category(id: str, **more: Any) -> Category:
    rule = Rule(name=f"{id}_id", category=id)
    return Category(id=id, title=id.capitalize(), rules=more.pop("rules", (rule,)), **more)


POLICY = Policy(
    version="2026-11",
    categories=(
        Category(id="necessary", always=True),
        category("preferences"),
        category("analytics"),
        category("audience", exemption=MEASURED),
        category("statistics", exemption=Exemption(kind="statistical", objection="/privacy")),
        category("theme", exemption=Exemption(kind="appearance", objection="/privacy")),
        category(
            "marketing",
            sale_or_sharing=True,
            rules=(
                Rule(name="marketing_id", category="marketing"),
                Rule(name="fraud_id", category="marketing"),
            ),
        ),
    ),
    regions=Regions(country="CF-IPCountry", subdivision="CF-Region-Code", profiles=profiles()),
    flows=(Flow(paths=("/checkout/*",), cookies=("fraud_id",)),),
)
GATE = Gate(POLICY, [KEY])
OPTIONAL = [one.id for one in POLICY.categories if not one.always]
BASES = {"consent": Basis.CONSENT, "opt-out": Basis.OPT_OUT, "exempt": Basis.EXEMPT}


def told_before(ids: list[str], honoured: list[str]) -> tuple[Gate, Gate]:
    """A gate of an earlier policy that told other texts of these, and one of today's."""
    earlier = tuple(
        replace(one, description="An earlier text.") if one.id in ids else one
        for one in POLICY.categories
    )
    old = Gate(replace(POLICY, categories=earlier), [KEY])
    today = tuple(
        replace(one, honours=(old.site.revisions[one.id],)) if one.id in honoured else one
        for one in POLICY.categories
    )
    return old, Gate(replace(POLICY, categories=today), [KEY])


def arriving(row: dict[str, Any]) -> tuple[Gate, Forward]:
    """The visitor of a situation, as the gate meets them."""
    earlier = row.get("earlier", {})
    gate, headers = GATE, []
    cookies = [b"__Host-gate-optout=1"] if row.get("opted_out") else []
    if earlier.get("unreadable"):
        cookies.append(b"__Host-gate=unreadable")
    elif earlier:
        honoured = earlier.get("honoured", [])
        old, gate = told_before([*earlier.get("stale", []), *honoured], honoured)
        granted = frozenset(earlier.get("granted", []))
        reopened = frozenset(earlier.get("reopened", []))
        consent = Consent(
            granted=granted,
            denied=frozenset(earlier.get("denied", [])),
            reopened=reopened,
            over_gpc=earlier.get("over_gpc", False),
            id="30" * 10 if granted else None,
            decided_at=NOW - earlier.get("days", 0) * DAY,
        )
        cookies.append(b"__Host-gate=" + old.site.tokens.write(consent))
    country, _, part = row["region"].partition("-")
    headers += [(b"cf-ipcountry", country.encode())] if country else []
    headers += [(b"cf-region-code", part.encode())] if part else []
    headers += [(b"sec-gpc", b"1")] if row.get("gpc") else []
    headers += [(b"cookie", b"; ".join(cookies))] if cookies else []
    request = Request("GET", row.get("path", "/"), "", "https", headers)
    step = gate.admit(request, NOW, lambda: b"0123456789")
    if row.get("opt_in_required"):
        step.visit.require_opt_in()
    if row.get("restricted"):
        step.visit.restrict(*row["restricted"])
    return gate, step


def bases(visit: Visit) -> dict[str, Basis]:
    found = {id: visit.basis(id) for id in OPTIONAL}
    return {id: basis for id, basis in found.items() if basis is not None}


def by_name(row: dict[str, Any]) -> str:
    name: str = row["name"]
    return name


@pytest.mark.parametrize("row", SITUATIONS, ids=by_name)
def test_the_visitor_is_treated_as_the_law_wants(row: dict[str, Any]) -> None:
    """What is allowed and on what basis, what is asked, and what became of the signal."""
    _, step = arriving(row)
    visit = step.visit
    assert bases(visit) == {id: BASES[basis] for id, basis in row["allowed"].items()}
    assert visit.needs_choice == row["asks"]
    assert visit.gpc == row["signal"]
    assert all(
        visit.choice(id) is not Choice.GRANTED
        for id in OPTIONAL
        if id not in bases(visit) and id not in row.get("restricted", ())
    )


@pytest.mark.parametrize("row", SITUATIONS, ids=by_name)
def test_the_wire_says_the_same(row: dict[str, Any]) -> None:
    """Of one cookie of each category those allowed leave, and each decision names its basis."""
    _, step = arriving(row)
    lines = [f"{id}_id=1".encode() for id in OPTIONAL] + [b"fraud_id=1"]
    finish = step.finish([(b"set-cookie", line) for line in lines], NOW)
    left = {value for name, value in finish.headers if name == b"set-cookie" and value in lines}
    expected = {f"{id}_id=1".encode() for id in row["allowed"]}
    fraud = row.get("fraud_id", row["allowed"].get("marketing", "no"))
    if fraud != "no":
        expected.add(b"fraud_id=1")
    assert left == expected
    said = {one.name: one.basis for one in finish.decisions if one.basis}
    wanted = {f"{id}_id": BASES[basis].value for id, basis in row["allowed"].items()}
    if fraud != "no":
        wanted["fraud_id"] = {"flow": Basis.FLOW, **BASES}[fraud].value
    assert said == wanted


def test_there_are_enough_and_each_rests_on_something_read() -> None:
    """At least sixty; each with an article, a short quotation, an https source and a day."""
    assert len(SITUATIONS) >= 60
    assert len({row["name"] for row in SITUATIONS}) == len(SITUATIONS)
    for row in SITUATIONS:
        authority = authorities()[row["authority"]]
        assert authority["kind"] in ("statute", "case", "guidance", "standard")
        assert authority["what"]
        assert row["why"]
        assert 3 <= len(authority["says"].split()) <= 40, row["authority"]
        assert authority["source"].startswith(("https://", "http://"))
        assert isinstance(authority["read"], date)


def test_the_page_shows_the_table() -> None:
    """What people read is what is tested."""
    assert PAGE.read_text("utf-8") == page()


# --- the page -----------------------------------------------------------------------------------


def page() -> str:
    used = sorted({row["authority"] for row in SITUATIONS})
    rows = "\n".join(map(_line, SITUATIONS))
    sources = "\n".join(map(_source, used))
    return f"""# Legal situations

Who may be sent what, told by {len(SITUATIONS)} examples. Each of them is a test; each names the
text it rests on, quoted in short below, with its source and the day it was read. This is what the
gate does with the built-in regions, not legal advice.

The policy of all examples has the optional categories preferences, analytics, audience (which meets
the conditions of the exemption "audience-measurement"), statistics ("statistical"), theme
("appearance") and marketing (`sale_or_sharing = true`). A yes and a no are kept for 182 days. The
flow `/checkout/*` needs the cookie `fraud_id`, which is marketing elsewhere.

"Allowed" lists the categories in use with their basis: *consent*, *opt-out* (not exercised), or
*exempt*. "Asks": whether there is something to ask. "Signal": what became of Global Privacy
Control.

| situation | where | earlier, and now | allowed | asks | signal | rests on |
|---|---|---|---|---|---|---|
{rows}

## What was read

{sources}
"""


def _line(row: dict[str, Any]) -> str:
    allowed = ", ".join(f"{id} ({basis})" for id, basis in row["allowed"].items()) or "nothing"
    if row.get("fraud_id"):
        allowed += f"; `fraud_id`: {row['fraud_id']}"
    cells = (
        f"{row['name']}. {row['why']}",
        row["region"] or "–",
        _given(row),
        allowed,
        "yes" if row["asks"] else "no",
        row["signal"],
        f"[{row['authority']}](#{row['authority']})",
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _given(row: dict[str, Any]) -> str:
    parts = []
    for key, value in row.get("earlier", {}).items():
        if isinstance(value, list):
            parts.append(f"{key}: {', '.join(value)}" if value else "")
        elif key == "days":
            parts.append(f"{value} days ago")
        else:
            parts.append({"over_gpc": "over the signal"}.get(key, key))
    parts.append("signal recorded" if row.get("opted_out") else "")
    parts.append("`Sec-GPC: 1`" if row.get("gpc") else "")
    parts.append(f"on `{row['path']}`" if row.get("path") else "")
    parts.append("the app asks for opt-in" if row.get("opt_in_required") else "")
    if row.get("restricted"):
        parts.append(f"the app forbids {', '.join(row['restricted'])}")
    return "; ".join(part for part in parts if part) or "–"


def _source(id: str) -> str:
    one = authorities()[id]
    return (
        f"### {id}\n\n{one['what']} ({one['kind']}).\n\n> {one['says']}\n\n"
        f"<{one['source']}>, read {one['read'].isoformat()}\n"
    )


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
