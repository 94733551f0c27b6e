"""What the law asks for where: data, each entry with its article, source and day of reading."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from ..core.policy import Profile


@cache
def authorities() -> dict[str, dict[str, Any]]:
    """Return what was read, by its id: `what`, `kind`, `says`, `source` and `read`."""
    return _read("authorities.toml")


@cache
def profiles() -> tuple[Profile, ...]:
    """Return a profile for each group of places whose law was read."""
    return tuple(map(_profile, _read("regions.toml")["profiles"]))


def _profile(entry: dict[str, Any]) -> Profile:
    authority = authorities()[entry["authority"]]
    return Profile(
        name=entry["name"],
        places=tuple(entry["places"]),
        regime=entry["regime"],
        rests_on=entry["rests_on"],
        article=authority["what"],
        source=authority["source"],
        read=authority["read"].isoformat(),
        exemptions=tuple(entry.get("exemptions", ())),
        built_in=True,
    )


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name(name).read_text("utf-8"))
