"""What the guard must know: the script that decides as the gate does over what scripts store.

Rule 1. The names that the gate knows, in the order in which they count: the first that fits is it.
Rule 2. What a flow makes strictly necessary on its paths, the guard leaves alone everywhere: who
        pays, and looks at another page meanwhile, must not lose it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from .own_cookie import host_name
from .policy import Category, Policy, Rule


def told_to_guard(
    policy: Policy,
    categories: Sequence[Category],
    known: Iterable[Rule],
    own: frozenset[bytes],
) -> dict[str, object]:
    """Return what is told to the guard, beside what all scripts are told."""
    necessary = next(one.id for one in categories if one.always)
    # Of a flow and a category that name the same, the flow comes first.
    site = [(name, necessary) for flow in policy.flows for name in flow.cookies]
    site += [(rule.name, one.id) for one in categories for rule in one.rules]
    frameworks = [(rule.name, necessary) for rule in known]

    def named(keys: Callable[[Category], Iterable[str]]) -> list[dict[str, list[str]]]:
        return _groups([(key, one.id) for one in categories for key in keys(one)])

    return {
        "guard": policy.guard,
        "report": policy.mode == "report",
        "unknown": policy.unknown_storage,
        "unknownCookies": policy.unknown,
        "own": [policy.mirror, *sorted(name.decode() for name in own)],
        # Above this host no cookie is the site's to remove: see `removals`.
        "site": host_name(policy.site.partition("://")[2]).removeprefix("www."),
        "rules": {
            "cookie": _groups(site, frameworks),
            "local": named(lambda one: one.local_storage),
            "session": named(lambda one: one.session_storage),
            "idb": named(lambda one: one.indexed_db),
            "cache": named(lambda one: one.cache_storage),
        },
    }


def _groups(*groups: list[tuple[str, str]]) -> list[dict[str, list[str]]]:
    """Return the groups, each with its names and patterns by their category."""
    found: list[dict[str, list[str]]] = [{} for _ in groups]
    for names, group in zip(found, groups, strict=True):
        for name, id in group:
            names.setdefault(id, []).append(name)
    return [names for names in found if names]
