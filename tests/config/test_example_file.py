"""The file that the documents show, read whole."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from config.samples import ENVIRON, EXAMPLE, EXAMPLE_POLICY, FULL, beside_templates, load
from consentgate import Category, Policy, Rule, load_gate
from consentgate.config import inspect, known
from consentgate.core.policy import (
    Banner,
    Change,
    ConsentMode,
    Controller,
    Csp,
    Exemption,
    Flow,
    Gpc,
    Pages,
    Profile,
    Regions,
)
from consentgate.law import profiles

EVERY_KEY = sorted(
    {
        *(*known.TOP, *known.CONSENT, *known.CATEGORY, *known.LONG_RULE, *known.EXEMPTION),
        *(*known.CONTROLLER, *known.REGIONS, *known.PROFILE, *known.GPC, *known.BANNER),
        *(*known.FLOW, *known.PAGES, *known.CHANGE, *known.CSP, *known.CONSENT_MODE),
    }
)


def test_the_whole_example_is_read_as_it_says(tmp_path: Path) -> None:
    """Every value of the documented file arrives in its field of the Policy."""
    assert load(tmp_path, EXAMPLE) == EXAMPLE_POLICY


def test_the_example_makes_a_gate(tmp_path: Path) -> None:
    """With a good key in the environment, the documented file is all that a gate needs."""
    (tmp_path / "consentgate.toml").write_text(EXAMPLE)
    gate = load_gate(tmp_path / "consentgate.toml", environ=ENVIRON)
    assert (gate.policy, gate.site.optional) == (
        EXAMPLE_POLICY,
        frozenset({"analytics", "marketing"}),
    )


def test_the_full_example_uses_every_key_there_is() -> None:
    """No key is known that the tests do not try."""
    shown = set(re.findall(r"(?:^|\{ |, )([a-z_]+) = ", FULL, re.MULTILINE))
    headers = set(re.findall(r"(?:^\[{1,2}|\.)([a-z_]+)\]", FULL, re.MULTILINE))
    tables = {"consent", "controller", "regions", "profiles", "gpc", "banner", "flows", "cookies"}
    tables |= {"pages", "changes", "csp", "consent_mode"}
    ids = {"necessary", "analytics", "visits", "marketing", "de"}
    every = {*EVERY_KEY, "direction"}  # of texts the language has a key, all else has its texts
    assert (shown | {"categories", "texts", *tables}, headers) == (every, tables | ids)


# What is amiss where all lines of a key are taken out of the full example.
NEEDED = {
    "version": ["CG103", "CG604", "CG103"],
    "date": ["CG103"],
    "text": ["CG103"],
    "cookies": ["CG604"],
    "mode": ["CG514"] * 5,
    "sources": ["CG606", "CG515", "CG515", "CG515"],
    "always": ["CG606", "CG105"],
    "description": ["CG508", "CG405", "CG508", "CG508"],
    "name": ["CG508", "CG103"],
    "category": ["CG103"],
    "provider": ["CG508"],
    "purpose": ["CG508"],
    "duration": ["CG508"],
    "sale_or_sharing": ["CG510"],
    "country": ["CG104"],
    "database": ["CG506"],
    "places": ["CG103"],
    "rests_on": ["CG407"],
    "article": ["CG407"],
    "source": ["CG407"],
    "read": ["CG407"],
    "paths": ["CG103"],
}


@pytest.mark.parametrize("key", EVERY_KEY)
def test_most_keys_may_be_left_out(tmp_path: Path, key: str) -> None:
    """What is needed all the same: some by each table, and some because this policy is strict."""
    file = beside_templates(tmp_path)
    file.write_text(re.sub(rf"(?m)^{key} = .*\n", "", FULL), "utf-8")
    _, problems = inspect(file)
    assert [problem.code for problem in problems] == NEEDED.get(key, [])


def test_a_version_alone_is_a_policy(tmp_path: Path) -> None:
    """Everything else has a default."""
    assert load(tmp_path, 'version = "1"') == Policy(version="1")


def test_short_and_long_form_say_the_same(tmp_path: Path) -> None:
    """A cookie in its category's list and one in [[cookies]] make equal rules."""
    facts = 'name = "_fbp", provider = "Meta", purpose = "Ads", duration = "90 days"'
    short = f'version = "1"\n[categories.ads]\ncookies = [{{ {facts} }}]'
    long = 'version = "1"\n[categories.ads]\n[[cookies]]\ncategory = "ads"\n' + facts.replace(
        ", ", "\n"
    )
    rule = Rule(
        name="_fbp",
        category="ads",
        provider="Meta",
        purpose="Ads",
        duration="90 days",
        seconds=7_776_000,
    )
    expected = Policy(version="1", categories=(Category(id="ads", rules=(rule,)),))
    assert (load(tmp_path, short), load(tmp_path, long)) == (expected, expected)


