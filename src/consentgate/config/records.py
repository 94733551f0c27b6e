"""TOML tables whose keys are the fields of a dataclass."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, TypeVar

from ..core.policy import (
    Banner,
    Change,
    ConsentMode,
    Controller,
    Csp,
    Exemption,
    Flow,
    Gpc,
    Pages,
    Profile,
    Regions,
)
from .known import Keys
from .problems import Path, key_path
from .values import Values

Record = TypeVar(
    "Record",
    Controller,
    Gpc,
    Banner,
    Flow,
    Exemption,
    Profile,
    Regions,
    Pages,
    Csp,
    ConsentMode,
    Change,
)


class Records(Values):
    """Reads whole tables. The type of a key is that of its field's default."""

    def record(
        self, data: dict[str, Any], key: str, default: Record, known: Keys, at: Path = ()
    ) -> Record | None:
        """Return a table as a dataclass like `default`; None where there is none."""
        place = (*at, key)
        if key not in data or not self.is_table(table := data[key], place):
            return None
        self.known_keys(table, known, place)
        return self.fields(table, default, known, place)

    def records(
        self, data: dict[str, Any], key: str, at: Path, default: Record, known: Keys
    ) -> tuple[Record, ...]:
        """Return an array of tables as dataclasses like `default`."""
        found: list[Record] = []
        for entry, path in self.members(data, key, at):
            if isinstance(entry, dict):
                self.paths[(*at, key, len(found))] = path
                self.known_keys(entry, known, path)
                found.append(self.fields(entry, default, known, path))
            else:
                remedy = f"write [[{key_path((*at, key))}]], and its keys below"
                self.wrong_type(path, entry, "a table", remedy)
        return tuple(found)

    def fields(
        self, table: dict[str, Any], default: Record, known: Iterable[str], at: Path
    ) -> Record:
        values = {key: self.like(getattr(default, key), key, table, at, at) for key in known}
        return replace(default, **values)
