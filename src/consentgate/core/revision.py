"""What a visitor was told of a category, as a number: another text is another revision.

Rule 1. The order of a file, and white space in its texts, make no revision.
Rule 2. All that was told counts: what for, which cookies, whose, for how long, who else reads them.
Rule 3. What was added to the list of what is told counts only where it is used: the revisions that
        visitors' cookies carry do not change with a release.

From where code and content come (`sources`) is not told. It is how a purpose is served, and vendors
change it from week to week; that somebody else reads the data is what `recipients` are for.
"""

from __future__ import annotations

import hashlib
import json

from .policy import Category, Rule

BITS = 15  # of the sixteen, those for which a token has room
_MASK = (1 << BITS) - 1


def revision_of(category: Category) -> str:
    """Return the revision of a category as four hexadecimal digits."""
    told = json.dumps(told_of(category), sort_keys=True).encode()
    return hashlib.sha256(told).hexdigest()[:4]


def stamp(revision: str) -> int:
    """Return a revision as a token carries it. By chance one of 32,768 changes has the same."""
    return int(revision, 16) & _MASK


def told_of(category: Category) -> dict[str, object]:
    """Return what visitors are told of a category, in no order of anybody's."""
    told: dict[str, object] = {
        "title": _plain(category.title),
        "description": _plain(category.description),
        "sale_or_sharing": category.sale_or_sharing,
        "cookies": sorted(map(_told_of_rule, category.rules)),
        "local_storage": sorted(category.names_in("local_storage")),
        "session_storage": sorted(category.names_in("session_storage")),
    }
    for kind in ("indexed_db", "cache_storage"):
        if names := category.names_in(kind):
            told[kind] = sorted(names)
    facts = [[kind, *_told_of_rule(rule)] for kind, rule in category.stored if _is_told_of(rule)]
    if facts:
        told["stored"] = sorted(facts)
    return told


def _told_of_rule(rule: Rule) -> list[object]:
    recipients = sorted(map(_plain, rule.recipients))
    return [rule.name, *map(_plain, (rule.provider, rule.purpose, rule.duration)), recipients]


def _is_told_of(rule: Rule) -> bool:
    return any((rule.provider, rule.purpose, rule.duration, rule.recipients))


def _plain(text: str) -> str:
    return " ".join(text.split())
