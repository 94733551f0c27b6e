"""What is allowed but probably not meant: a line in the log, never an error."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from config.samples import ENVIRON, EXAMPLE
from consentgate import Category, Policy, Rule, load_gate, load_policy
from consentgate.config import gate_of, inspect


def warnings_of(path: Path, text: str) -> list[str]:
    """Return the warnings that loading a file with this content logs, without its folder."""
    (path / "a.toml").write_text(text)
    _, problems = inspect(path / "a.toml")
    assert {problem.severity for problem in problems} <= {"warning"}
    # Those that are only for whoever checks a file have tests of their own.
    logged = [problem for problem in problems if problem.code not in ("CG508", "CG509", "CG510")]
    return [str(problem).replace(f"{path}/", "") for problem in logged]


def test_a_pattern_that_takes_a_needed_name_is_doubted(tmp_path: Path) -> None:
    """A refused `s*` would sign everybody out: the names and their frameworks are told."""
    text = 'version = "1"\n[categories.analytics]\ncookies = [\n  "_ga*",\n  "sess*",\n]\n'
    (found,) = warnings_of(tmp_path, text)
    assert found.startswith(
        "a.toml:5: warning[CG501] 'sess*' takes over names that frameworks need: sessionid (Django "
    )
    assert found.endswith(
        " and others (categories.analytics.cookies[1])\n"
        "    help: make the pattern longer, or list those names in a category that is always on"
    )


@pytest.mark.parametrize(
    "text",
    [
        '[categories.necessary]\nalways = true\ncookies = ["sess*"]',
        '[categories.necessary]\nalways = true\ncookies = ["sess*x", "session*"]\n'
        '[categories.a]\ncookies = ["sess*"]\n[[cookies]]\nname = "sessionid"\n'
        'category = "necessary"',
        '[categories.a]\ncookies = ["sessionid"]',
        '[categories.a]\ncookies = ["_ga*", "sessions_*", "xmessages"]',
    ],
    ids=["always on", "beaten by longer ones", "named exactly", "others"],
)
def test_what_takes_nothing_is_not_doubted(tmp_path: Path, text: str) -> None:
    """Patterns in a category that is always on, beaten ones, and names listed on purpose."""
    assert warnings_of(tmp_path, f'version = "1"\n{text}\n') == []


def test_letting_unknown_cookies_out_is_doubted(tmp_path: Path) -> None:
    """It may be meant for a while, so it is no error."""
    assert warnings_of(tmp_path, 'version = "1"\nunknown = "allow"\n') == [
        "a.toml:2: warning[CG502] cookies that no rule names leave without consent (unknown)\n"
        '    help: name them, then write unknown = "block"'
    ]


def test_what_changes_needed_cookies_is_doubted(tmp_path: Path) -> None:
    """Floors, limits and fixed values, where they reach what people need; durations once."""
    text = (
        'version = "1"\n[categories.necessary]\nalways = true\nsecure = true\n'
        'http_only = true\nsame_site = "strict"\ncookies = [\n  "basket",\n'
        '  { name = "sid", duration = "1 day" },\n'
        '  { name = "csrf", duration = "session", sliding = false },\n]\n'
        '[categories.analytics]\nhttp_only = true\nsame_site = "lax"\n'
        'cookies = [{ name = "_ga", duration = "1 day", sliding = false }]\n'
        '[[cookies]]\nname = "lang"\ncategory = "necessary"\nduration = "1 year"\n'
    )
    assert [one.replace("\n    help: ", " | ") for one in warnings_of(tmp_path, text)] == [
        "a.toml:5: warning[CG504] HttpOnly keeps scripts from the CSRF token that some of them "
        "have to read (categories.necessary.http_only) | leave http_only out here; set it in the "
        "app, for single cookies",
        "a.toml:6: warning[CG504] a SameSite floor cuts people off who come back from a payment or "
        "a sign-in page (categories.necessary.same_site) | leave same_site out here; set it in the "
        "app, for single cookies",
        "a.toml:9: warning[CG504] 'sid' is cut to '1 day' where the app keeps it longer, which may "
        "sign people out; so are others of this category with a duration "
        "(categories.necessary.cookies[1].duration) | move them to [[cookies]] to publish "
        "durations only, or leave them if meant",
        "a.toml:10: warning[CG504] 'csrf' cannot change once the browser holds it "
        "(categories.necessary.cookies[2].sliding) | leave sliding out: sessions and CSRF tokens "
        "have to change",
    ]


def test_what_the_app_reads_all_the_same_is_doubted(tmp_path: Path) -> None:
    """hide = false is for a while; and what does nothing is said to."""
    text = 'version = "1"\nunknown = "allow"\nhide = false\nexpire_unknown = true\n'
    assert [one.split(" (")[0] for one in warnings_of(tmp_path, text)] == [
        "a.toml:2: warning[CG502] cookies that no rule names leave without consent",
        "a.toml:3: warning[CG505] the app reads cookies that the visitor has refused",
        "a.toml:4: warning[CG506] unknown cookies are allowed, so none is expired",
    ]


def test_a_floor_of_secure_without_https_is_doubted(tmp_path: Path) -> None:
    """Browsers would refuse the cookies, so it is left out, and said to be."""
    text = 'version = "1"\n[consent]\nsecure = false\n[categories.analytics]\nsecure = true\n'
    assert warnings_of(tmp_path, text) == [
        "a.toml:5: warning[CG506] the site does without https, so none of its cookies is made "
        "Secure (categories.analytics.secure)\n"
        "    help: set secure = true in [consent], or leave it out here"
    ]


def test_a_tracker_that_is_called_necessary_is_doubted(tmp_path: Path) -> None:
    """In a category that is always on, and in a flow; never an error, for the list may grow."""
    text = (
        'version = "1"\n[categories.necessary]\nalways = true\ncookies = [\n'
        '  "sessionid",\n  "_ga_SHOP1",\n  "__Host-_fbp",\n  "_pk_*",\n  "__*",\n]\n'
        '[categories.analytics]\ncookies = ["_ga"]\n'
        '[[flows]]\npaths = ["/pay"]\ncookies = ["pay", "IDE"]\n'
    )
    always = "it stands in a category always on: move it to an optional category"
    assert [one.replace("\n    help: ", " | ") for one in warnings_of(tmp_path, text)] == [
        "a.toml:6: warning[CG507] '_ga_SHOP1' is no strictly necessary cookie, but one of Google "
        f"Analytics (analytics) (categories.necessary.cookies[1]) | {always}",
        "a.toml:7: warning[CG507] '__Host-_fbp' is no strictly necessary cookie, but one of Meta "
        f"Pixel (advertising) (categories.necessary.cookies[2]) | {always}",
        "a.toml:8: warning[CG507] '_pk_*' is no strictly necessary cookie, but one of Matomo "
        f"(analytics) (categories.necessary.cookies[3]) | {always}",
        "a.toml:9: warning[CG507] '__*' is no strictly necessary cookie, but one of Google "
        "Universal Analytics (analytics), Google advertising (advertising), HubSpot (analytics) "
        f"(categories.necessary.cookies[4]) | {always}",
        "a.toml:15: warning[CG507] 'IDE' is no strictly necessary cookie, but one of Google "
        "advertising (advertising) (flows[0].cookies[1]) | it stands in a flow: move it to an "
        "optional category",
    ]


def test_an_address_that_is_looked_up_nowhere_is_doubted(tmp_path: Path) -> None:
    """It would be looked up in a database, and there is none."""
    text = 'version = "1"\n[regions]\ncountry = "X-Country"\naddress = "X-Real-IP"\n'
    assert [one.split(" (")[0] for one in warnings_of(tmp_path, text)] == [
        "a.toml:4: warning[CG506] an address is only looked up in a database, and there is none"
    ]


def test_a_category_without_a_table_is_doubted_once(tmp_path: Path) -> None:
    """However many cookies name it; the visitor is asked about it all the same."""
    text = EXAMPLE + '\n[[cookies]]\nname = "fr"\ncategory = "marketing"\n'
    assert warnings_of(tmp_path, text) == [
        "a.toml:32: warning[CG503] category 'marketing' has no table, so visitors are not told "
        "what it is for (cookies[0].category)\n"
        "    help: add [categories.marketing] with title and description"
    ]


def test_loading_logs_every_warning_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A file, a file with its key, and a Policy alike: what nobody is told is no warning."""
    text = 'version = "1"\nunknown = "allow"\n[categories.a]\ncookies = ["csrf*"]\n'
    (tmp_path / "a.toml").write_text(text)
    rule = Rule(name="csrf*", category="a")
    policy = Policy(version="1", unknown="allow", categories=(Category(id="a", rules=(rule,)),))
    logged = []
    with caplog.at_level(logging.INFO, "consentgate"):
        for load in (
            lambda: load_policy(tmp_path / "a.toml"),
            lambda: load_gate(tmp_path / "a.toml", environ=ENVIRON),
            lambda: gate_of(policy, environ=ENVIRON),
        ):
            caplog.clear()
            load()
            logged.append([(one.levelname, one.message.split()[1]) for one in caplog.records])
    expected = [("WARNING", "warning[CG502]"), ("WARNING", "warning[CG501]")]
    assert logged == [expected] * 3
