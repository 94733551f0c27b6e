"""[csp], [consent_mode] and `sources`; all mistakes at once are in golden/third_parties.toml."""

from __future__ import annotations

from pathlib import Path
from time import process_time

import pytest

from config.samples import load
from consentgate import Category, Policy
from consentgate.config import inspect
from consentgate.config.checks import third_party_faults
from consentgate.core.policy import ConsentMode, Csp, Flow

ALWAYS = Category(id="necessary", always=True, sources=("https://cdn.example",))
ADS = Category(id="ads")


def faulty(**fields: object) -> list[tuple[str, str]]:
    """Code and message of what is wrong with a policy with these fields."""
    fields = {"version": "1", "categories": (ALWAYS, ADS), **fields}
    return [(one.code, one.message) for one in third_party_faults(Policy(**fields))]  # type: ignore[arg-type]


def of_source(source: str) -> list[str]:
    """What is wrong with a source, of a category and of a flow alike."""
    found = faulty(categories=(ALWAYS, Category(id="ads", sources=(source,))))
    assert faulty(flows=(Flow(paths=("/pay",), sources=(source,)),)) == found
    assert {code for code, _ in found} <= {"CG104"}
    return [message for _, message in found]


@pytest.mark.parametrize(
    "source",
    [
        "'self'",
        "cdn.example",
        "CDN.example",
        "localhost",
        "127.0.0.1:8000",
        "xn--bcher-kva.example.",
        "*.cdn.example",
        "https://cdn.example",
        "https://cdn.example/",
        "https://*.cdn.example:8443/js/",
        "https://cdn.example:*/a.b~c/d%20e/!$&'()*+=:@-_",
        "wss://chat.example",
        "data:",
        "mediastream:",
        "my+app-1.0:",
    ],
)
def test_a_source_is_a_host_or_a_scheme(source: str) -> None:
    """As CSP3 2.3.1 writes them."""
    assert of_source(source) == []


@pytest.mark.parametrize("source", ["*", "https://*", "*:443", "http:", "https:", "WSS:", "ws:"])
def test_a_source_that_is_everybody_is_refused(source: str) -> None:
    """With it in one category, all others would be let in along with it."""
    assert of_source(source) == [f"{source!r} lets every third party in"]


@pytest.mark.parametrize(
    "source", ["'none'", "'unsafe-inline'", "'strict-dynamic'", "'nonce-x'", "'SELF'", "'self", "'"]
)
def test_a_keyword_is_no_source(source: str) -> None:
    """It would speak of inline code, of which this policy has nothing to say, or open it wide."""
    assert of_source(source) == [f"{source!r} is a keyword, and no third party"]


@pytest.mark.parametrize(
    "source",
    [
        "",
        " ",
        "a b",
        "https://a.example https://b.example",
        "a.example; script-src *",
        "a.example,b.example",
        "https://a.example/x;y",
        "https://a.example/x,y",
        "https://",
        "https:///x",
        "https://a.example//x",
        "https://a.example/x?y",
        "https://a.example/#x",
        "https://[::1]",
        "a.*.example",
        "*a.example",
        "a_b.example",
        ".example",
        "a..example",
        "a.example:https",
        "a.example:123456",
        "bücher.example",
        "a.example\n",
        "ſ.example",
        "1a:",
    ],
)
def test_what_browsers_would_not_understand_is_refused(source: str) -> None:
    """They would pass it over, or take it for another directive."""
    assert of_source(source) == [f"{source!r} is no source for a browser"]


def test_a_password_is_not_shown() -> None:
    """What stands before an @ may be one; in a path it is none."""
    assert of_source("https://u:hunter2@a.example") == [
        "an address with a user name is no source for a browser"
    ]
    assert of_source("https://a.example/npm/x@1/") == []


def test_a_long_source_is_looked_at_quickly() -> None:
    """No way through it is tried twice."""
    begun = process_time()
    assert of_source("https://a.example/" + "a/b" * 20_000 + ";")
    assert of_source("a-" * 20_000 + ";")
    assert process_time() - begun < 2


@pytest.mark.parametrize("uri", ["/reports", "/r?to=x&y", "https://r.example/csp", "HTTP://r:80/x"])
def test_reports_may_go_to_a_path_or_an_address(uri: str) -> None:
    """Of this site or another."""
    assert faulty(csp=Csp(mode="report", report_uri=uri)) == []


@pytest.mark.parametrize("uri", ["reports", "//r.example", "/r;x", "/r,x", "/a b", "/ü", "/r\n"])
def test_no_report_goes_to_what_would_break_the_header(uri: str) -> None:
    """Or is no address at all."""
    assert faulty(csp=Csp(mode="report", report_uri=uri)) == [
        ("CG104", f"browsers can send no report to {uri!r}")
    ]


