"""The policy: what a site declares, as frozen data."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest

from consentgate.core.policy import Category, Policy, Rule


def test_a_policy_never_changes() -> None:
    """Rules, categories and policies are frozen, so that one request sees one policy."""
    with pytest.raises(FrozenInstanceError):
        Policy(version="1").version = "2"  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        Category(id="a").always = True  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        Rule(name="a", category="b").name = "c"  # type: ignore[misc]


def test_a_policy_that_says_little_is_strict() -> None:
    """What the file leaves out has the safe value: enforce, block, secure, Lax, half a year."""
    policy = Policy(version="1")
    assert (policy.mode, policy.unknown, policy.secure, policy.same_site) == (
        "enforce",
        "block",
        True,
        "lax",
    )
    assert (policy.prefix, policy.cookie, policy.site, policy.domain) == ("/_gate", "gate", "", "")
    assert (policy.origins, policy.exclude) == ((), ())
    assert policy.mirror == "public.cookie.choice"
    assert (policy.accepted_for, policy.refused_for) == (182 * 24 * 3600, 182 * 24 * 3600)


def test_a_category_is_found_by_its_id() -> None:
    """An id that is not there is None."""
    policy = Policy(version="1", categories=(Category(id="a"), Category(id="b")))
    assert policy.category("b") is policy.categories[1]
    assert policy.category("c") is None


@pytest.mark.parametrize(
    ("title", "id", "label"),
    [
        ("Analytics", "x", "Analytics"),
        ("", "analytics", "Analytics"),
        ("", "social_media", "Social media"),
        ("", "a-b", "A b"),
    ],
)
def test_a_category_without_a_title_is_called_by_its_id(title: str, id: str, label: str) -> None:
    """The label is the title, or the id made readable."""
    assert Category(id=id, title=title).label == label


@pytest.mark.parametrize(
    ("categories", "necessary"),
    [
        ((), "necessary"),
        ((Category(id="ads"),), "necessary"),
        ((Category(id="necessary", always=True),), "necessary"),
        ((Category(id="essential", always=True),), "essential"),
        ((Category(id="a", always=True), Category(id="necessary", always=True)), "necessary"),
        ((Category(id="a", always=True), Category(id="b", always=True)), "a"),
        ((Category(id="a", always=True), Category(id="necessary")), "a"),
    ],
)
def test_the_frameworks_own_cookies_belong_to_a_category_that_is_always_on(
    categories: tuple[Category, ...], necessary: str
) -> None:
    """`necessary` where it is always on, else the first that is, else an implied one."""
    assert Policy(version="1", categories=categories).necessary == necessary


def test_what_scripts_store_is_told_by_its_kind() -> None:
    """In the order of the kinds, each as the policy lists it."""
    told = Rule(name="a*", category="a", purpose="Counts visits", recipients=("B",))
    category = Category(
        id="a",
        cache_storage=("files",),
        indexed_db=("history",),
        session_storage=("draft",),
        local_storage=("b", told),
    )
    assert category.stored == (
        ("local_storage", Rule(name="b", category="a")),
        ("local_storage", told),
        ("session_storage", Rule(name="draft", category="a")),
        ("indexed_db", Rule(name="history", category="a")),
        ("cache_storage", Rule(name="files", category="a")),
    )
    assert category.names_in("local_storage") == ("b", "a*")
    assert category.shares
    assert not replace(category, local_storage=()).shares
