"""A Policy built in Python is checked as a file is, by the same checks."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from config.samples import ENVIRON, EXAMPLE_POLICY
from consentgate import Category, ConfigError, Controller, Policy, Rule, wrap
from consentgate.config import gate_of
from consentgate.core.policy import Banner, Change, Exemption, Flow, Pages, Profile, Regions
from consentgate.core.token import category_tag


def problems_of(**fields: Any) -> list[tuple[str, str, str]]:
    """Return code, key and message of every problem of a policy with these fields."""
    try:
        gate_of(Policy(**{"version": "1", **fields}), environ=ENVIRON)
    except ConfigError as error:
        return [(one.code, one.key, one.message) for one in error.problems]
    return []


def test_a_good_policy_makes_a_gate() -> None:
    """The policy that the example file means, built by hand."""
    assert gate_of(EXAMPLE_POLICY, environ=ENVIRON).policy is EXAMPLE_POLICY


def test_every_kind_of_mistake_is_found_at_once() -> None:
    """Settings, categories, names, durations and ties: each at its field of the Policy."""
    found = problems_of(
        version=" ",
        mode="off",
        prefix="gate",
        exclude=("/ok", "hooks"),
        accepted_for=0,
        categories=(
            Category(id="necessary", rules=(Rule(name="", category="necessary"),)),
            Category(
                id="shop window",
                rules=(
                    Rule(name="_ga*", category="shop window"),
                    Rule(name="_ga*", category="analytics"),
                    Rule(name="basket", category="shop window", duration="long"),
                ),
                local_storage=("draft", "**"),
            ),
        ),
    )
    assert found == [
        ("CG103", "version", "the policy has no version"),
        ("CG104", "mode", "mode cannot be 'off'"),
        ("CG104", "accepted_for", "a choice cannot be kept for 0 seconds"),
        ("CG104", "prefix", "prefix cannot be 'gate'"),
        ("CG104", "exclude[1]", "'hooks' is not a path"),
        ("CG105", "categories[0].always", "the necessary category asks for consent"),
        ("CG201", "categories[0].rules[0].name", "the name is empty"),
        ("CG104", "categories[1].id", "'shop window' is not a category id"),
        (
            "CG204",
            "categories[1].rules[1].category",
            "a cookie of category 'analytics' stands among those of 'shop window'",
        ),
        ("CG205", "categories[1].rules[2].duration", "'long' is not a duration"),
        ("CG201", "categories[1].local_storage[1]", "'**' has two asterisks in a row"),
        (
            "CG202",
            "categories[1].rules[1]",
            "'_ga*' is named twice; the other is categories[1].rules[0]",
        ),
    ]


def test_the_missing_key_is_told_with_the_rest() -> None:
    """All at once, here too."""
    with pytest.raises(ConfigError) as caught:
        gate_of(Policy(version="1", mode="off"), environ={})
    assert [one.code for one in caught.value.problems] == ["CG104", "CG301"]


def test_a_duration_and_its_seconds_must_agree() -> None:
    """What is published is what is enforced, so the two cannot say different things."""

    def rule(**fields: Any) -> tuple[Category, ...]:
        return (Category(id="a", rules=(Rule(name="x", category="a", **fields),)),)

    place = "categories[0].rules[0].seconds"
    assert [
        problems_of(categories=rule(duration="1 day")),
        problems_of(categories=rule(duration="1 day", seconds=1)),
        problems_of(categories=rule(seconds=-1)),
        problems_of(categories=rule(duration="1 day", seconds=86_400)),
        problems_of(categories=rule(duration="session", seconds=0)),
        problems_of(categories=rule(seconds=86_400)),
    ] == [
        [("CG205", place, "'1 day' is 86400 seconds, but the rule says None")],
        [("CG205", place, "'1 day' is 86400 seconds, but the rule says 1")],
        [("CG205", place, "a cookie cannot live for -1 seconds")],
        [],
        [],
        [],
    ]


def test_two_categories_cannot_share_an_id() -> None:
    """TOML cannot say that, Python can."""
    assert problems_of(categories=(Category(id="a"), Category(id="b"), Category(id="a"))) == [
        ("CG206", "categories[2].id", "there are two categories 'a'")
    ]


def test_two_ids_that_look_alike_in_the_cookie_are_refused() -> None:
    """The consent cookie knows a category by 16 bits of its id's hash: some two share them."""
    seen: dict[int, str] = {}
    for number in range(5000):
        id = f"ads-{number}"
        other = seen.setdefault(category_tag(id), id)
        if other != id:
            break
    assert problems_of(categories=(Category(id=other), Category(id=id))) == [
        ("CG206", "categories[1].id", f"{id!r} looks like {other!r} in the consent cookie")
    ]


