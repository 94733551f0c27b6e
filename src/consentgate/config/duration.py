"""Published durations ("13 months") as seconds."""

from __future__ import annotations

import re
from functools import lru_cache

_DAY = 86_400
_UNITS = {
    "second": 1,
    "minute": 60,
    "hour": 3600,
    "day": _DAY,
    "week": 7 * _DAY,
    "month": 365 * _DAY // 12,  # a twelfth of a year, so that 12 months are one
    "year": 365 * _DAY,
}
_FORM = re.compile(r"([0-9]{1,5}) ?(second|minute|hour|day|week|month|year)s?")


@lru_cache(256)
def seconds_of(text: str) -> int | None:
    """Return the seconds that a duration says, 0 for "session", None where it cannot be read."""
    text = text.strip().lower()
    if text == "session":
        return 0
    found = _FORM.fullmatch(text)
    # "0 days" is no duration: 0 seconds already means that the cookie ends with the session.
    return int(found[1]) * _UNITS[found[2]] or None if found else None
