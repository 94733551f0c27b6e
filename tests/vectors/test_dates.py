"""Expires dates of two public suites, and what Chromium and Firefox made of each."""

from __future__ import annotations

from collections import Counter

from consentgate.core.cookies import is_deletion, parse_date
from consentgate.core.limits import Limits
from vectors import public
from vectors.public import BROWSERS, MEASURED, needed

pytestmark = needed


def cases() -> list[tuple[str, set[str]]]:
    """Each date with what browsers called it: expired, future, or unparsed->session."""
    data = public.load("cookie_dates")
    return [
        (one["date"], {one[browser]["class"] for browser in BROWSERS})
        for group in ("http_state", "tough_cookie_parses", "tough_cookie_equivalence")
        for one in data[group]
    ]


def reading_of(date: str) -> str | None:
    moment = parse_date(date.encode())
    if moment is None:
        return None
    return "expired" if moment <= MEASURED else "future"


def test_what_we_read_both_browsers_read_alike() -> None:
    """No date is read that either browser reads otherwise, or does not read at all."""
    assert len(cases()) == 154
    assert [
        (date, read, classes)
        for date, classes in cases()
        if (read := reading_of(date)) is not None and classes != {read}
    ] == []


def test_a_date_that_deletes_expired_in_both_browsers() -> None:
    """As a line: what is a deletion by its date was stored by neither."""
    for date, classes in cases():
        if is_deletion(b"a=b; Expires=" + date.encode(), MEASURED):
            assert classes == {"expired"}


def test_the_forms_that_servers_write_are_read() -> None:
    """Exactly so many of the suites' dates, most of them odd on purpose, are read at all."""
    assert Counter(reading_of(date) for date, _ in cases()) == {
        None: 117,
        "expired": 36,
        "future": 1,
    }


def test_no_browser_keeps_a_limited_cookie_longer() -> None:
    """A date that either browser reads as yet to come is gone from the line; expired ones stay."""
    day = Limits(seconds=86_400, secure=False, http_only=False, same_site="")
    for date, classes in cases():
        line = b"a=b; Expires=" + date.encode()
        changed, _ = day.apply(line, MEASURED)
        if "future" in classes:
            assert b"Expires" not in changed
        if parse_date(date.encode()) is not None and classes == {"expired"}:
            assert changed is line
