"""What visitors must be told: missed when a file is checked, and demanded by strict = true."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from config.samples import ENVIRON
from consentgate import Category, ConfigError, Policy, Rule, load_gate, load_policy
from consentgate.config import gate_of, inspect
from consentgate.core.policy import Controller

UNTOLD = """\
version = "1"

[categories.necessary]
always = true
cookies = ["sessionid"]

[categories.analytics]
cookies = [
    "_ga",
    { name = "_gid", provider = "Google", duration = "1 day" },
    { name = "told", provider = "Us", purpose = "Counts", duration = "session" },
]

[[cookies]]
name = "_fbp"
category = "marketing"
"""
TOLD = """\
version = "1"
[controller]
name = "Shop Ltd"
contact = "privacy@shop.example"
[categories.necessary]
always = true
cookies = ["sessionid"]
[categories.analytics]
description = "Pages"
cookies = [{ name = "_ga", provider = "Google", purpose = "Counts", duration = "1 day" }]
"""


def said(folder: Path, text: str) -> list[str]:
    """Return every problem of a file with this content, as one line each, without its folder."""
    (folder / "a.toml").write_text(text)
    _, problems = inspect(folder / "a.toml")
    return [str(one).replace(f"{folder}/", "").replace("\n    help: ", " | ") for one in problems]


def test_what_is_not_told_is_one_problem_for_each_cookie(tmp_path: Path) -> None:
    """With all that is missing, and what to write; a cookie that people need is not asked about."""
    planet49 = "(CJEU C-673/17 Planet49)"
    assert said(tmp_path, UNTOLD) == [
        "a.toml:1: warning[CG508] visitors are not told who decides over their data "
        "(GDPR article 13(1)(a)) (controller) | add [controller] with name, and contact or address",
        f"a.toml:7: warning[CG508] visitors are not told what 'analytics' is for {planet49} "
        '(categories.analytics.description) | add description = "…" to [categories.analytics]',
        "a.toml:9: warning[CG508] visitors are not told the provider, purpose and duration of "
        f"'_ga' {planet49} (categories.analytics.cookies[0]) | "
        'write { name = "_ga", provider = "…", purpose = "…", duration = "13 months" }',
        f"a.toml:10: warning[CG508] visitors are not told the purpose of '_gid' {planet49} "
        '(categories.analytics.cookies[1]) | add purpose = "…"',
        "a.toml:14: warning[CG508] visitors are not told the provider, purpose and duration of "
        f"'_fbp' {planet49} (cookies[0]) | "
        'write { name = "_fbp", provider = "…", purpose = "…", duration = "13 months" }',
        # That it has no description either is no news.
        "a.toml:16: warning[CG503] category 'marketing' has no table, so visitors are not told "
        "what it is for (cookies[0].category) | add [categories.marketing] with title and "
        "description",
    ]


def test_whoever_tells_all_is_not_asked(tmp_path: Path) -> None:
    """Recipients are never asked for: no recipients is what an empty list says."""
    assert said(tmp_path, TOLD) == []


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("", None),
        ('name = "A"\naddress = "1 High Street"', None),
        ('name = "A"\nurl = "https://a.example"', "lacks a contact or an address"),
        ('contact = "a@a.example"\nname = " "', "lacks a name"),
        ('url = "https://a.example"', "lacks a name and a contact or an address"),
    ],
)
def test_the_controller_is_named_and_can_be_reached(
    tmp_path: Path, lines: str, message: str | None
) -> None:
    """GDPR article 13(1)(a): the identity and the contact details."""
    text = TOLD.replace('name = "Shop Ltd"\ncontact = "privacy@shop.example"\n', f"{lines}\n")
    found = said(tmp_path, text if lines else TOLD)
    expected = f"a.toml:2: warning[CG508] the controller {message} (GDPR article 13(1)(a))"
    assert [one.split(" (controller)")[0] for one in found] == ([] if not message else [expected])


def test_a_site_that_asks_nothing_owes_no_notice(tmp_path: Path) -> None:
    """Without an optional category there is no choice, and nobody to name for it."""
    assert said(tmp_path, 'version = "1"\n[categories.necessary]\nalways = true\n') == []


def test_loading_says_nothing_of_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A shop that starts is not told at every start what a check would tell."""
    text = UNTOLD.replace("[[cookies]]", "[categories.marketing]\n\n[[cookies]]")
    (tmp_path / "a.toml").write_text(f"{text}\n[regions]\n")
    with caplog.at_level(logging.DEBUG, "consentgate"):
        policy = load_policy(tmp_path / "a.toml")
        load_gate(tmp_path / "a.toml", environ=ENVIRON)
        gate_of(policy, environ=ENVIRON)
    assert caplog.messages == []


def test_a_strict_policy_is_refused_for_it(tmp_path: Path) -> None:
    """As a file and as a Policy alike; the description of a category without a table included."""
    (tmp_path / "a.toml").write_text(UNTOLD.replace("\n\n", "\nstrict = true\n\n", 1))
    with pytest.raises(ConfigError) as caught:
        load_policy(tmp_path / "a.toml")
    assert [(one.code, one.line) for one in caught.value.problems] == [
        ("CG508", line) for line in (1, 8, 10, 11, 15, 17)
    ]
    rule = Rule(name="x", category="a", provider="Us", purpose="Counts", seconds=60)
    category = Category(id="a", description="Counts", rules=(rule, Rule(name="y", category="a")))
    controller = Controller(name="Shop Ltd", contact="privacy@shop.example")
    policy = Policy(version="1", strict=True, controller=controller, categories=(category,))
    with pytest.raises(ConfigError) as caught:
        gate_of(policy, environ=ENVIRON)
    assert [(one.code, one.key) for one in caught.value.problems] == [
        ("CG508", "categories[0].rules[1]")
    ]


def test_a_strict_policy_that_tells_all_is_taken(tmp_path: Path) -> None:
    """strict = true asks for nothing else."""
    (tmp_path / "a.toml").write_text(f"strict = true\n{TOLD}")
    assert load_policy(tmp_path / "a.toml").strict


# --- regions, where a check gives something to think about ----------------------------------------


def test_regions_that_nobody_finds_are_doubted(tmp_path: Path) -> None:
    """Unless the app says where visitors are, which no file can know."""
    text = TOLD.replace("[categories.analytics]", "[categories.analytics]\nsale_or_sharing = true")
    assert said(tmp_path, f"{text}[regions]\n") == [
        "a.toml:12: warning[CG509] nothing says which region a visitor is in, so all are where it "
        "is strictest (regions) | add country or database, unless the app passes locate= to wrap"
    ]
    for found in ('country = "X-Country"', 'database = "geo.mmdb"'):
        assert said(tmp_path, f"{text}[regions]\n{found}\n") == []


def test_an_opt_out_of_everything_is_doubted(tmp_path: Path) -> None:
    """Where nothing is marked as sold or shared, nobody has said what an opt-out is about."""
    assert said(tmp_path, f'{TOLD}[regions]\ncountry = "X-Country"\n') == [
        "a.toml:11: warning[CG510] there are opt-out regions, but no category is marked as sold "
        "or shared: an opt-out, and Global Privacy Control, then concern all optional categories "
        "(regions) | write sale_or_sharing = true in those that are sold, shared or used for ads"
    ]
    assert said(tmp_path, 'version = "1"\n[regions]\ncountry = "X-Country"\n') == []
