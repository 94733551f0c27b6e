"""Which categories need something that not everybody may load."""

from __future__ import annotations

from consentgate.core.policy import Category
from consentgate.core.sources import fixed_sources, sourced

ALWAYS = Category(id="necessary", always=True, sources=("https://cdn.example", "'self'"))
SAME = Category(id="comfort", sources=("'self'", "https://cdn.example", "data:"))
MORE = Category(id="ads", sources=("https://cdn.example", "https://ads.example"))
NONE = Category(id="theme")
INLINE = ("'unsafe-inline'", "'unsafe-eval'", "data:", "blob:")


def test_what_is_always_on_and_what_is_needed_here_everybody_may_load() -> None:
    """In the policy's order; what optional categories name is not among it."""
    expected = ("'self'", *INLINE, *ALWAYS.sources, "https://pay.example")
    assert fixed_sources((ALWAYS, SAME, MORE), ["https://pay.example"]) == expected
    assert fixed_sources(()) == ("'self'", *INLINE)


def test_a_category_depends_on_consent_by_a_source_of_its_own() -> None:
    """Not where all that it names is loaded by everybody, or it names nothing."""
    fixed = fixed_sources((ALWAYS,))
    assert sourced((ALWAYS, SAME, MORE, NONE), fixed) == (MORE,)
    assert sourced((ALWAYS, SAME, MORE, NONE), (*fixed, *MORE.sources)) == ()
