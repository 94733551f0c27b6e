"""What a visitor was told, as a number."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consentgate.core.policy import Category, Rule
from consentgate.core.revision import revision_of, stamp
from core.samples import POLICY

ANALYTICS = POLICY.categories[1]
GA, GID = ANALYTICS.rules
KEY = Rule(name="ajs_*", category="analytics")  # and nothing told of it


def test_a_revision_is_four_hexadecimal_digits_of_what_was_told() -> None:
    """It is the same on every machine and in every release: visitors' cookies carry it."""
    assert revision_of(ANALYTICS) == "90cd"
    assert revision_of(Category(id="any")) == revision_of(Category(id="other"))


def test_a_token_carries_fifteen_bits_of_it() -> None:
    """The first of the sixteen says that it was granted."""
    assert (stamp("9f3c"), stamp("1f3c"), stamp("ffff")) == (0x1F3C, 0x1F3C, 0x7FFF)


@pytest.mark.parametrize(
    "same",
    [
        replace(ANALYTICS, rules=(GID, GA)),
        replace(ANALYTICS, description="Shows  which\npages are used. "),
        replace(ANALYTICS, rules=(replace(GA, origin="elsewhere", sliding=False), GID)),
        replace(ANALYTICS, secure=True, http_only=True, same_site="lax", honours=("1234",)),
        replace(ANALYTICS, sources=("https://stats.example",)),
        replace(ANALYTICS, indexed_db=(), cache_storage=()),
        replace(ANALYTICS, local_storage=(KEY,)),
    ],
)
def test_what_visitors_are_not_told_makes_no_revision(same: Category) -> None:
    """The order of the file, white space, how cookies are handled, and from where code comes."""
    assert revision_of(same) == revision_of(ANALYTICS)


@pytest.mark.parametrize(
    "other",
    [
        replace(ANALYTICS, title="Statistics"),
        replace(ANALYTICS, description="Shows which pages are read."),
        replace(ANALYTICS, sale_or_sharing=True),
        replace(ANALYTICS, rules=(GA,)),
        replace(ANALYTICS, rules=(GA, GID, Rule(name="_gat", category="analytics"))),
        replace(ANALYTICS, rules=(replace(GA, name="_ga_*"), GID)),
        replace(ANALYTICS, rules=(replace(GA, provider="Another"), GID)),
        replace(ANALYTICS, rules=(replace(GA, purpose="Counts visits"), GID)),
        replace(ANALYTICS, rules=(replace(GA, duration="14 months"), GID)),
        replace(ANALYTICS, rules=(replace(GA, recipients=("Another",)), GID)),
        replace(ANALYTICS, local_storage=()),
        replace(ANALYTICS, session_storage=("draft", "views")),
        replace(ANALYTICS, indexed_db=("views",)),
        replace(ANALYTICS, cache_storage=("views",)),
        replace(ANALYTICS, local_storage=(replace(KEY, provider="Another"),)),
        replace(ANALYTICS, local_storage=(replace(KEY, purpose="Counts visits"),)),
        replace(ANALYTICS, local_storage=(replace(KEY, duration="1 year"),)),
        replace(ANALYTICS, local_storage=(replace(KEY, recipients=("Another",)),)),
    ],
)
def test_all_that_visitors_are_told_makes_a_revision(other: Category) -> None:
    """What for, which cookies, whose, for how long, and who else reads them."""
    assert revision_of(other) != revision_of(ANALYTICS)
