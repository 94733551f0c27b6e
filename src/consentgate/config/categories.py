"""[categories.*] and [[cookies]] -> categories, each with what belongs to it.

Rule 1. A cookie may stand in the table of its category or by itself: it is the same cookie.
Rule 2. A category that only a cookie names is one all the same.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..core.policy import NECESSARY, Category, Exemption, Rule
from .duration import seconds_of
from .known import CATEGORY, EXEMPTION, LONG_RULE, RULE, STORED
from .problems import Path, did_you_mean, key_path
from .records import Records

_Placed = list[tuple[Rule, Path]]


class Categories(Records):
    """Reads the categories of one file.

    `orphans` fills up with rules of no known category, which are no part of the policy.
    """

    def __init__(self) -> None:
        super().__init__()
        self.orphans: _Placed = []
        self._implied: dict[str, Path] = {}  # categories without a table, where first named
        self.short: set[Path] = set()  # paths of cookies that are a name alone

    def categories(self, data: dict[str, Any]) -> tuple[Category, ...]:
        """Return the categories that `data` describes, with their cookies."""
        given = self.table(data, "categories", ())
        tables = {
            id: table for id, table in given.items() if self.is_table(table, ("categories", id))
        }
        rules: dict[str, _Placed] = {id: [] for id in tables}
        for id, table in tables.items():
            for entry, path in self.members(table, "cookies", ("categories", id)):
                if isinstance(entry, dict):
                    self.known_keys(entry, RULE, path)
                    self._rule(entry, id, path, rules[id])
                elif isinstance(entry, str):
                    self.short.add(path)
                    rules[id].append((Rule(name=entry, category=id), path))
                else:
                    remedy = 'write "_ga*", or { name = "_ga*", provider = "…" }'
                    self.wrong_type(path, entry, "a name or a table", remedy)
        for entry, path in self.members(data, "cookies", ()):
            if isinstance(entry, dict):
                self.known_keys(entry, LONG_RULE, path)
                id = self._category_of(entry, path, given, rules)
                # Shortening what people need is asked for where their category is described, not
                # in a list of facts: see CG504.
                self._rule(
                    entry, id, path, rules.get(id, self.orphans), self._always(tables.get(id), id)
                )
            else:
                self.wrong_type(path, entry, "a table", 'write [[cookies]], and name = "…" below')
        return tuple(
            self._category(number, id, tables.get(id), placed)
            for number, (id, placed) in enumerate(rules.items())
        )

    def _category(
        self, number: int, id: str, table: dict[str, Any] | None, rules: _Placed
    ) -> Category:
        place: Path = ("categories", number)
        for position, (_, path) in enumerate(rules):
            self.paths[(*place, "rules", position)] = path
        if table is None:  # no more is known of it than its id
            self.paths[place] = self.paths[(*place, "id")] = self._implied[id]
            return Category(
                id=id, always=self._always(None, id), rules=tuple(rule for rule, _ in rules)
            )
        at: Path = ("categories", id)
        self.paths[place] = self.paths[(*place, "id")] = at
        self.known_keys(table, CATEGORY, at)
        return Category(
            id=id,
            always=self.boolean(table, "always", at, False),
            title=self.text(table, "title", at),
            description=self.text(table, "description", at),
            rules=tuple(rule for rule, _ in rules),
            local_storage=self._stored(table, "local_storage", id, place),
            session_storage=self._stored(table, "session_storage", id, place),
            indexed_db=self._stored(table, "indexed_db", id, place),
            cache_storage=self._stored(table, "cache_storage", id, place),
            sources=self.texts(table, "sources", at, place),
            secure=self.boolean(table, "secure", at, False),
            http_only=self.boolean(table, "http_only", at, False),
            same_site=self.text(table, "same_site", at),
            sale_or_sharing=self.boolean(table, "sale_or_sharing", at, False),
            honours=self.texts(table, "honours", at, place),
            exemption=self.record(table, "exemption", Exemption(), EXEMPTION, at),
        )

    def _stored(
        self, table: dict[str, Any], kind: str, id: str, place: Path
    ) -> tuple[str | Rule, ...]:
        """Read what scripts store in one place: each a name, or a table with what is told of it."""
        found: list[str | Rule] = []
        for entry, path in self.members(table, kind, ("categories", id)):
            self.paths[(*place, kind, len(found))] = path
            if isinstance(entry, str):
                found.append(entry)
            elif not isinstance(entry, dict):
                remedy = 'write "ajs_*", or { name = "ajs_*", purpose = "…" }'
                self.wrong_type(path, entry, "a name or a table", remedy)
            else:
                self.known_keys(entry, STORED, path)
                # A duration binds nobody here, unlike a cookie's: "until you sign out" is one too.
                rule = self._facts(entry, id, path)
                if self._is_named(entry, path, "what is stored"):
                    found.append(rule)
        return tuple(found)

    def _always(self, table: dict[str, Any] | None, id: str) -> bool:
        return id == NECESSARY if table is None else table.get("always") is True

    def _category_of(
        self,
        entry: dict[str, Any],
        path: Path,
        given: dict[str, Any],
        rules: dict[str, _Placed],
    ) -> str:
        """Return the category that an entry of [[cookies]] names; a new one is added to `rules`."""
        id = self.text(entry, "category", path)
        at: Path = (*path, "category")
        if "category" not in entry:
            if at not in self.meant:
                remedy = "add category = the id of one of [categories.*]"
                self.note("CG103", at, "the cookie has no category", remedy)
        elif isinstance(entry["category"], str) and id not in rules and id not in given:
            if remedy := did_you_mean(id, [*given, *rules]):
                self.note("CG204", at, f"there is no category {id!r}", remedy)
            else:
                rules[id] = []
                self._implied[id] = at
                message = f"category {id!r} has no table, so visitors are not told what it is for"
                remedy = f"add [{key_path(('categories', id))}] with title and description"
                self.note("CG503", at, message, remedy, "warning")
        return id

    def _rule(
        self,
        entry: dict[str, Any],
        category: str,
        path: Path,
        rules: _Placed,
        published_only: bool = False,
    ) -> None:
        """Append to `rules` the rule that an entry describes."""
        facts = self._facts(entry, category, path)
        sliding = self.boolean(entry, "sliding", path, True)
        domain = self.text(entry, "domain", path)
        cookie_path = self.text(entry, "path", path)
        partitioned = self.boolean(entry, "partitioned", path, False)
        if self._is_named(entry, path, "the cookie"):
            rule = replace(
                facts,
                published_only=published_only and bool(facts.duration),
                sliding=sliding,
                domain=domain,
                path=cookie_path,
                partitioned=partitioned,
            )
            rules.append((rule, path))

    def _facts(self, entry: dict[str, Any], category: str, path: Path) -> Rule:
        """Read what is told of anything that is stored."""
        name = self.text(entry, "name", path)
        provider = self.text(entry, "provider", path)
        purpose = self.text(entry, "purpose", path)
        duration = self.text(entry, "duration", path)
        return Rule(
            name=name,
            category=category,
            provider=provider,
            purpose=purpose,
            duration=duration,
            seconds=seconds_of(duration) if duration else None,
            party=self.text(entry, "party", path),
            recipients=self.texts(entry, "recipients", path, path),
        )

    def _is_named(self, entry: dict[str, Any], path: Path, what: str) -> bool:
        """Say whether an entry has a name, and note that it has none."""
        if "name" not in entry and (*path, "name") not in self.meant:
            remedy = 'add name = "…"; * stands for any text'
            self.note("CG103", (*path, "name"), f"{what} has no name", remedy)
        return isinstance(entry.get("name"), str)
