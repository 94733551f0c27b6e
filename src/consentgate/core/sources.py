"""The sources of a document: the hosts from which it may load, and for which category."""

from __future__ import annotations

from collections.abc import Iterable

from .policy import Category

# No request leaves for inline code, `data:` and `blob:`. What allows eval allows WebAssembly too.
_NOWHERE = ("'unsafe-inline'", "'unsafe-eval'", "data:", "blob:")


def fixed_sources(categories: Iterable[Category], here: Iterable[str] = ()) -> tuple[str, ...]:
    """Return what every visitor may load from, `here` among it, in the order of the policy."""
    always = [source for one in categories if one.always for source in one.sources]
    return ("'self'", *_NOWHERE, *always, *here)


def sourced(categories: Iterable[Category], fixed: Iterable[str]) -> tuple[Category, ...]:
    """Return the categories that need a source which not every visitor may load from."""
    fixed = frozenset(fixed)
    return tuple(one for one in categories if not one.always and not fixed.issuperset(one.sources))