def test_the_full_example_is_read_as_it_says(tmp_path: Path) -> None:
    """What removes, hardens and clears arrives in its field of the Policy, too."""
    policy = load(beside_templates(tmp_path).parent, FULL)
    assert (policy.hide, policy.expire_unknown, policy.clear_site_data) == (True, True, True)
    marketing = Category(
        id="marketing",
        description="Show you what may interest you.",
        secure=True,
        http_only=True,
        same_site="strict",
        sale_or_sharing=True,
        honours=("3f0a",),
        sources=("ads.example:443", "ads-app:"),
        rules=(
            Rule(
                name="_fbp",
                category="marketing",
                provider="Meta",
                purpose="Recognises browsers for advertising",
                duration="90 days",
                party="third",
                recipients=("Meta", "Partners of Meta"),
                seconds=7_776_000,
                sliding=False,
                domain="shop.example",
                path="/shop",
                partitioned=True,
            ),
        ),
    )
    assert policy.categories[3] == marketing
    analytics = policy.categories[1]
    assert (analytics.indexed_db, analytics.cache_storage) == (("stats-*",), ("stats",))


def test_what_scripts_and_third_parties_may_do_is_read_as_it_says(tmp_path: Path) -> None:
    """What browsers and tags are told arrives in its field of the Policy."""
    policy = load(beside_templates(tmp_path).parent, FULL)
    assert (policy.guard, policy.unknown_storage) == ("block", "report")
    assert policy.csp == Csp(mode="enforce", report_uri="/reports")
    assert policy.consent_mode == ConsentMode(
        vendors=("google", "microsoft", "clarity", "matomo", "meta"),
        functionality_storage="necessary",
        personalization_storage="visits",
    )
    assert [category.sources for category in policy.categories] == [
        ("https://cdn.example",),
        ("https://stats.example", "https://*.stats.example/collect/"),
        ("'self'",),
        ("ads.example:443", "ads-app:"),
    ]


def test_who_decides_and_where_visitors_are_is_read_as_it_says(tmp_path: Path) -> None:
    """The tables that hold for the whole site arrive in their fields of the Policy."""
    policy = load(beside_templates(tmp_path).parent, FULL)
    assert (policy.strict, policy.accepted_for, policy.refused_for) == (True, 7_776_000, 31_536_000)
    assert policy.controller == Controller(
        name="Shop Ltd",
        address="1 Market Street, London",
        contact="privacy@shop.example",
        url="https://shop.example/about",
    )
    atlantis = Profile(
        name="Atlantis",
        places=("AA", "US-CA"),
        regime="opt-in",
        rests_on="caution",
        article="nothing was found",
        source="https://shop.example/law",
        read="2026-11-24",
        exemptions=("audience-measurement",),
    )
    assert policy.regions == Regions(
        country="CF-IPCountry",
        subdivision="CF-Region-Code",
        database="/var/lib/geo/country.mmdb",
        address="X-Real-IP",
        profiles=(atlantis, *profiles()),
    )
    assert policy.gpc == Gpc(opt_in="sale", updated="2026-11-24", dnt=True)
    assert policy.banner == Banner(buttons=("reject", "accept", "settings"))
    assert policy.flows == (
        Flow(
            paths=("/checkout*",),
            cookies=("__pay_mid",),
            sources=("https://*.pay.example",),
            expire_on_leave=True,
        ),
    )
    assert policy.categories[2] == Category(
        id="visits",
        description="Count visits, without following anybody.",
        exemption=Exemption(
            kind="audience-measurement", objection="/privacy", data_kept="25 months"
        ),
        sources=("'self'",),
        rules=(
            Rule(
                name="visit",
                category="visits",
                provider="Us",
                purpose="Counts visits",
                duration="13 months",
                seconds=34_164_000,
                sliding=False,
            ),
        ),
    )