def test_enforcing_needs_the_sources_of_the_site_itself() -> None:
    """Else the first start would keep away what it loads; "'self'" says that it needs nothing."""
    nothing = "nothing could load from third parties, for what is always on names no sources"
    bare = Category(id="necessary", always=True)
    own = Category(id="necessary", always=True, sources=("'self'",))
    for categories, found in (
        ((bare, ADS), [("CG606", nothing)]),
        ((ADS,), [("CG606", nothing)]),
        ((own, ADS), []),
        ((bare, Category(id="more", always=True, sources=("https://cdn.example",))), []),
    ):
        assert faulty(categories=categories, csp=Csp(mode="enforce")) == found
        assert faulty(categories=categories, csp=Csp(mode="report")) == []


def thoughts(folder: Path, text: str) -> list[tuple[str, str, str, str]]:
    """What whoever checks a file is told of it, and who starts with it is not."""
    file = folder / "consentgate.toml"
    load(folder, text)
    _, problems = inspect(file)
    return [
        (one.code, one.severity, one.key, one.message)
        for one in problems
        if one.code in ("CG514", "CG515", "CG516")
    ]


def test_sources_of_which_nobody_is_told_are_doubted(tmp_path: Path) -> None:
    """Whoever writes them thinks that they do something."""
    text = (
        'version = "1"\n[categories.ads]\nsources = ["https://ads.example"]\n'
        '[[flows]]\npaths = ["/pay"]\nsources = ["https://pay.example"]\n'
    )
    told = "browsers are not told of these sources, so they keep nobody away"
    assert thoughts(tmp_path, text) == [
        ("CG514", "warning", "categories.ads.sources", told),
        ("CG514", "warning", "flows[0].sources", told),
    ]
    assert thoughts(tmp_path, text + '[csp]\nmode = "report"\n') == []


def test_a_category_that_nothing_can_come_from_is_doubted(tmp_path: Path) -> None:
    """Unless it says that it needs no third party."""
    text = 'version = "1"\n[csp]\nmode = "report"\n[categories.ads]\ntitle = "Ads"\n'
    assert thoughts(tmp_path, text) == [
        (
            "CG515",
            "warning",
            "categories.ads.sources",
            "nothing of 'ads' can load from third parties, agreed to or not",
        )
    ]
    assert thoughts(tmp_path, text + "sources = [\"'self'\"]\n") == []


def test_tags_that_ask_before_consent_are_doubted(tmp_path: Path) -> None:
    """At every start, too: the requests that they send tell who visits."""
    text = 'version = "1"\n[categories.analytics]\n[consent_mode]\nmode = "advanced"\n'
    assert thoughts(tmp_path, text) == [
        (
            "CG516",
            "warning",
            "consent_mode.mode",
            "tags load, and send requests, before the visitor agrees",
        )
    ]


def test_a_category_that_is_the_default_may_be_missing(tmp_path: Path) -> None:
    """What follows it is denied for ever; but what is written down must exist."""
    text = 'version = "1"\n[categories.ads]\n[consent_mode]\nvendors = ["google"]\n'
    assert load(tmp_path, text).consent_mode == ConsentMode()
    (tmp_path / "consentgate.toml").write_text(
        text + 'ad_storage = "marketing"\nad_user_data = "adds"\nsecurity_storage = "necessary"\n'
    )
    _, problems = inspect(tmp_path / "consentgate.toml")
    assert [(one.code, one.line, one.message, one.remedy) for one in problems[-2:]] == [
        (
            "CG104",
            5,
            "there is no category 'marketing' for ad_storage to follow",
            "write one of: ads, necessary",
        ),
        (
            "CG104",
            6,
            "there is no category 'adds' for ad_user_data to follow",
            "did you mean 'ads'?",
        ),
    ]


def test_no_tag_is_told_of_a_yes_that_nobody_said() -> None:
    """What advertising and analytics follow is never always on; what a page needs may be."""
    always = "would be granted before the visitor agrees, for 'necessary' is always on"
    signals = ("ad_storage", "ad_user_data", "ad_personalization", "analytics_storage")
    for signal in signals:
        told = ConsentMode(**{signal: "necessary"})
        assert faulty(consent_mode=told) == [("CG401", f"{signal} {always}")]
        # Also where nobody has written down that there is one.
        assert faulty(consent_mode=told, categories=(ADS,)) == [("CG401", f"{signal} {always}")]
    free = ConsentMode(functionality_storage="necessary", personalization_storage="necessary")
    assert faulty(consent_mode=free) == []
