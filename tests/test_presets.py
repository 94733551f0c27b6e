"""The names that are known without being listed: right, few, and never a tracker's."""

from __future__ import annotations

import inspect
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from consentgate import Rule, presets
from consentgate.config.checks import rule_faults
from consentgate.core.matcher import Matcher, bare
from consentgate.core.policy import NECESSARY
from consentgate.core.ties import ties
from consentgate.presets import Tracker, known_trackers, necessary_rules, trackers_named

FILE = Path(presets.__file__).with_name("necessary.toml")
RULES = necessary_rules()
MATCHER = Matcher(RULES)

# Cookies that measure, advertise or recognise visitors, most of them under names that one vendor
# alone uses, and names that are too common to be taken for anybody's.
TRACKERS = Path(__file__).with_name("config").joinpath("tracker_names.txt").read_text().split()


def test_the_file_and_the_rules_say_the_same() -> None:
    """Every name is a rule of the necessary category, with the framework it was found in."""
    data = tomllib.loads(FILE.read_text("utf-8"))
    expected: dict[str, str] = {}
    for preset in data["preset"]:
        for name in preset["cookies"]:
            expected.setdefault(name, f"{preset['framework']} {preset['version']}")
    rules = [
        Rule(name=name, category=NECESSARY, origin=origin) for name, origin in expected.items()
    ]
    assert list(RULES) == rules


def test_each_preset_has_a_framework_a_version_and_names() -> None:
    """Nothing else, no framework twice, and a version that says how the names are known."""
    data = tomllib.loads(FILE.read_text("utf-8"))
    assert data.keys() == {"preset"}
    for preset in data["preset"]:
        assert preset.keys() == {"framework", "version", "cookies"}
        assert re.fullmatch(r"[0-9]+(\.[0-9]+)*|documented|convention", preset["version"])
        assert len(set(preset["cookies"])) == len(preset["cookies"]) > 0
    frameworks = [preset["framework"] for preset in data["preset"]]
    assert len(frameworks) == len(set(frameworks))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_name_is_one_that_a_cookie_can_have(rule: Rule) -> None:
    """The very check that a site's own names go through."""
    assert rule_faults(rule, ()) == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_pattern_is_a_long_beginning_that_belongs_to_one_framework(rule: Rule) -> None:
    """No asterisk but at the end, behind five characters or more; no name prefix in front."""
    assert bare(rule.name.encode()) == rule.name.encode()
    if "*" in rule.name:
        assert re.fullmatch(r"[A-Za-z0-9_-]{5,}\*", rule.name)


def test_no_two_names_are_in_each_others_way() -> None:
    """The presets themselves have no ties."""
    assert ties(RULES) == []


def test_no_trackers_cookie_is_taken_for_a_necessary_one() -> None:
    """Not one of more than two hundred, nor when it comes with a prefix."""
    names = [prefix + name for name in TRACKERS for prefix in ("", "__Host-", "__Secure-")]
    found = {name: rule.name for name in names if (rule := MATCHER.find(name.encode()))}
    assert (len(TRACKERS) > 200, found) == (True, {})


@pytest.mark.parametrize(
    "name",
    ["sessionid", "csrftoken", "django_language", "messages", "session", "remember_token",
     "__Host-sessionid", "__Secure-csrftoken", "fastapiusersauth", "QUART_AUTH", "session-15",
     "auth_tkt", "_LOCALE_", "beaker.session.id", "currency", "language", "AWSALB", "XSRF-TOKEN",
     "remember-cookie_0b4b3f5e-1111-2222-3333-444455556666", "__wzd0123456789abcdef0123",
     "_oauth2_proxy_1", "BIGipServerpool_web"],
)  # fmt: skip
def test_a_necessary_cookie_is_known(name: str) -> None:
    """One of each kind: session, CSRF, language, currency, messages, sign-in, load balancer."""
    rule = MATCHER.find(name.encode())
    assert rule is not None
    assert rule.category == NECESSARY


# --- known trackers -------------------------------------------------------------------------------


def test_each_tracker_says_whose_it_is_and_where_that_was_read() -> None:
    """The vendor's own page, and one of two purposes; no name twice."""
    trackers = known_trackers()
    assert {tracker.purpose for tracker in trackers} == {"analytics", "advertising"}
    assert all(re.fullmatch(r"https://[^/\s]+/\S+", tracker.source) for tracker in trackers)
    assert all(tracker.cross_site for tracker in trackers if tracker.purpose == "advertising")
    assert len({tracker.name for tracker in trackers}) == len(trackers)
    assert 40 <= len(trackers) <= 60


