"""What the guard must know: the script that decides as the gate does over what scripts store.

Rule 1. The names that the gate knows, in ranks, so that the first that fits is it: the site's own
        first; of these what is exact, then the patterns with the most text in them (see `matcher`).
Rule 2. What a flow makes strictly necessary on its paths, the guard leaves alone everywhere: who
        pays, and looks at another page meanwhile, must not lose it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .own_cookie import host_name
from .policy import Category, Policy, Rule

_EXACT = 1 << 16  # above every pattern


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

    def named(kind: str) -> list[dict[str, list[str]]]:
        return _ranks([(name, one.id) for one in categories for name in one.names_in(kind)])

    return {
        "guard": policy.guard,
        "report": policy.mode == "report",
        "unknown": policy.unknown_storage,
        "unknownCookies": policy.unknown,
        "own": {"cookie": sorted(name.decode() for name in own), "local": [policy.mirror]},
        # Above this host no cookie is the site's to remove: see `removals`.
        "site": host_name(policy.site.partition("://")[2]).removeprefix("www."),
        "rules": {
            "cookie": [*_ranks(site), *_ranks(frameworks)],
            "local": named("local_storage"),
            "session": named("session_storage"),
            "idb": named("indexed_db"),
            "cache": named("cache_storage"),
        },
    }


def _ranks(rules: Iterable[tuple[str, str]]) -> list[dict[str, list[str]]]:
    """Return names and patterns by their category, in ranks of those that count alike."""
    ranks: dict[int, dict[str, list[str]]] = {}
    for name, id in rules:
        text = len(name.replace("*", "").encode()) if "*" in name else _EXACT
        ranks.setdefault(text, {}).setdefault(id, []).append(name)
    return [ranks[text] for text in sorted(ranks, reverse=True)]