def test_there_is_room_for_a_hundred_categories() -> None:
    """More would outgrow the consent cookie, which is then unreadable for ever."""
    many = tuple(Category(id=f"category-{number}") for number in range(101))
    assert problems_of(categories=many[:100]) == []
    assert problems_of(categories=many) == [
        (
            "CG207",
            "categories[100]",
            "101 categories are more than a consent cookie can carry",
        )
    ]


def test_there_is_room_for_the_ids_in_the_cookie_for_scripts() -> None:
    """Browsers keep none of more than 4,096 bytes, and scripts would never learn of a yes."""
    many = tuple(Category(id=f"c{number}".ljust(64, "x")) for number in range(55))
    assert problems_of(categories=many[:54]) == []
    assert problems_of(categories=many) == [
        (
            "CG207",
            "categories",
            "the ids make 3850 bytes, which is more than a cookie for scripts can carry",
        )
    ]


@pytest.mark.parametrize("url", ["javascript:alert(1)", "//evil.example", "data:x", "shop.example"])
def test_the_controllers_url_is_one_to_link_to(url: str) -> None:
    """Anything else could be a script on the site's own page."""
    assert problems_of(controller=Controller(name="Shop", url=url)) == [
        ("CG104", "controller.url", "the controller's url is none that a page can link to")
    ]
    for fine in ("https://shop.example", "http://shop.example/x", "/imprint"):
        assert problems_of(controller=Controller(name="Shop", url=fine)) == []


@pytest.mark.parametrize("seconds", [1, 182 * 86_400, 400 * 86_400])
def test_a_choice_may_be_kept_as_long_as_browsers_keep_it(seconds: int) -> None:
    """400 days is the most that browsers allow (RFC 6265bis 5.5)."""
    both = {"accepted_for": seconds, "refused_for": seconds}
    longer = {"accepted_for": 400 * 86_400 + seconds, "refused_for": 400 * 86_400 + seconds}
    assert problems_of(**both) == []
    assert [(code, key) for code, key, _ in problems_of(**longer)] == [
        ("CG104", "accepted_for"),
        ("CG104", "refused_for"),
    ]


def test_values_of_other_types_are_named_before_anything_else() -> None:
    """A type checker finds them too, but not everybody runs one."""
    wrong: list[Any] = [
        Category(id="a", rules=["_ga"]),  # type: ignore[arg-type]
        "analytics",
        Category(id="b", rules=(Rule(name=b"_ga", category="b"),)),  # type: ignore[arg-type]
        Category(id="c", rules=(Rule(name="x", category="c", seconds="1 day"),)),  # type: ignore[arg-type]
        Category(id="d", rules=(Rule(name="x", category="d", seconds=True),)),
        Category(id="e", always="yes", local_storage=(1,)),  # type: ignore[arg-type]
    ]
    found = problems_of(
        version=None,
        mode=1,
        secure="yes",
        origins=["https://a.example"],
        exclude=("/a", 2),
        accepted_for=timedelta(days=1),
        categories=tuple(wrong),
    )
    assert {(key, message) for _, key, message in found} == {
        ("version", "must be text, not None"),
        ("mode", "must be text, not a number"),
        ("secure", "must be True or False, not text"),
        ("origins", "must be a tuple, not a list"),
        ("exclude[1]", "must be text, not a number"),
        ("accepted_for", "must be a whole number, not a timedelta"),
        ("categories[0].rules", "must be a tuple, not a list"),
        ("categories[1]", "must be a Category, not text"),
        ("categories[2].rules[0].name", "must be text, not bytes"),
        ("categories[3].rules[0].seconds", "must be a whole number or None, not text"),
        ("categories[4].rules[0].seconds", "must be a whole number or None, not true or false"),
        ("categories[5].always", "must be True or False, not text"),
        ("categories[5].local_storage[0]", "must be text or a Rule, not a number"),
    }
    assert {code for code, _, _ in found} == {"CG102"}