def test_each_vendor_has_the_same_facts() -> None:
    """Nothing else stands in the file, and no vendor twice."""
    data = tomllib.loads(FILE.with_name("vendors.toml").read_text("utf-8"))
    assert data.keys() == {"vendor"}
    needed = {"name", "purpose", "source", "cookies"}
    for vendor in data["vendor"]:
        assert needed <= vendor.keys() <= {*needed, "cross_site"}
    names = [vendor["name"] for vendor in data["vendor"]]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("tracker", known_trackers(), ids=lambda tracker: tracker.name)
def test_no_tracker_has_a_name_that_others_use(tracker: Tracker) -> None:
    """A cookie can have it, no framework has it by default, and a pattern has text to go by."""
    assert rule_faults(Rule(name=tracker.name, category=""), ()) == []
    assert MATCHER.find(tracker.name.replace("*", "x").encode()) is None
    assert len(tracker.name.replace("*", "")) >= (4 if "*" in tracker.name else 3)
    assert trackers_named(tracker.name)[0].vendor == tracker.vendor


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("_ga", ["_ga"]),
        ("_GA", []),
        ("_ga_SHOP1", ["_ga_*"]),
        ("__Secure-_ga", ["_ga"]),
        ("__Secure-_ga*", ["_ga", "_ga_*", "_gat", "_gac_*"]),
        ("_ga_SHOP*", ["_ga_*"]),
        ("_ga*", ["_ga", "_ga_*", "_gat", "_gac_*"]),
        ("ph_*", ["ph_*_posthog"]),
        ("ph_*_posthog", ["ph_*_posthog"]),
        ("mp_1*_mixpanel", ["mp_*_mixpanel"]),
        ("*_posthog", ["ph_*_posthog"]),
        ("ph_*x", []),
        ("*", []),
        ("sessionid", []),
        ("\ud800*", []),
    ],
)
def test_a_name_is_a_trackers_where_that_is_certain(name: str, found: list[str]) -> None:
    """One of the two takes in all that the other names; names that may only meet are let be."""
    assert [tracker.name for tracker in trackers_named(name)] == found


# --- the frameworks themselves ------------------------------------------------------------------


def defaults() -> Iterator[tuple[str, object]]:
    """Yield the cookie names that the installed frameworks have by default."""
    from django.conf import global_settings
    from django.contrib.messages.storage.cookie import CookieStorage
    from flask import Flask
    from litestar.config.csrf import CSRFConfig
    from litestar.middleware.session.client_side import CookieBackendConfig
    from litestar.middleware.session.server_side import ServerSideSessionConfig
    from pyramid.authentication import AuthTktCookieHelper
    from pyramid.csrf import CookieCSRFStoragePolicy
    from pyramid.session import SignedCookieSessionFactory
    from quart import Quart
    from starlette.middleware.sessions import SessionMiddleware

    def argument(call: object, name: str) -> object:
        assert callable(call)
        return inspect.signature(call).parameters[name].default

    for setting in ("SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME", "LANGUAGE_COOKIE_NAME"):
        yield f"Django {setting}", getattr(global_settings, setting)
    yield "Django messages", CookieStorage.cookie_name
    yield "Flask", Flask.default_config["SESSION_COOKIE_NAME"]
    yield "Quart", Quart.default_config["SESSION_COOKIE_NAME"]
    yield "Starlette", argument(SessionMiddleware, "session_cookie")
    yield "Litestar CSRF", CSRFConfig(secret="x").cookie_name
    yield "Litestar cookie session", CookieBackendConfig(secret=b"x" * 16).key
    yield "Litestar server session", ServerSideSessionConfig().key
    yield "Pyramid session", argument(SignedCookieSessionFactory, "cookie_name")
    yield "Pyramid sign-in", argument(AuthTktCookieHelper, "cookie_name")
    yield "Pyramid CSRF", argument(CookieCSRFStoragePolicy, "cookie_name")


def test_the_defaults_of_the_installed_frameworks_are_known() -> None:
    """Asked of their own code, so that a release which renames a cookie shows."""
    unknown = [
        (framework, name)
        for framework, name in defaults()
        if not isinstance(name, str) or MATCHER.find(name.encode()) is None
    ]
    assert unknown == []