def test_what_visitors_read_is_read_as_it_says(tmp_path: Path) -> None:
    """The pages, the texts and the changes arrive in their fields of the Policy."""
    policy = load(beside_templates(tmp_path).parent, FULL)
    assert policy.pages == Pages(language="en", templates=str(tmp_path / "gate_templates"))
    assert policy.texts == {
        "de": {
            "direction": "ltr",
            "banner": {"title": "Ihre Privatsphäre"},
            "categories": {
                "analytics": {
                    "title": "Statistik",
                    "description": "Zeigt uns, welche Seiten besucht werden.",
                }
            },
            "cookies": {"_ga*": "Unterscheidet Besucher"},
            "changes": {"2026-11": "Statistik kam dazu."},
        }
    }
    assert policy.changes == (
        Change(version="2026-11", date="2026-11-01", text="Analytics was added."),
    )


def test_a_duration_in_the_long_form_is_only_published_where_people_need_the_cookie(
    tmp_path: Path,
) -> None:
    """In the necessary category's own table it is a limit, and everywhere else it is one too."""
    text = (
        'version = "1"\n[categories.necessary]\nalways = true\n'
        'cookies = [{ name = "sid", duration = "1 day" }]\n'
        '[[cookies]]\nname = "lang"\ncategory = "necessary"\nduration = "1 day"\n'
        '[[cookies]]\nname = "_ga"\ncategory = "analytics"\nduration = "1 day"\n'
    )
    rules = [rule for one in load(tmp_path, text).categories for rule in one.rules]
    assert [(rule.name, rule.seconds, rule.published_only) for rule in rules] == [
        ("sid", 86_400, False),
        ("lang", 86_400, True),
        ("_ga", 86_400, False),
    ]


def test_a_category_may_be_named_by_its_cookies_alone(tmp_path: Path) -> None:
    """It is then an optional category without a title, and a warning asks for a table."""
    (tmp_path / "consentgate.toml").write_text(
        'version = "1"\n[[cookies]]\nname = "_fbp"\ncategory = "marketing"\n'
    )
    policy, problems = inspect(tmp_path / "consentgate.toml")
    rule = Rule(name="_fbp", category="marketing")
    assert policy.categories == (Category(id="marketing", rules=(rule,)),)
    assert [(one.line, one.severity, one.code, one.key) for one in problems] == [
        (1, "warning", "CG508", "controller"),
        (2, "warning", "CG508", "cookies[0]"),
        (4, "warning", "CG503", "cookies[0].category"),
    ]


def test_the_necessary_category_needs_no_table(tmp_path: Path) -> None:
    """A cookie of the category "necessary" is always on, table or not."""
    text = 'version = "1"\n[[cookies]]\nname = "sid"\ncategory = "necessary"\n'
    rule = Rule(name="sid", category="necessary")
    assert load(tmp_path, text).categories == (
        Category(id="necessary", always=True, rules=(rule,)),
    )


def test_an_origin_may_end_with_a_slash(tmp_path: Path) -> None:
    """Address bars copy one along; it is no part of an origin."""
    text = 'version = "1"\n[consent]\nsite = "https://a.example/"\norigins = ["https://b.example/"]'
    policy = load(tmp_path, text)
    assert (policy.site, policy.origins) == ("https://a.example", ("https://b.example",))


@pytest.mark.parametrize(
    "origin",
    [
        "https://shop.example",
        "https://SHOP.example",
        "https://shop.example:8443",
        "https://xn--bcher-kva.example",
        "https://intranet",
        "https://192.0.2.7:80",
        "https://[2001:db8::7]:8443",
        "http://localhost:8000",
        "http://127.0.0.1",
    ],
)
def test_every_kind_of_origin_is_taken(tmp_path: Path, origin: str) -> None:
    """Names, addresses and ports, and plain http on this very machine."""
    text = f'version = "1"\n[consent]\nsite = "{origin}"\norigins = ["{origin}"]\n'
    policy = load(tmp_path, text)
    assert (policy.site, policy.origins) == (origin, (origin,))
