"""Names known without being listed: strictly necessary cookies of the common frameworks."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from ..core.policy import NECESSARY, Rule


@cache
def necessary_rules() -> tuple[Rule, ...]:
    """Return one rule for each preset name; a name of several frameworks goes to the first."""
    data = tomllib.loads(Path(__file__).with_name("necessary.toml").read_text("utf-8"))
    rules: dict[str, Rule] = {}
    for preset in data["preset"]:
        origin = f"{preset['framework']} {preset['version']}"
        for name in preset["cookies"]:
            rules.setdefault(name, Rule(name=name, category=NECESSARY, origin=origin))
    return tuple(rules.values())
