"""TOML values of the right type, and what is to be said of all others."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from .checks.settings import WORDS, choices_for
from .dark_patterns import dark_pattern
from .duration import seconds_of
from .known import CONSENT, TOP, Keys, key_meant, unknown_key
from .problems import Fault, Path, key_path, kind_of

_LISTS_OF_TABLES = (("cookies",), ("flows",), ("regions", "profiles"), ("changes",))
_DAYS = ("date", "read", "updated")


class Values:
    """Reads single values out of tables. What is wrong stands at its default.

    Meanwhile these fill up: `faults`, each at its path in the file, and `meant`, the paths of keys
    that are missing because they are misspelled or misplaced, most likely.
    """

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.meant: set[Path] = set()
        # Where in the file the places of the Policy stand that stand elsewhere.
        self.paths: dict[Path, Path] = {}

    def known_keys(self, table: dict[str, Any], known: Keys, at: Path) -> None:
        if table.keys() <= known.keys():
            return
        for key, value in table.items():
            if key in known:
                continue
            if fault := dark_pattern(at, key, value, table):
                self.faults.append(fault)
            else:
                self.faults.append(unknown_key(at, key, value, known))
                if (meant := key_meant(key, known)) not in table:
                    self.meant.add((*at, meant))
                # A key below the wrong [table] is there too, in a way.
                if key in TOP:
                    self.meant.add((key,))
                elif key in CONSENT:
                    self.meant.add(("consent", key))

    def like(self, default: Any, key: str, table: dict[str, Any], at: Path, place: Path) -> Any:
        """Return the value of a key whose type is that of its default."""
        if isinstance(default, bool):
            return self.boolean(table, key, at, default)
        if isinstance(default, int):
            return self.seconds(table, key, at, default)
        if isinstance(default, tuple):
            return self.texts(table, key, at, place) if key in table else default
        return self.text(table, key, at, default)

    def text(self, table: dict[str, Any], key: str, at: Path, default: str = "") -> str:
        value = table.get(key, default)
        if isinstance(value, str):
            return value
        if type(value) is date:  # people write days without quotes, as TOML lets them
            return value.isoformat()
        word = key_path((*at, key))  # "mode" stands in several tables
        word = word if word in WORDS else key
        remedy = choices_for(word) if word in WORDS else f'write {key} = "…"'
        if key in _DAYS:
            remedy = f"write {key} = 2026-11-24, a day like this"
        self.wrong_type((*at, key), value, "text", remedy)
        return default

    def seconds(self, table: dict[str, Any], key: str, at: Path, default: int) -> int:
        text = table.get(key, "")
        remedy = 'write a number and a unit: "6 months", "182 days"'
        if not isinstance(text, str):
            self.wrong_type((*at, key), text, "text", remedy)
        elif seconds := seconds_of(text):
            return seconds
        elif key in table:
            self.note("CG205", (*at, key), f"{text!r} is not a duration", remedy)
        return default

    def boolean(self, table: dict[str, Any], key: str, at: Path, default: bool) -> bool:
        value = table.get(key, default)
        if isinstance(value, bool):
            return value
        remedy = f"write {key} = true or {key} = false, without quotes"
        self.wrong_type((*at, key), value, "true or false", remedy)
        return default

    def texts(self, table: dict[str, Any], key: str, at: Path, place: Path) -> tuple[str, ...]:
        texts: list[str] = []
        for value, path in self.members(table, key, at):
            if isinstance(value, str):
                self.paths[(*place, key, len(texts))] = path
                texts.append(value)
            else:
                self.wrong_type(path, value, "text", "put it in quotes")
        return tuple(texts)

    def members(self, table: dict[str, Any], key: str, at: Path) -> Iterator[tuple[Any, Path]]:
        value = table.get(key, [])
        path: Path = (*at, key)
        if isinstance(value, list):
            for number, member in enumerate(value):
                yield member, (*path, number)
        elif path in _LISTS_OF_TABLES and isinstance(value, dict):
            remedy = f"write [[{key_path(path)}]], in double brackets"
            self.wrong_type(path, value, "a list", remedy)
        else:
            self.wrong_type(path, value, "a list", f"write {key} = [ … ]")

    def table(self, table: dict[str, Any], key: str, at: Path) -> dict[str, Any]:
        value = table.get(key, {})
        return value if self.is_table(value, (*at, key)) else {}

    def is_table(self, value: object, at: Path) -> bool:
        if isinstance(value, dict):
            return True
        remedy = f"write [{key_path(at)}] on a line of its own, and its keys below"
        self.wrong_type(at, value, "a table", remedy)
        return False

    # --- faults ---------------------------------------------------------------------------------

    def wrong_type(self, path: Path, value: object, wanted: str, remedy: str) -> None:
        self.note("CG102", path, f"must be {wanted}, not {kind_of(value)}", remedy)

    def note(
        self, code: str, path: Path, message: str, remedy: str, severity: str = "error"
    ) -> None:
        self.faults.append(
            Fault(code=code, path=path, message=message, remedy=remedy, severity=severity)
        )
