"""Whatever is handed in: a policy, or a ConfigError that can be shown. Never anything else."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from config.samples import ENVIRON, FULL, GOOD_KEY, beside_templates
from consentgate import Category, ConfigError, Policy, Rule, load_gate, load_policy
from consentgate.config import gate_of, inspect, known
from consentgate.config.wording import english
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
from consentgate.core.proof import origin_of

LINES = FULL.splitlines(keepends=True)
KNOWN = sorted(
    {
        *(*known.TOP, *known.CONSENT, *known.CATEGORY, *known.LONG_RULE, *known.EXEMPTION),
        *(*known.CONTROLLER, *known.REGIONS, *known.PROFILE, *known.GPC, *known.BANNER),
        *(*known.FLOW, *known.PAGES, *known.CHANGE),
    }
)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
keys = st.sampled_from([*KNOWN, "necessary", "analytics", "versoin", "nmae"]) | texts
plain = (
    texts
    | st.sampled_from(["_ga*", "*", "_ga", "*a", "90 days", "necessary", "analytics", "lax", "/x"])
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False)
)
values = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)


def table_of(keys: known.Keys, **more: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Tables with some of these keys, and now and then no table at all."""
    optional = {key: more.get(key, values) | values for key in keys}
    return values | st.fixed_dictionaries({}, optional=optional)


# TOML data that looks like a policy, with anything in any place.
rules = values | st.fixed_dictionaries({}, optional=dict.fromkeys(known.LONG_RULE, values))
categories = values | st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(known.CATEGORY, values),
        "cookies": st.lists(rules | plain, max_size=4),
        "exemption": table_of(
            known.EXEMPTION,
            kind=st.sampled_from(["audience-measurement", "statistical", "appearance"]),
        ),
    },
)
profiles = table_of(
    known.PROFILE,
    places=st.lists(st.sampled_from(["FR", "FR-IDF", "US-CA", "AA"]) | plain, max_size=4),
    regime=st.sampled_from(["opt-in", "opt-out"]),
)
text_keys = st.sampled_from(
    [f"{table}.{key}" for table, texts in english().items() for key in texts]
    + ["categories.analytics", "cookies._ga*", "changes.1", "direction", "banner"]
)
spoken = texts | st.sampled_from(["{count}", "{", "{}", "{categories} {x}", "rtl", ""]) | values


@st.composite
def texts_of_languages(draw: st.DrawFn) -> Any:
    """Tables of texts in some languages, most of them with keys that there are."""
    tables: dict[str, Any] = {}
    for language in draw(st.lists(languages, max_size=3)):
        table = tables.setdefault(language, {})
        for path in draw(st.lists(text_keys, max_size=4)):
            name, _, key = path.partition(".")
            if not key or not isinstance(table.setdefault(name, {}), dict):
                table[name] = draw(spoken)
            else:
                table[name][key] = draw(spoken)
    return tables


languages = (
    st.sampled_from(["de", "DE", "en", "ar", "eu", "zh-Hant", "no", "nb", "dk", "x"]) | texts
)
policies = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(known.TOP, values),
        "version": texts,
        "consent": st.fixed_dictionaries({}, optional=dict.fromkeys(known.CONSENT, values)),
        "categories": st.dictionaries(keys, categories, max_size=3),
        "cookies": st.lists(rules, max_size=3),
        "controller": table_of(known.CONTROLLER),
        "regions": table_of(known.REGIONS, profiles=st.lists(profiles, max_size=3)),
        "gpc": table_of(known.GPC),
        "banner": table_of(
            known.BANNER, buttons=st.lists(st.sampled_from(["accept", "reject", "settings"]))
        ),
        "flows": st.lists(table_of(known.FLOW), max_size=3),
        "pages": table_of(known.PAGES, language=languages),
        "texts": texts_of_languages() | values,
        "changes": st.lists(table_of(known.CHANGE, version=st.just("1")), max_size=3),
    },
)


def toml(value: Any) -> str:
    """Write a value as TOML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(key)} = {toml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value) if "." in repr(value) else f"{value:.1f}"
    return quoted(value) if isinstance(value, str) else str(value)


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One file, written anew for every example."""
    return beside_templates(tmp_path_factory.mktemp("any"))


