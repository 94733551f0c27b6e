"""TOML data -> Policy: which keys there are, and of which type each value is.

Rule 1. Nothing raises, nothing is guessed, and no key that is not known is passed over.
Rule 2. What is wrong is left out, or stands at its default, so that the rest can be read.
Rule 3. Whether a value of the right type makes sense is asked elsewhere, of the Policy.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..core.policy import (
    NECESSARY,
    Banner,
    Category,
    Change,
    ConsentMode,
    Controller,
    Csp,
    Exemption,
    Flow,
    Pages,
    Policy,
    Profile,
    Regions,
    Rule,
)
from ..law import profiles
from .checks.third_parties import SIGNALS, no_such_category
from .duration import seconds_of
from .known import (
    BANNER,
    CATEGORY,
    CHANGE,
    CONSENT,
    CONSENT_MODE,
    CONTROLLER,
    CSP,
    EXEMPTION,
    FLOW,
    GPC,
    LONG_RULE,
    PAGES,
    PROFILE,
    REGIONS,
    RULE,
    STORED,
    TOP,
)
from .problems import Fault, Path, did_you_mean, key_path
from .records import Records

# The type of a key is that of its field's default.
_DEFAULTS = Policy(version="")

# The keys of the top that are no tables.
_SIMPLE = (
    "version",
    "mode",
    "unknown",
    "guard",
    "unknown_storage",
    "hide",
    "expire_unknown",
    "strict",
)

_Placed = list[tuple[Rule, Path]]


class Reader(Records):
    """Reads one file's data; `folder` is where the file is.

    `orphans` fills up with rules of no known category, which are no part of the policy.
    """

    def __init__(self, folder: str = "") -> None:
        super().__init__()
        self._folder = folder
        self.orphans: _Placed = []
        self._implied: dict[str, Path] = {}  # categories without a table, where first named
        self._short: set[Path] = set()  # paths of cookies that are a name alone

    def policy(self, data: dict[str, Any]) -> Policy:
        """Return the policy that `data` describes, as far as it can be read."""
        self.known_keys(data, TOP, ())
        consent = self.table(data, "consent", ())
        self.known_keys(consent, CONSENT, ("consent",))
        fields: dict[str, Any] = {}
        for key in _SIMPLE:
            fields[key] = self.like(getattr(_DEFAULTS, key), key, data, (), ())
        for key in CONSENT:
            self.paths[(key,)] = ("consent", key)
            fields[key] = self.like(getattr(_DEFAULTS, key), key, consent, ("consent",), ())
        # People copy origins from the address bar, which ends them with a slash.
        fields["site"] = fields["site"].removesuffix("/")
        fields["origins"] = tuple(origin.removesuffix("/") for origin in fields["origins"])
        fields["controller"] = self.record(data, "controller", Controller(), CONTROLLER)
        fields["regions"] = self._regions(data)
        fields["gpc"] = self.record(data, "gpc", _DEFAULTS.gpc, GPC) or _DEFAULTS.gpc
        fields["banner"] = self.record(data, "banner", _DEFAULTS.banner, BANNER) or Banner()
        fields["flows"] = self.records(data, "flows", (), Flow(), FLOW)
        fields["pages"] = self._pages(data)
        fields["csp"] = self.record(data, "csp", _DEFAULTS.csp, CSP) or Csp()
        fields["consent_mode"] = self.record(data, "consent_mode", ConsentMode(), CONSENT_MODE)
        fields["texts"] = self._by_language(data)
        fields["changes"] = self.records(data, "changes", (), Change(), CHANGE)
        policy = Policy(categories=self._categories(data), **fields)
        if policy.consent_mode is not None:
            self._signals(data["consent_mode"], policy, policy.consent_mode)
        return policy

    def path_of(self, place: Path) -> Path:
        """Return where in the file a place in the Policy stands.

        A place runs through fields and positions: ("categories", 0, "rules", 3, "duration").
        """
        for end in range(len(place), 0, -1):
            path = self.paths.get(place[:end])
            if path is not None:
                return path if path in self._short else (*path, *place[end:])
        return place

    def located(self, fault: Fault) -> Fault:
        """Return a fault of the Policy as one of the file."""
        other = None if fault.other is None else self.path_of(fault.other)
        return replace(fault, path=self.path_of(fault.path), other=other)

    # --- tables ---------------------------------------------------------------------------------

    def _regions(self, data: dict[str, Any]) -> Regions | None:
        if "regions" not in data:
            return None
        table = self.table(data, "regions", ())
        self.known_keys(table, REGIONS, ("regions",))
        own = self.records(table, "profiles", ("regions",), Profile(), PROFILE)
        simple = [key for key in REGIONS if key != "profiles"]
        regions = self.fields(table, Regions(), simple, ("regions",))
        # The file's own come first, and the first that names a place is the one that counts.
        return replace(regions, profiles=(*own, *profiles()))

    def _pages(self, data: dict[str, Any]) -> Pages:
        pages = self.record(data, "pages", _DEFAULTS.pages, PAGES) or _DEFAULTS.pages
        if not pages.templates:
            return pages
        # From where the file is, for there people see the folder; an absolute path stays.
        return replace(pages, templates=os.path.join(self._folder, pages.templates))

    def _signals(self, table: dict[str, Any], policy: Policy, read: ConsentMode) -> None:
        """Note which categories do not exist that are written down, though they are the default."""
        default = ConsentMode()
        for signal in SIGNALS:
            named = getattr(read, signal)
            written = table.get(signal) == named == getattr(default, signal)
            if written and (fault := no_such_category(policy, signal, named)):
                self.faults.append(fault)

    def _by_language(self, data: dict[str, Any]) -> Mapping[str, object]:
        """Return [texts.*] as they stand: which keys and texts there may be is checked later."""
        remedy = "write [texts.en], or another language, and its tables below"
        given = data.get("texts", {})
        if not isinstance(given, dict):
            self.wrong_type(("texts",), given, "a table", remedy)
            return {}
        found: dict[str, object] = {}
        for tag, table in given.items():
            place, path = ("texts", tag.lower()), ("texts", tag)
            if not isinstance(table, dict):
                self.wrong_type(path, table, "a table", remedy)
            elif place[1] in found:
                fault = Fault(
                    code="CG202",
                    path=path,
                    message=f"{tag!r} is the same language",
                    remedy="merge the two",
                    other=self.paths[place],
                )
                self.faults.append(fault)
            else:
                self.paths[place] = path
                found[place[1]] = table
        return found

    # --- [categories.*] and [[cookies]] ---------------------------------------------------------

    def _categories(self, data: dict[str, Any]) -> tuple[Category, ...]:
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
                    self._short.add(path)
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
            local_storage=self._stored(table, "local_storage", at, place),
            session_storage=self._stored(table, "session_storage", at, place),
            indexed_db=self._stored(table, "indexed_db", at, place),
            cache_storage=self._stored(table, "cache_storage", at, place),
            sources=self.texts(table, "sources", at, place),
            secure=self.boolean(table, "secure", at, False),
            http_only=self.boolean(table, "http_only", at, False),
            same_site=self.text(table, "same_site", at),
            sale_or_sharing=self.boolean(table, "sale_or_sharing", at, False),
            honours=self.texts(table, "honours", at, place),
            exemption=self.record(table, "exemption", Exemption(), EXEMPTION, at),
        )

    def _stored(
        self, table: dict[str, Any], kind: str, at: Path, place: Path
    ) -> tuple[str | Rule, ...]:
        """Read what scripts store in one place: each a name, or a table with what is told of it."""
        found: list[str | Rule] = []
        for entry, path in self.members(table, kind, at):
            self.paths[(*place, kind, len(found))] = path
            if isinstance(entry, str):
                found.append(entry)
            elif not isinstance(entry, dict):
                remedy = 'write "ajs_*", or { name = "ajs_*", purpose = "…" }'
                self.wrong_type(path, entry, "a name or a table", remedy)
            else:
                self.known_keys(entry, STORED, path)
                name, duration = (self.text(entry, key, path) for key in ("name", "duration"))
                rule = Rule(
                    name=name,
                    category=at[-1] if isinstance(at[-1], str) else "",
                    provider=self.text(entry, "provider", path),
                    purpose=self.text(entry, "purpose", path),
                    # Unlike a cookie's it binds nobody: "until you sign out" is one too.
                    duration=duration,
                    seconds=seconds_of(duration) if duration else None,
                    party=self.text(entry, "party", path),
                    recipients=self.texts(entry, "recipients", path, path),
                )
                if "name" not in entry and (*path, "name") not in self.meant:
                    remedy = 'add name = "…"; * stands for any text'
                    self.note("CG103", (*path, "name"), "what is stored has no name", remedy)
                elif isinstance(entry.get("name"), str):
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
        name = self.text(entry, "name", path)
        provider = self.text(entry, "provider", path)
        purpose = self.text(entry, "purpose", path)
        duration = self.text(entry, "duration", path)
        party = self.text(entry, "party", path)
        sliding = self.boolean(entry, "sliding", path, True)
        domain = self.text(entry, "domain", path)
        cookie_path = self.text(entry, "path", path)
        partitioned = self.boolean(entry, "partitioned", path, False)
        recipients = self.texts(entry, "recipients", path, path)
        if "name" not in entry and (*path, "name") not in self.meant:
            remedy = 'add name = "…"; * stands for any text'
            self.note("CG103", (*path, "name"), "the cookie has no name", remedy)
        elif isinstance(entry.get("name"), str):
            rule = Rule(
                name=name,
                category=category,
                provider=provider,
                purpose=purpose,
                duration=duration,
                party=party,
                recipients=recipients,
                seconds=seconds_of(duration) if duration else None,
                published_only=published_only and bool(duration),
                sliding=sliding,
                domain=domain,
                path=cookie_path,
                partitioned=partitioned,
            )
            rules.append((rule, path))
