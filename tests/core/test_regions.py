"""Where a visitor is, and what the law asks there."""

from __future__ import annotations

from typing import Any

import pytest

from consentgate.core.http import Request
from consentgate.core.policy import Profile, Regions
from consentgate.core.regions import STRICTEST, Atlas, Law, Locator, code_of, strictest

MEASURING = Law(True, frozenset({"audience-measurement"}))
OPT_OUT = Law(False, frozenset())
ATLAS = Atlas(
    (
        Profile(places=("FR",), exemptions=("audience-measurement",)),
        Profile(places=("US-CA", "US-VA"), regime="opt-out"),
        Profile(places=("US-WA",), regime="opt-in"),
        Profile(places=("JP",), regime="opt-out"),
        Profile(places=("CA", "CA-ON"), regime="opt-out"),
        Profile(places=("CA-QC",)),
    )
)


@pytest.mark.parametrize(
    ("code", "law"),
    [
        (None, STRICTEST),
        ("BR", STRICTEST),
        ("FR", MEASURING),
        ("FR-75", MEASURING),
        ("JP", OPT_OUT),
        ("JP-13", OPT_OUT),
        ("US-CA", OPT_OUT),
        ("US-WA", STRICTEST),
        ("US", STRICTEST),
        ("US-XX", STRICTEST),
        ("CA-ON", OPT_OUT),
        ("CA-QC", STRICTEST),
        ("CA", STRICTEST),
        ("CA-BC", STRICTEST),
    ],
)
def test_the_law_of_a_place(code: str | None, law: Law) -> None:
    """That of the profile that names it; in no known part of a divided country, the strictest."""
    assert ATLAS.law(code) == law


def test_the_profile_of_a_place_is_known_where_it_is_one() -> None:
    """For people who ask why: in a part of a country, or a country that is all one."""
    found = {code: ATLAS.profile(code) for code in ("FR", "FR-75", "US-CA", "US", "US-XX", "BR")}
    names = {code: profile.places if profile else None for code, profile in found.items()}
    assert names == {
        "FR": ("FR",),
        "FR-75": ("FR",),
        "US-CA": ("US-CA", "US-VA"),
        "US": None,
        "US-XX": None,
        "BR": None,
    }


def built_in(*places: str, regime: str = "opt-in", **more: Any) -> Profile:
    return Profile(places=places, regime=regime, built_in=True, **more)


def test_the_sites_own_word_goes_before_what_is_built_in() -> None:
    """On a country it is one on its parts; the order in which they stand is nothing."""
    theirs = (
        built_in("US-CA", "US-TX", regime="opt-out"),
        built_in("CA"),
        built_in("FR", exemptions=("statistical",)),
    )
    own = (
        Profile(places=("US",)),
        Profile(places=("US-TX", "CA"), regime="opt-out"),
        Profile(places=("FR",), exemptions=("audience-measurement",)),
    )
    for profiles in ((*own, *theirs), (*theirs, *own[::-1])):
        atlas = Atlas(profiles)
        found = {code: atlas.law(code) for code in ("US", "US-CA", "US-TX", "CA-QC", "FR")}
        assert found == {
            "US": STRICTEST,
            "US-CA": STRICTEST,
            "US-TX": OPT_OUT,
            "CA-QC": OPT_OUT,
            "FR": MEASURING,
        }


def test_of_two_words_on_one_place_the_stricter_counts() -> None:
    """A file cannot say both; a policy made in Python can."""
    both = (Profile(places=("FR",), regime="opt-out"), Profile(places=("FR",)))
    assert Atlas(both).law("FR") == Atlas(both[::-1]).law("FR") == STRICTEST


def test_the_strictest_of_several_allows_what_each_allows() -> None:
    """A yes where one of them wants it, and an exemption only where all have it."""
    both = Law(True, frozenset({"audience-measurement", "statistical"}))
    assert strictest([both, MEASURING]) == MEASURING
    assert strictest([both, OPT_OUT]) == STRICTEST
    assert strictest([OPT_OUT]) == OPT_OUT


def test_an_atlas_knows_what_is_allowed_anywhere_unasked() -> None:
    """So that a site without such places asks nobody where they are."""
    assert ATLAS.lenient == Law(False, frozenset({"audience-measurement"}))
    assert Atlas(()).lenient == STRICTEST


@pytest.mark.parametrize(
    ("country", "part", "code"),
    [
        ("FR", "", "FR"),
        (" fr ", "", "FR"),
        ("US", "CA", "US-CA"),
        ("US", "us-ca", "US-CA"),
        ("US-CA", "", "US-CA"),
        ("US-CA", "NY", "US-CA"),
        ("PR", "", "US-PR"),
        ("PR", "01", "US-PR"),
        ("US", "California", "US"),
        ("US", "-", "US"),
        ("XX", "", None),
        ("ZZ", "", None),
        ("T1", "", None),
        ("", "CA", None),
        ("USA", "", None),
        ("F\ufffd", "", None),
        ("FR, US", "", None),
    ],
)
def test_a_code_is_read_from_what_proxies_write(country: str, part: str, code: str | None) -> None:
    """Nowhere and anonymous are no place; a part that is none leaves the country."""
    assert code_of(country, part) == code


def asked(headers: list[tuple[bytes, bytes]], **regions: str) -> str | None:
    return Locator(Regions(**regions), None)(Request("GET", "/", headers=headers))


def test_a_header_counts_only_if_the_policy_names_it() -> None:
    """Anybody can send CF-IPCountry."""
    sent = [(b"CF-IPCountry", b"US"), (b"CF-Region-Code", b"CA")]
    assert asked(sent) is None
    assert asked(sent, country="cf-ipcountry") == "US"
    assert asked(sent, country="CF-IPCountry", subdivision="CF-Region-Code") == "US-CA"
    assert asked(sent, country="X-Country", subdivision="CF-Region-Code") is None


def test_a_header_that_came_twice_says_nothing() -> None:
    """One of the two may be the visitor's own."""
    sent = [(b"cf-ipcountry", b"US"), (b"cf-ipcountry", b"US")]
    assert asked(sent, country="CF-IPCountry") is None
    assert asked([(b"cf-ipcountry", b"\xff\xfe")], country="CF-IPCountry") is None


def test_a_callable_is_asked_first() -> None:
    """Where it knows nothing the header counts, and both are named to caches."""
    regions = Regions(country="CF-IPCountry", subdivision="X-Part")
    request = Request("GET", "/", headers=[(b"cf-ipcountry", b"DE")])
    assert Locator(regions, lambda _: "us-ca")(request) == "US-CA"
    assert Locator(regions, lambda _: None)(request) == "DE"
    assert Locator(regions, lambda _: "nonsense")(request) == "DE"
    assert Locator(None, lambda _: None)(request) is None
    assert Locator(regions, None).fields == (b"CF-IPCountry", b"X-Part")
    assert Locator(None, None).fields == ()