def examine(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    try:
        policy = load_policy(path)
    except ConfigError:
        policy = None
    if policy is not None:
        # What loads makes a gate with a good key: the checks miss nothing that the core refuses.
        assert load_gate(path, environ={policy.secret_env: GOOD_KEY}).policy == policy
    _, problems = inspect(path)
    count = content.count(b"\n") + 1
    assert all(0 <= one.line <= count and one.message and one.remedy for one in problems)


@given(content=st.binary(max_size=200))
def test_any_bytes_are_refused_or_read(file: Path, content: bytes) -> None:
    """A file may hold anything."""
    examine(file, content)


@given(content=st.text(st.sampled_from("ab_-.='\"[]{}#,\n \t\\u0é*"), max_size=60))
def test_anything_like_toml_is_refused_or_read(file: Path, content: str) -> None:
    """All that has a meaning in TOML, in any order."""
    examine(file, content.encode())


@given(lines=st.lists(st.sampled_from(LINES), max_size=25))
def test_the_lines_of_a_good_file_in_any_order_are_refused_or_read(
    file: Path, lines: list[str]
) -> None:
    """Cut, pasted and forgotten."""
    examine(file, "".join(lines).encode())


@given(data=policies)
@example(data={"version": "1", "cookies": [{"category": "ads"}, {"category": "ads", "name": "*"}]})
@example(data={"version": "1", "cookies": [{"category": "my ads", "name": "x"}]})
@example(data={"version": "1", "categories": {"a": 1}, "cookies": [{"category": "a"}]})
@example(data={"version": "1", "categories": [], "cookies": [{"category": "a", "name": "x"}]})
def test_any_value_at_any_key_is_refused_or_read(file: Path, data: dict[str, Any]) -> None:
    """A policy in outline, with wrong types, odd names and unknown keys in every place."""
    lines = [f"{quoted(key)} = {toml(value)}\n" for key, value in data.items()]
    examine(file, "".join(lines).encode())


anything: st.SearchStrategy[Any] = st.none() | values | st.binary(max_size=4) | st.tuples(texts)
anything_hashable = st.none() | texts | st.integers() | st.binary(max_size=2)
odd_text = st.text(max_size=8) | st.sampled_from(["", "*", "**", "_ga*", "a;b", "\ud800"])
python_rules = anything | st.builds(
    Rule,
    name=odd_text | anything,
    category=st.sampled_from(["a", "b"]) | odd_text,
    duration=st.just("") | st.just("1 day") | odd_text,
    seconds=st.none() | st.integers(-5, 86_400) | anything,
)
python_categories = anything | st.builds(
    Category,
    id=st.sampled_from(["a", "b", "necessary"]) | odd_text | anything,
    always=st.booleans() | anything,
    rules=st.lists(python_rules, max_size=4).map(tuple) | anything,
    local_storage=st.lists(odd_text, max_size=3).map(tuple) | anything,
    indexed_db=st.lists(odd_text, max_size=3).map(tuple) | anything,
    sources=st.lists(odd_text | st.just("https://x.example"), max_size=2).map(tuple) | anything,
    honours=st.lists(odd_text | st.just("3f0a"), max_size=2).map(tuple) | anything,
    exemption=st.none() | st.builds(Exemption, kind=odd_text, objection=odd_text) | anything,
)
python_regions = st.builds(
    Regions,
    country=odd_text,
    profiles=st.lists(
        st.builds(Profile, places=st.tuples(odd_text), regime=odd_text, read=odd_text), max_size=2
    ).map(tuple)
    | anything,
)
python_flows = st.builds(
    Flow,
    paths=st.lists(odd_text | st.just("/pay"), max_size=2).map(tuple),
    cookies=st.lists(odd_text, max_size=2).map(tuple) | anything,
    sources=st.lists(odd_text, max_size=2).map(tuple),
)


@given(
    policy=st.builds(
        Policy,
        version=odd_text | anything,
        categories=st.lists(python_categories, max_size=4).map(tuple) | anything,
        mode=st.sampled_from(["enforce", "report"]) | anything,
        secret_env=st.just("CONSENTGATE_SECRET") | odd_text | anything,
        site=odd_text | anything,
        prefix=odd_text | anything,
        cookie=odd_text | anything,
        domain=odd_text | anything,
        accepted_for=st.integers() | anything,
        controller=st.none() | st.builds(Controller, name=odd_text) | anything,
        regions=st.none() | python_regions | anything,
        gpc=st.builds(Gpc, opt_in=odd_text | st.just("sale"), updated=odd_text) | anything,
        flows=st.lists(python_flows, max_size=2).map(tuple) | anything,
        banner=st.builds(Banner, buttons=st.lists(odd_text).map(tuple)) | anything,
        strict=st.booleans() | anything,
        csp=st.builds(Csp, mode=st.just("enforce") | odd_text, report_uri=odd_text) | anything,
        guard=st.just("off") | odd_text | anything,
        consent_mode=st.none()
        | st.builds(
            ConsentMode,
            mode=st.just("advanced") | odd_text,
            vendors=st.lists(odd_text | st.just("meta")).map(tuple),
            ad_storage=odd_text | st.just("a"),
        )
        | anything,
        pages=st.builds(Pages, language=languages | odd_text, templates=odd_text) | anything,
        texts=texts_of_languages() | st.dictionaries(languages | anything_hashable, anything),
        changes=st.lists(st.builds(Change, version=odd_text, date=odd_text)).map(tuple) | anything,
    )
)
def test_any_policy_built_in_python_is_refused_or_taken(policy: Policy) -> None:
    """No type checker need have seen it."""
    try:
        gate = gate_of(policy, environ=ENVIRON)
    except ConfigError:
        return
    assert gate.policy is policy


@given(
    policy=st.builds(
        Policy,
        version=st.just("1"),
        site=st.text(st.sampled_from("htps:/.-_@[]*019ax "), max_size=20).map(
            lambda text: "https://" + text
        ),
    )
)
@example(policy=Policy(version="1", site="https://[2001:db8::1]:8443"))
def test_a_site_that_is_taken_can_be_compared_with_an_origin(policy: Policy) -> None:
    """What the check lets through, the same-origin proof understands."""
    try:
        gate_of(policy, environ=ENVIRON)
    except ConfigError:
        return
    assert origin_of(policy.site) is not None


def test_a_config_error_survives_a_process_boundary(tmp_path: Path) -> None:
    """Servers with workers hand start-up errors on as pickles."""
    (tmp_path / "a.toml").write_text("mode = 1\nmood = 2\n")
    with pytest.raises(ConfigError) as caught:
        load_policy(tmp_path / "a.toml")
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.problems) == (str(caught.value), caught.value.problems)
