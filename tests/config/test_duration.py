"""Published durations, read as seconds."""

from __future__ import annotations

import pytest

from consentgate.config.duration import seconds_of

DAY = 86_400


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("session", 0),
        (" Session ", 0),
        ("1 second", 1),
        ("30 minutes", 1800),
        ("24 hours", DAY),
        ("1 day", DAY),
        ("90 days", 90 * DAY),
        ("90days", 90 * DAY),
        ("90 Days", 90 * DAY),
        ("2 weeks", 14 * DAY),
        ("12 months", 365 * DAY),
        ("13 months", 34_164_000),
        ("1 year", 365 * DAY),
        ("2 years", 730 * DAY),
        ("99999 years", 99_999 * 365 * DAY),
    ],
)
def test_a_duration_is_a_number_and_a_unit(text: str, seconds: int) -> None:
    """Or "session"; twelve months are a year, case and the plural s make no difference."""
    assert seconds_of(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", "0 days", "000 s", "1", "days", "-1 day", "1.5 years", "1 fortnight", "1 day 2 hours",
     "a year", "1  day", "1 day.", "100000 days", "١ day", "1 dayss", "persistent", "1\nday"],
)  # fmt: skip
def test_anything_else_is_no_duration(text: str) -> None:
    """None, never a guess: 0 in particular would mean that the session ends it."""
    assert seconds_of(text) is None
