"""TOML data -> Policy: which keys there are, and of which type each value is.

Rule 1. Nothing raises, nothing is guessed, and no key that is not known is passed over.
Rule 2. What is wrong is left out, or stands at its default, so that the rest can be read.
Rule 3. Whether a value of the right type makes sense is asked elsewhere, of the Policy.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ..core.policy import NECESSARY, Category, Policy, Rule
from .checks.settings import CHOICES, choices_for
from .duration import seconds_of
from .known import CATEGORY, CONSENT, LONG_RULE, RULE, TOP, Keys, key_meant, unknown_key
from .problems import Fault, Path, did_you_mean, key_path, kind_of

# The type of a key is that of its field's default.
_DEFAULTS = Policy(version="")

_Placed = list[tuple[Rule, Path]]


class Reader:
    """Reads one file's data.

    Meanwhile these fill up: `faults`, each at its path in the file; `meant`, the paths of keys that
    are missing because they are misspelled or misplaced, most likely; `orphans`, rules of no known
    category, which are no part of the policy.
    """

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.meant: set[Path] = set()
        self.orphans: _Placed = []
        self._paths: dict[Path, Path] = {}
        self._implied: dict[str, Path] = {}  # categories without a table, where first named
        self._short: set[Path] = set()  # paths of cookies that are a name alone

    def policy(self, data: dict[str, Any]) -> Policy:
        """Return the policy that `data` describes, as far as it can be read."""
        self._known_keys(data, TOP, ())
        consent = self._table(data, "consent", ())
        self._known_keys(consent, CONSENT, ("consent",))
        fields: dict[str, Any] = {}
        for key in ("version", "mode", "unknown", "hide", "expire_unknown"):
            fields[key] = self._like_default(key, data, ())
        for key in CONSENT:
            self._paths[(key,)] = ("consent", key)
            fields[key] = self._like_default(key, consent, ("consent",))
        # People copy origins from the address bar, which ends them with a slash.
        fields["site"] = fields["site"].removesuffix("/")
        fields["origins"] = tuple(origin.removesuffix("/") for origin in fields["origins"])
        return Policy(categories=self._categories(data), **fields)

    def path_of(self, place: Path) -> Path:
        """Return where in the file a place in the Policy stands.

        A place runs through fields and positions: ("categories", 0, "rules", 3, "duration").
        """
        for end in range(len(place), 0, -1):
            path = self._paths.get(place[:end])
            if path is not None:
                return path if path in self._short else (*path, *place[end:])
        return place

    def located(self, fault: Fault) -> Fault:
        """Return a fault of the Policy as one of the file."""
        other = None if fault.other is None else self.path_of(fault.other)
        return replace(fault, path=self.path_of(fault.path), other=other)

    # --- [categories.*] and [[cookies]] ---------------------------------------------------------

    def _categories(self, data: dict[str, Any]) -> tuple[Category, ...]:
        given = self._table(data, "categories", ())
        tables = {
            id: table for id, table in given.items() if self._is_table(table, ("categories", id))
        }
        rules: dict[str, _Placed] = {id: [] for id in tables}
        for id, table in tables.items():
            for entry, path in self._members(table, "cookies", ("categories", id)):
                if isinstance(entry, dict):
                    self._known_keys(entry, RULE, path)
                    self._rule(entry, id, path, rules[id])
                elif isinstance(entry, str):
                    self._short.add(path)
                    rules[id].append((Rule(name=entry, category=id), path))
                else:
                    remedy = 'write "_ga*", or { name = "_ga*", provider = "…" }'
                    self._wrong_type(path, entry, "a name or a table", remedy)
        for entry, path in self._members(data, "cookies", ()):
            if isinstance(entry, dict):
                self._known_keys(entry, LONG_RULE, path)
                id = self._category_of(entry, path, given, rules)
                # Shortening what people need is asked for where their category is described, not
                # in a list of facts: see CG504.
                self._rule(
                    entry, id, path, rules.get(id, self.orphans), self._always(tables.get(id), id)
                )
            else:
                self._wrong_type(path, entry, "a table", 'write [[cookies]], and name = "…" below')
        return tuple(
            self._category(number, id, tables.get(id), placed)
            for number, (id, placed) in enumerate(rules.items())
        )

    def _category(
        self, number: int, id: str, table: dict[str, Any] | None, rules: _Placed
    ) -> Category:
        place: Path = ("categories", number)
        for position, (_, path) in enumerate(rules):
            self._paths[(*place, "rules", position)] = path
        if table is None:  # no more is known of it than its id
            self._paths[place] = self._paths[(*place, "id")] = self._implied[id]
            return Category(
                id=id, always=self._always(None, id), rules=tuple(rule for rule, _ in rules)
            )
        at: Path = ("categories", id)
        self._paths[place] = self._paths[(*place, "id")] = at
        self._known_keys(table, CATEGORY, at)
        return Category(
            id=id,
            always=self._boolean(table, "always", at, False),
            title=self._text(table, "title", at),
            description=self._text(table, "description", at),
            rules=tuple(rule for rule, _ in rules),
            local_storage=self._texts(table, "local_storage", at, place),
            session_storage=self._texts(table, "session_storage", at, place),
            secure=self._boolean(table, "secure", at, False),
            http_only=self._boolean(table, "http_only", at, False),
            same_site=self._text(table, "same_site", at),
        )

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
        id = self._text(entry, "category", path)
        at: Path = (*path, "category")
        if "category" not in entry:
            if at not in self.meant:
                remedy = "add category = the id of one of [categories.*]"
                self._note("CG103", at, "the cookie has no category", remedy)
        elif isinstance(entry["category"], str) and id not in rules and id not in given:
            if remedy := did_you_mean(id, [*given, *rules]):
                self._note("CG204", at, f"there is no category {id!r}", remedy)
            else:
                rules[id] = []
                self._implied[id] = at
                message = f"category {id!r} has no table, so visitors are not told what it is for"
                remedy = f"add [{key_path(('categories', id))}] with title and description"
                self._note("CG503", at, message, remedy, "warning")
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
        name = self._text(entry, "name", path)
        provider = self._text(entry, "provider", path)
        purpose = self._text(entry, "purpose", path)
        duration = self._text(entry, "duration", path)
        sliding = self._boolean(entry, "sliding", path, True)
        domain = self._text(entry, "domain", path)
        cookie_path = self._text(entry, "path", path)
        partitioned = self._boolean(entry, "partitioned", path, False)
        if "name" not in entry and (*path, "name") not in self.meant:
            remedy = 'add name = "…"; * stands for any text'
            self._note("CG103", (*path, "name"), "the cookie has no name", remedy)
        elif isinstance(entry.get("name"), str):
            rule = Rule(
                name=name,
                category=category,
                provider=provider,
                purpose=purpose,
                duration=duration,
                seconds=seconds_of(duration) if duration else None,
                published_only=published_only and bool(duration),
                sliding=sliding,
                domain=domain,
                path=cookie_path,
                partitioned=partitioned,
            )
            rules.append((rule, path))

    # --- values ---------------------------------------------------------------------------------

    def _known_keys(self, table: dict[str, Any], known: Keys, at: Path) -> None:
        if table.keys() <= known.keys():
            return
        for key, value in table.items():
            if key not in known:
                self.faults.append(unknown_key(at, key, value, known))
                if (meant := key_meant(key, known)) not in table:
                    self.meant.add((*at, meant))
                # A key below the wrong [table] is there too, in a way.
                if key in TOP:
                    self.meant.add((key,))
                elif key in CONSENT:
                    self.meant.add(("consent", key))

    def _like_default(self, key: str, table: dict[str, Any], at: Path) -> Any:
        default = getattr(_DEFAULTS, key)
        if isinstance(default, bool):
            return self._boolean(table, key, at, default)
        if isinstance(default, tuple):
            return self._texts(table, key, at, ())
        return self._text(table, key, at, default)

    def _text(self, table: dict[str, Any], key: str, at: Path, default: str = "") -> str:
        value = table.get(key, default)
        if isinstance(value, str):
            return value
        remedy = choices_for(key) if key in CHOICES else f'write {key} = "…"'
        self._wrong_type((*at, key), value, "text", remedy)
        return default

    def _boolean(self, table: dict[str, Any], key: str, at: Path, default: bool) -> bool:
        value = table.get(key, default)
        if isinstance(value, bool):
            return value
        remedy = f"write {key} = true or {key} = false, without quotes"
        self._wrong_type((*at, key), value, "true or false", remedy)
        return default

    def _texts(self, table: dict[str, Any], key: str, at: Path, place: Path) -> tuple[str, ...]:
        texts: list[str] = []
        for value, path in self._members(table, key, at):
            if isinstance(value, str):
                self._paths[(*place, key, len(texts))] = path
                texts.append(value)
            else:
                self._wrong_type(path, value, "text", "put it in quotes")
        return tuple(texts)

    def _members(self, table: dict[str, Any], key: str, at: Path) -> Iterator[tuple[Any, Path]]:
        value = table.get(key, [])
        path: Path = (*at, key)
        if isinstance(value, list):
            for number, member in enumerate(value):
                yield member, (*path, number)
        elif path == ("cookies",) and isinstance(value, dict):
            self._wrong_type(path, value, "a list", "write [[cookies]], in double brackets")
        else:
            self._wrong_type(path, value, "a list", f"write {key} = [ … ]")

    def _table(self, table: dict[str, Any], key: str, at: Path) -> dict[str, Any]:
        value = table.get(key, {})
        return value if self._is_table(value, (*at, key)) else {}

    def _is_table(self, value: object, at: Path) -> bool:
        if isinstance(value, dict):
            return True
        remedy = f"write [{key_path(at)}] on a line of its own, and its keys below"
        self._wrong_type(at, value, "a table", remedy)
        return False

    # --- faults ---------------------------------------------------------------------------------

    def _wrong_type(self, path: Path, value: object, wanted: str, remedy: str) -> None:
        self._note("CG102", path, f"must be {wanted}, not {kind_of(value)}", remedy)

    def _note(
        self, code: str, path: Path, message: str, remedy: str, severity: str = "error"
    ) -> None:
        self.faults.append(
            Fault(code=code, path=path, message=message, remedy=remedy, severity=severity)
        )