def test_every_part_of_a_policy_has_its_type() -> None:
    """Those that may be left out are None or what they are said to be, and nothing in between."""
    wrong: list[Any] = [
        Category(id="a", exemption="statistical"),  # type: ignore[arg-type]
        Category(id="b", exemption=Exemption(kind=None)),  # type: ignore[arg-type]
        Category(id="c", sale_or_sharing=1, honours="3f0a"),  # type: ignore[arg-type]
    ]
    found = problems_of(
        refused_for=1.5,
        strict="no",
        controller={"name": "Shop Ltd"},
        regions=Regions(country=None, profiles=(Profile(places=["FR"]), "FR")),  # type: ignore[arg-type]
        gpc=None,
        flows=(Flow(paths=("/pay",), cookies=(b"sid",)), Banner()),  # type: ignore[arg-type]
        banner=Banner(buttons=["accept"]),  # type: ignore[arg-type]
        pages=Pages(language=None),  # type: ignore[arg-type]
        texts="texts.toml",
        changes=(Change(date=date(2026, 11, 1)), "2026-11"),  # type: ignore[arg-type]
        categories=tuple(wrong),
    )
    assert {(key, message) for _, key, message in found} == {
        ("refused_for", "must be a whole number, not a number"),
        ("strict", "must be True or False, not text"),
        ("controller", "must be a Controller or None, not a table"),
        ("regions.country", "must be text, not None"),
        ("regions.profiles[0].places", "must be a tuple, not a list"),
        ("regions.profiles[1]", "must be a Profile, not text"),
        ("gpc", "must be a Gpc, not None"),
        ("flows[0].cookies[0]", "must be text, not bytes"),
        ("flows[1]", "must be a Flow, not a Banner"),
        ("banner.buttons", "must be a tuple, not a list"),
        ("pages.language", "must be text, not None"),
        ("texts", "must be a mapping, not text"),
        ("changes[0].date", "must be text, not a date"),
        ("changes[1]", "must be a Change, not text"),
        ("categories[0].exemption", "must be an Exemption or None, not text"),
        ("categories[1].exemption.kind", "must be text, not None"),
        ("categories[2].sale_or_sharing", "must be True or False, not a number"),
        ("categories[2].honours", "must be a tuple, not text"),
    }
    assert {code for code, _, _ in found} == {"CG102"}


def test_the_law_holds_for_a_policy_built_in_python() -> None:
    """Dark patterns, exemptions and profiles are checked at their fields, as a file's are."""
    exempt = Category(id="a", description="Counts", exemption=Exemption(kind="statistical"))
    lax = Profile(name="x", places=("FR",), regime="opt-out", rests_on="caution", article="none")
    found = problems_of(
        accepted_for=2,
        refused_for=1,
        banner=Banner(buttons=("accept",)),
        categories=(exempt,),
        regions=Regions(profiles=(replace(lax, source="https://a.example", read="2026-11-24"),)),
    )
    assert [(code, key) for code, key, _ in found] == [
        ("CG402", "banner.buttons"),
        ("CG403", "refused_for"),
        ("CG405", "categories[0].exemption.objection"),
        ("CG406", "regions.profiles[0].places[0]"),
    ]


@pytest.mark.parametrize(("revision", "taken"), [("3f0a", True), ("3F0A", True), ("3f0", False)])
def test_an_earlier_revision_is_four_hexadecimal_digits(revision: str, taken: bool) -> None:
    """As the declaration shows it."""
    found = problems_of(categories=(Category(id="a", honours=("0000", revision)),))
    expected = ("CG104", "categories[0].honours[1]", f"{revision!r} is not a revision")
    assert found == ([] if taken else [expected])


def test_what_is_no_policy_at_all_is_named() -> None:
    """As when a category is handed in its place."""
    with pytest.raises(ConfigError) as caught:
        gate_of(Category(id="a"), environ=ENVIRON)  # type: ignore[arg-type]
    assert [str(one) for one in caught.value.problems] == [
        "Policy: error[CG102] must be a Policy, not a Category\n    help: give it a Policy"
    ]


def test_text_that_utf_8_cannot_hold_is_no_name() -> None:
    """Half a surrogate pair is text to Python, and can be no cookie."""
    rules = (Rule(name="\ud800*", category="a"), Rule(name="\udfff", category="a"))
    assert problems_of(categories=(Category(id="a", rules=rules),)) == [
        ("CG201", "categories[0].rules[0].name", "no cookie can be named '\\ud800*'"),
        ("CG201", "categories[0].rules[1].name", "no cookie can be named '\\udfff'"),
    ]


def test_wrap_refuses_a_policy_that_cannot_be() -> None:
    """The one line finds the mistakes at start-up, not at the first request."""

    def app(environ: Any, start_response: Any) -> list[bytes]:
        return []

    with pytest.raises(ConfigError, match=r"2 problems .*\n.*\(mode\)\n.*\n.*\(prefix\)"):
        wrap(app, Policy(version="1", mode="off", prefix="/_gate/"), environ=ENVIRON)


def test_what_is_always_on_is_never_sold() -> None:
    """Nobody could opt out of it."""
    sold = Category(id="necessary", always=True, sale_or_sharing=True)
    found = [(code, key) for code, key, _ in problems_of(categories=(sold,))]
    assert found == [("CG104", "categories[0].sale_or_sharing")]
