"""TOML data -> Policy, with every problem noted on the way. Nothing raises; nothing is guessed."""

from __future__ import annotations

import re
from collections.abc import Collection
from difflib import get_close_matches
from typing import Any

from ..core.matcher import ties
from ..core.policy import NECESSARY, Category, Policy, Rule
from ..core.proof import origin_of
from ..core.token import category_tag
from .duration import seconds_of
from .problems import Path, Problem, key_path

_TOP = ("version", "mode", "unknown", "consent", "categories", "cookies")
_CONSENT = (
    "secret_env",
    "site",
    "origins",
    "exclude",
    "prefix",
    "cookie",
    "domain",
    "same_site",
    "secure",
    "mirror",
)
_CATEGORY = ("always", "title", "description", "cookies", "local_storage", "session_storage")
_RULE = ("name", "provider", "purpose", "duration")

_ID = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")
_PREFIX = re.compile(r"(?:/[A-Za-z0-9._~-]+)+")
_DOMAIN = re.compile(r"\.?(?:[a-z0-9-]+\.)*[a-z0-9-]+", re.IGNORECASE)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Reader:
    """Reads one parsed file. `problems` fills up as it goes, with paths in place of lines."""

    def __init__(self, file: str) -> None:
        self._file = file
        self.problems: list[tuple[Path, Problem]] = []
        self._rule_paths: dict[int, Path] = {}

    def policy(self, data: dict[str, Any]) -> Policy:
        """Return the policy that `data` describes, as far as it can be read."""
        self._known_keys(data, _TOP, ())
        consent = self._table(data, "consent", ())
        self._known_keys(consent, _CONSENT, ("consent",))
        if "version" not in data:
            self.note(
                "CG103",
                ("version",),
                "the policy has no version",
                'add version = "2026-11" (any text; it is recorded with every choice)',
            )
        categories = self._categories(data)
        policy = Policy(
            version=self._text(data, "version", ()),
            mode=self._one_of(data, "mode", (), ("enforce", "report")),
            unknown=self._one_of(data, "unknown", (), ("block", "allow")),
            categories=categories,
            **self._consent(consent),
        )
        self._check_ties(policy)
        self._check_tags(policy)
        return policy

    def note(
        self, code: str, path: Path, message: str, remedy: str, severity: str = "error"
    ) -> None:
        """Note a problem at a path."""
        problem = Problem(
            code=code,
            key=key_path(path),
            message=message,
            remedy=remedy,
            file=self._file,
            severity=severity,
        )
        self.problems.append((path, problem))

    # --- [consent] ------------------------------------------------------------------------------

    def _consent(self, table: dict[str, Any]) -> dict[str, Any]:
        at: Path = ("consent",)
        default = Policy(version="")
        fields: dict[str, Any] = {
            "secret_env": self._shaped(
                table,
                "secret_env",
                _VARIABLE,
                default.secret_env,
                "name an environment variable; the key itself never belongs in a file",
            ),
            "prefix": self._shaped(
                table,
                "prefix",
                _PREFIX,
                default.prefix,
                'write a path such as "/_gate", without a slash at its end',
            ),
            "cookie": self._shaped(
                table, "cookie", _TOKEN, default.cookie, 'write a plain cookie name such as "gate"'
            ),
            "domain": self._shaped(
                table,
                "domain",
                _DOMAIN,
                "",
                'write a host name such as "shop.example", or leave it out',
            ),
            "same_site": self._one_of(table, "same_site", at, ("lax", "strict", "none")),
            "secure": self._boolean(table, "secure", at, True),
            "mirror": self._text(table, "mirror", at, default.mirror),
            "site": self._origin(table, "site"),
            "origins": tuple(self._texts(table, "origins", at)),
            "exclude": tuple(self._texts(table, "exclude", at)),
        }
        if fields["cookie"].lower().startswith(("__host-", "__secure-")):
            self.note(
                "CG104",
                (*at, "cookie"),
                "the cookie's prefix is added by the gate",
                "leave __Host- or __Secure- out",
            )
        for number, origin in enumerate(fields["origins"]):
            self._check_origin(origin, (*at, "origins", number))
        for number, path in enumerate(fields["exclude"]):
            if not path.startswith("/"):
                self.note(
                    "CG104",
                    (*at, "exclude", number),
                    f"{path!r} is not a path",
                    'begin with a slash, for example "/webhooks/*"',
                )
        if fields["same_site"] == "none" and not fields["secure"]:
            self.note(
                "CG104",
                (*at, "same_site"),
                'browsers refuse same_site = "none" without secure',
                'set secure = true, or same_site = "lax"',
            )
        return fields

    def _shaped(
        self, table: dict[str, Any], key: str, shape: re.Pattern[str], default: str, remedy: str
    ) -> str:
        value = self._text(table, key, ("consent",), default)
        if value and not shape.fullmatch(value):
            self.note("CG104", ("consent", key), f"{key} cannot be {value!r}", remedy)
            return default
        return value or default

    def _origin(self, table: dict[str, Any], key: str) -> str:
        value = self._text(table, key, ("consent",))
        if value:
            self._check_origin(value, ("consent", key))
        return value.rstrip("/")

    def _check_origin(self, value: str, path: Path) -> None:
        if origin_of(value.rstrip("/")) is None:
            self.note(
                "CG104",
                path,
                f"{value!r} is not an origin",
                'write scheme and host only, for example "https://shop.example"',
            )

    # --- [categories.*] and [[cookies]] ---------------------------------------------------------

    def _categories(self, data: dict[str, Any]) -> tuple[Category, ...]:
        tables = self._table(data, "categories", ())
        rules: dict[str, list[Rule]] = {id: [] for id in tables}
        for id, table in tables.items():
            if isinstance(table, dict):
                for number, entry in enumerate(self._list(table, "cookies", ("categories", id))):
                    path: Path = ("categories", id, "cookies", number)
                    if (rule := self._rule(entry, id, path)) is not None:
                        rules[id].append(rule)
        for number, entry in enumerate(self._list(data, "cookies", ())):
            path = ("cookies", number)
            named = entry.get("category") if isinstance(entry, dict) else None
            if not isinstance(named, str) or named not in rules:
                self._no_category(entry, path, tables)
            elif (rule := self._rule(entry, named, path, extra=("category",))) is not None:
                rules[named].append(rule)
        return tuple(
            self._category(id, table, rules[id])
            for id, table in tables.items()
            if self._is_table(table, ("categories", id))
        )

    def _category(self, id: str, table: dict[str, Any], rules: list[Rule]) -> Category:
        at: Path = ("categories", id)
        if not _ID.fullmatch(id):
            self.note(
                "CG104",
                at,
                f"{id!r} is not a category id",
                "use letters, digits, - and _, beginning with a letter",
            )
        self._known_keys(table, _CATEGORY, at)
        always = self._boolean(table, "always", at, False)
        if id == NECESSARY and not always:
            self.note(
                "CG105",
                (*at, "always"),
                "the necessary category asks for consent",
                "write always = true, or give the category another name",
            )
        for rule in rules:
            if always and not rule.name.strip("*"):
                self.note(
                    "CG203",
                    self._rule_paths[id_of(rule)],
                    "a lone * in a category that is always on lets every cookie out",
                    "name the cookies",
                )
        return Category(
            id=id,
            always=always,
            title=self._text(table, "title", at),
            description=self._text(table, "description", at),
            rules=tuple(rules),
            local_storage=tuple(self._texts(table, "local_storage", at)),
            session_storage=tuple(self._texts(table, "session_storage", at)),
        )

    def _rule(
        self, entry: object, category: str, path: Path, extra: tuple[str, ...] = ()
    ) -> Rule | None:
        if isinstance(entry, str):
            if not self._check_pattern(entry, path):
                return None
            rule = Rule(name=entry, category=category)
        elif isinstance(entry, dict):
            self._known_keys(entry, _RULE + extra, path)
            if "name" not in entry:
                self.note(
                    "CG103",
                    (*path, "name"),
                    "the cookie has no name",
                    'add name = "…"; * stands for any text',
                )
                return None
            name = self._text(entry, "name", path)
            duration = self._text(entry, "duration", path)
            rule = Rule(
                name=name,
                category=category,
                provider=self._text(entry, "provider", path),
                purpose=self._text(entry, "purpose", path),
                duration=duration,
                seconds=self._seconds(duration, path),
            )
            if not isinstance(entry["name"], str) or not self._check_pattern(name, (*path, "name")):
                return None
        else:
            self.note(
                "CG102",
                path,
                "a cookie is a name or a table",
                'write "_ga*" or { name = "_ga*", provider = "…" }',
            )
            return None
        self._rule_paths[id_of(rule)] = path
        return rule

    def _seconds(self, duration: str, path: Path) -> int | None:
        seconds = seconds_of(duration) if duration else None
        if duration and seconds is None:
            self.note(
                "CG205",
                (*path, "duration"),
                f"{duration!r} is not a duration",
                'write "session", or a number and a unit: "13 months", "90 days"',
            )
        return seconds

    def _check_pattern(self, name: str, path: Path) -> bool:
        if not name:
            return self._bad_pattern(path, "the name is empty", "name the cookie")
        if any(character in ";=" or not character.isprintable() for character in name):
            return self._bad_pattern(
                path, f"no cookie can be named {name!r}", "leave out ; = and control characters"
            )
        if name != name.strip():
            return self._bad_pattern(path, f"{name!r} has a space at its edge", "remove it")
        if "**" in name:
            return self._bad_pattern(path, f"{name!r} has two asterisks in a row", "one is enough")
        if len(name) > 256:
            return self._bad_pattern(path, "the name has more than 256 characters", "shorten it")
        return True

    def _bad_pattern(self, path: Path, message: str, remedy: str) -> bool:
        self.note("CG201", path, message, remedy)
        return False

    def _no_category(self, entry: object, path: Path, tables: Collection[str]) -> None:
        if not isinstance(entry, dict):
            self.note("CG102", path, "[[cookies]] holds tables", 'write name = "…" below it')
        elif not isinstance(entry.get("category"), str):
            self.note(
                "CG103",
                (*path, "category"),
                "the cookie has no category",
                "add category = the id of one of [categories.*]",
            )
        else:
            id = entry["category"]
            self.note(
                "CG204",
                (*path, "category"),
                f"there is no category {id!r}",
                self._suggest(id, tables) or f"add [categories.{id}]",
            )

    def _check_ties(self, policy: Policy) -> None:
        rules = [rule for category in policy.categories for rule in category.rules]
        for one, two, name in ties(rules):
            first = key_path(self._rule_paths[id_of(one)])
            path = self._rule_paths[id_of(two)]
            if one.name == two.name:
                self.note(
                    "CG202",
                    path,
                    f"{two.name!r} is named twice, first at {first}",
                    "remove one of the two",
                )
            else:
                self.note(
                    "CG202",
                    path,
                    f"{two.name!r} and {one.name!r} (at {first}) both match {name!r}, "
                    "and neither is more specific",
                    "make one of them longer, name the cookies exactly, or merge the two",
                )

    def _check_tags(self, policy: Policy) -> None:
        seen: dict[int, str] = {}
        for category in policy.categories:
            other = seen.setdefault(category_tag(category.id), category.id)
            if other != category.id:
                self.note(
                    "CG206",
                    ("categories", category.id),
                    f"the ids {category.id!r} and {other!r} have the same short form in the "
                    "consent cookie",
                    "rename one of them",
                )

    # --- values ---------------------------------------------------------------------------------

    def _known_keys(self, table: dict[str, Any], known: tuple[str, ...], at: Path) -> None:
        for key in table:
            if key in known:
                continue
            if "secret" in key.lower() and at == ("consent",):
                remedy = "keep the key out of the file: secret_env names the variable that has it"
            else:
                remedy = self._suggest(key, known) or f"known here: {', '.join(known)}"
            self.note("CG101", (*at, key), f"unknown key {key!r}", remedy)

    def _suggest(self, word: str, known: Collection[str]) -> str:
        near = get_close_matches(word, list(known), n=1, cutoff=0.6)
        return f"did you mean {near[0]!r}?" if near else ""

    def _wrong_type(self, at: Path, value: object, wanted: str, remedy: str) -> None:
        self.note("CG102", at, f"must be {wanted}, not {_kind(value)}", remedy)

    def _text(self, table: dict[str, Any], key: str, at: Path, default: str = "") -> str:
        value = table.get(key, default)
        if isinstance(value, str):
            return value
        self._wrong_type((*at, key), value, "text", f'write {key} = "…"')
        return default

    def _boolean(self, table: dict[str, Any], key: str, at: Path, default: bool) -> bool:
        value = table.get(key, default)
        if isinstance(value, bool):
            return value
        self._wrong_type((*at, key), value, "true or false", f"write {key} = true, without quotes")
        return default

    def _one_of(self, table: dict[str, Any], key: str, at: Path, allowed: tuple[str, ...]) -> str:
        value = table.get(key, allowed[0])
        if isinstance(value, str) and value in allowed:
            return value
        choices = " or ".join(f'"{one}"' for one in allowed)
        if isinstance(value, str):
            self.note(
                "CG104",
                (*at, key),
                f"{key} cannot be {value!r}",
                self._suggest(value, allowed) or f"write {choices}",
            )
        else:
            self._wrong_type((*at, key), value, "text", f"write {choices}")
        return allowed[0]

    def _list(self, table: dict[str, Any], key: str, at: Path) -> list[Any]:
        value = table.get(key, [])
        if isinstance(value, list):
            return value
        self._wrong_type((*at, key), value, "a list", f"write {key} = [ … ]")
        return []

    def _texts(self, table: dict[str, Any], key: str, at: Path) -> list[str]:
        texts = []
        for number, value in enumerate(self._list(table, key, at)):
            if isinstance(value, str):
                texts.append(value)
            else:
                self._wrong_type((*at, key, number), value, "text", "put it in quotes")
        return texts

    def _table(self, table: dict[str, Any], key: str, at: Path) -> dict[str, Any]:
        value = table.get(key, {})
        return value if self._is_table(value, (*at, key)) else {}

    def _is_table(self, value: object, at: Path) -> bool:
        if isinstance(value, dict):
            return True
        self._wrong_type(at, value, "a table", f"write [{key_path(at)}] on a line of its own")
        return False


def id_of(rule: Rule) -> int:
    """Return what tells two equal rules at two places of a file apart."""
    return id(rule)


def _kind(value: object) -> str:
    names = {
        bool: "true or false",
        int: "a number",
        float: "a number",
        str: "text",
        list: "a list",
        dict: "a table",
    }
    return names.get(type(value), "a date")
