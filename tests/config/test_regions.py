"""[regions] and its profiles, [gpc] and [[flows]]: which values they may have."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from consentgate import Policy
from consentgate.config.checks import region_faults
from consentgate.core.policy import Flow, Gpc, Profile, Regions
from consentgate.law import profiles

GROUNDED = Profile(
    name="Here",
    places=("AA",),
    rests_on="caution",
    article="a law",
    source="https://law.example/1",
    read="2026-11-24",
)


def faults(**fields: Any) -> list[tuple[str, str]]:
    """Return code and key of every fault of a policy with these fields."""
    return [
        (fault.code, ".".join(map(str, fault.path)))
        for fault in region_faults(Policy(version="1", **fields))
    ]


def faults_of_profile(**changes: Any) -> list[tuple[str, str]]:
    """Return code and key, within the profile, of every fault of a profile with these changes."""
    found = faults(regions=Regions(profiles=(replace(GROUNDED, **changes), *profiles())))
    return [(code, key.removeprefix("regions.profiles.0").lstrip(".")) for code, key in found]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, []),
        ({"country": "CF-IPCountry"}, []),
        ({"country": "x", "subdivision": "y"}, []),
        ({"database": "geo.mmdb", "address": "X-Real-IP"}, []),
        ({"country": "CF IPCountry"}, [("CG104", "regions.country")]),
        ({"country": "Länder"}, [("CG104", "regions.country")]),
        ({"country": "country:"}, [("CG104", "regions.country")]),
        ({"subdivision": "y"}, [("CG104", "regions.subdivision")]),
        ({"address": "X-Real-IP"}, [("CG506", "regions.address")]),
    ],
)
def test_headers_have_names_that_headers_can_have(
    fields: dict[str, str], expected: list[tuple[str, str]]
) -> None:
    """RFC 9110: a field name is a token; and what needs something else beside it says so."""
    assert faults(regions=Regions(**fields)) == expected


def test_the_profiles_of_the_package_have_no_fault() -> None:
    """They are not checked at every start, so they are checked here, as a site's own would be."""
    # Some of the pages that were read are stored under the address that they had without TLS.
    own = tuple(
        replace(profile, name="ours", source=profile.source.replace("http://", "https://"))
        for profile in profiles()
    )
    assert faults(regions=Regions(profiles=profiles())) == []
    assert faults(regions=Regions(profiles=own)) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"places": ("AA", "US-CA", "GB-ENG", "FR-75")}, []),
        ({"places": ()}, [("CG103", "places")]),
        ({"places": ("aa", "A", "AAA", "AA-", "AA-BBBB", "AA BB")}, [
            ("CG104", f"places.{number}") for number in range(6)
        ]),
        ({"regime": "opt out"}, [("CG104", "regime")]),
        ({"exemptions": ("statistical", "stats")}, [("CG104", "exemptions.1")]),
        ({"rests_on": ""}, [("CG407", "rests_on")]),
        ({"rests_on": "hope"}, [("CG407", "rests_on")]),
        ({"article": " "}, [("CG407", "article")]),
        ({"source": ""}, [("CG407", "source")]),
        ({"source": "http://law.example"}, [("CG407", "source")]),
        ({"source": "https://"}, [("CG407", "source")]),
        ({"read": ""}, [("CG407", "read")]),
        ({"read": "24 November 2026"}, [("CG407", "read")]),
        ({"read": "2026-11-31"}, [("CG407", "read")]),
        ({"read": "20261124"}, [("CG407", "read")]),
    ],
)  # fmt: skip
def test_a_profile_says_where_it_holds_and_on_what_it_rests(
    changes: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    """So that whoever is asked about it can look it up."""
    assert faults_of_profile(**changes) == expected


@pytest.mark.parametrize(
    ("places", "changes", "laxer"),
    [
        (("FR",), {"regime": "opt-out"}, ["places.0"]),
        (("AA", "FR-IDF", "DE"), {"regime": "opt-out"}, ["places.1", "places.2"]),
        (("CA-QC",), {"regime": "opt-out"}, ["places.0"]),
        (("BE", "CA-ON", "BR"), {"regime": "opt-out"}, []),  # no statute was found for these
        (("US-CA", "CH", "AA"), {"regime": "opt-out"}, []),
        (("FR",), {"exemptions": ("audience-measurement",)}, []),
        (("FR",), {"exemptions": ("audience-measurement", "statistical")}, ["places.0"]),
        (("GB", "DE"), {"exemptions": ("statistical", "appearance")}, ["places.1"]),
        (("US-CA", "AA"), {"exemptions": ("appearance",)}, []),
        (("US-CA", "FR"), {"regime": "opt-in"}, []),
    ],
)
def test_a_profile_may_be_stricter_than_the_law_but_not_laxer(
    places: tuple[str, ...], changes: dict[str, Any], laxer: list[str]
) -> None:
    """Compared with what was read for each place, or for its country; nowhere else is compared."""
    assert faults_of_profile(places=places, **changes) == [("CG406", place) for place in laxer]


def test_who_makes_a_profile_laxer_is_told_what_the_law_is() -> None:
    """With article and address, so that it can be read again."""
    policy = Policy(
        version="1",
        regions=Regions(profiles=(replace(GROUNDED, places=("DE",), regime="opt-out"),)),
    )
    (germany,) = (profile for profile in profiles() if "DE" in profile.places)
    (found,) = region_faults(policy)
    assert (found.message, found.remedy) == (
        f"the law of DE asks for a yes beforehand ({germany.article}, {germany.source})",
        'take DE out of this profile, or write regime = "opt-in"',
    )


@pytest.mark.parametrize("opt_in", ["", "ignore", "off", "Refuse", "none"])
def test_a_signal_cannot_be_switched_off(opt_in: str) -> None:
    """11 CCR 7025(c)(3): it applies even over an earlier yes, and the remedy says so."""
    (found,) = region_faults(Policy(version="1", gpc=Gpc(opt_in=opt_in)))
    assert (found.code, found.path) == ("CG104", ("gpc", "opt_in"))
    assert "11 CCR 7025(c)(3)" in found.remedy


@pytest.mark.parametrize(
    ("updated", "expected"),
    [
        ("", []),
        ("2026-11-24", []),
        ("2026-11-24T10:00:00Z", [("CG104", "gpc.updated")]),
        ("yesterday", [("CG104", "gpc.updated")]),
        ("2026-13-01", [("CG104", "gpc.updated")]),
        ("2026-W01-1", [("CG104", "gpc.updated")]),
    ],
)
def test_the_statement_has_a_day(updated: str, expected: list[tuple[str, str]]) -> None:
    """In the one form that https://www.w3.org/TR/gpc/ shows."""
    assert faults(gpc=Gpc(opt_in="sale", updated=updated)) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, []),
        ({"paths": ("/pay", "/checkout*", "/*/pay")}, []),
        ({"paths": ()}, [("CG103", "flows.0.paths")]),
        ({"paths": ("/*",)}, [("CG203", "flows.0.paths.0")]),
        ({"paths": ("/*/",)}, [("CG203", "flows.0.paths.0")]),
        ({"paths": ("pay", "/a?b")}, [("CG104", f"flows.0.paths.{at}") for at in (0, 1)]),
        ({"cookies": ("pay_*", "*")}, [("CG203", "flows.0.cookies.1")]),
        ({"cookies": ("", "a=b", "**")}, [("CG201", f"flows.0.cookies.{at}") for at in (0, 1, 2)]),
        ({"cookies": (), "sources": ()}, [("CG103", "flows.0")]),
        ({"cookies": (), "sources": ("https://pay.example",)}, []),
        ({"sources": ("https://pay.example:8443", "https://*.pay.example")}, []),
    ],
)
def test_a_flow_names_its_paths_and_what_is_needed_there(
    fields: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    """Paths as in `exclude`, cookies as in a category; and never everything."""
    flow = Flow(**{"paths": ("/pay",), "cookies": ("pay",), **fields})
    assert faults(flows=(flow,)) == expected


def test_what_is_said_of_a_country_is_said_of_its_parts() -> None:
    """A profile of Canada may not be laxer than the statute of Quebec."""
    found = faults_of_profile(places=("CA",), regime="opt-out")
    assert found == [("CG406", "places.0")]
    (fault,) = region_faults(
        Policy(
            version="1",
            regions=Regions(profiles=(replace(GROUNDED, places=("CA",), regime="opt-out"),)),
        )
    )
    assert fault.message.startswith("the law of CA-QC asks for a yes beforehand (")
