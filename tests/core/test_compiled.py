"""What of a policy can be worked out once."""

from __future__ import annotations

from consentgate.core.compiled import Compiled
from consentgate.core.policy import Category, Policy
from core.samples import KEY, POLICY, ask


def test_categories_are_sorted_into_always_and_optional() -> None:
    """The ids in the file's order, and which of them need consent."""
    site = Compiled(POLICY, [KEY])
    assert site.ids == ("necessary", "analytics", "marketing")
    assert site.always == {"necessary"}
    assert site.optional == {"analytics", "marketing"}


def test_a_policy_without_necessary_cookies_gets_an_implied_category() -> None:
    """Frameworks' own cookies need a place, so there is always one category that is on."""
    site = Compiled(Policy(version="1", categories=(Category(id="ads"),)), [KEY])
    assert site.ids == ("necessary", "ads")
    assert site.always == {"necessary"}
    assert site.categories[0].title == "Strictly necessary"


def test_the_consent_cookie_has_one_name_in_production_and_one_in_development() -> None:
    """Which form is written and read depends on the request; both are the gate's alone."""
    site = Compiled(POLICY, [KEY])
    assert site.own_cookie(ask()).name == b"__Host-gate"
    assert site.own_cookie(ask(host=b"localhost:8000", scheme="http")).name == b"gate"
    assert site.own_names() == {
        b"__Host-gate",
        b"__Host-gate-choice",
        b"__Host-gate-optout",
        b"gate",
        b"gate-choice",
        b"gate-optout",
    }


def test_a_policy_may_give_up_secure() -> None:
    """With `secure = false` the cookie is plain everywhere."""
    site = Compiled(Policy(version="1", secure=False), [KEY])
    assert site.own_cookie(ask()).name == b"gate"
    assert site.own_names() == {
        b"__Host-gate",
        b"__Host-gate-choice",
        b"__Host-gate-optout",
        b"gate",
        b"gate-choice",
        b"gate-optout",
    }


def test_a_shared_domain_is_not_used_in_development() -> None:
    """A browser on localhost refuses the Domain of the real site."""
    site = Compiled(Policy(version="1", domain="shop.example"), [KEY])
    local = site.own_cookie(ask(host=b"localhost", scheme="http"))
    assert b"Domain=shop.example" in site.own_cookie(ask()).line(b"T", 1)
    assert b"Domain" not in local.line(b"T", 1)
