"""What there is to say, for which a policy may have texts of its own."""

from __future__ import annotations

from functools import cache

from ..pages.languages import fallbacks
from ..pages.texts import built_in, built_in_languages


@cache
def english() -> dict[str, dict[str, str]]:
    """Return the built-in English texts, by table and key; of a duration, the plural."""
    tables: dict[str, dict[str, str]] = {}
    layer = built_in("en")
    for path, text in layer.texts.items():
        table, _, key = path.partition(".")
        tables.setdefault(table, {})[key] = text
    tables["durations"] = {unit: forms["other"] for unit, forms in layer.forms.items()}
    return tables


def built_in_base(language: str) -> str:
    """Return the built-in language of which this is one, or a variety, or ""."""
    return next((tag for tag in fallbacks(language) if tag in built_in_languages()), "")
