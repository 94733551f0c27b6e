"""The grammar of `consentgate.core.cookies` against what a real Chromium did.

The record is tests/recordings/chromium.json; record_chromium.py, beside it, makes it anew.
"""

from __future__ import annotations

import calendar
import sys
import time
from pathlib import Path

import pytest

from consentgate.core.cookies import canonical_deletion, is_deletion, stored_names

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "recordings"))

import record_chromium as recorder
from record_chromium import Row, unpack
from set_cookie_lines import cases

RECORDING = recorder.load()
NOW = calendar.timegm(time.strptime(RECORDING["recorded_at"], "%Y-%m-%dT%H:%M:%SZ"))
ROWS = RECORDING["cases"]
SETS = [row for row in ROWS if row["kind"] == "set"]
DELETES = [row for row in ROWS if row["kind"] == "delete"]
CANONICAL = {row["host"]: row for row in ROWS if row["kind"] == "canonical"}

# One in so many cases is put to a live browser.
SAMPLE = 8

# Lines that every browser reads as a deletion, but which Chromium refuses whole: Secure is missing
# (or HttpOnly, or Path=/) where a prefix or SameSite=None asks for it, or the value is too long.
# The seed stays until the line is rewritten.
REFUSED_DELETIONS = {
    *(f"__Host-s=; Max-Age=0{rest}" for rest in ("", "; Path=/", "; Secure", "; Secure; Path=")),
    "__Host-s=; Max-Age=0; Secure; Path=/; Domain={host}",
    "__Host-s=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/",
    "__Host-s=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/",
    '__Host-s=""; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=-1; Path=/',
    '__Host-s=""; expires=Mon, 05 Oct 2026 08:02:30 GMT; Max-Age=0; Path=/; SameSite=lax',
    '__Host-s=""; expires=Sun, 05 Oct 2025 08:02:30 GMT; Path=/',
    *(f"__Secure-s=; Max-Age=0{rest}" for rest in ("", "; Path=/")),
    "__Secure-s=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/",
    "__Http-s=; Max-Age=0; Path=/",
    "__Http-s=; Max-Age=0; Secure; Path=/",
    "__Http-s=; Max-Age=0; HttpOnly; Path=/",
    "__Host-Http-s=; Max-Age=0; Path=/",
    "__Host-Http-s=; Max-Age=0; Secure; Path=/",
    "__Host-Http-s=; Max-Age=0; HttpOnly; Path=/",
    "__Host-Http-s=; Max-Age=0; Secure; HttpOnly",
    "__Host-Http-s=; Max-Age=0; Secure; HttpOnly; Path=/; Domain={host}",
    "_ga=; Max-Age=0; SameSite=None",
    "_ga=; Max-Age=0; samesite=NONE",
    "_ga=; Max-Age=0; SameSite=Lax; SameSite=None",
    '_ga=""; expires=Mon, 05 Oct 2026 08:02:30 GMT; Path=/; SameSite=None',
    "_ga=; Max-Age=0; Partitioned",
    "_ga=vvv[*4094]; Max-Age=0",
}


def line_of(row: Row) -> bytes:
    return unpack(row["line"])


def text_of(row: Row) -> str:
    return row["text"].replace(row["host"], "{host}")


def names_sent(row: Row) -> set[bytes]:
    """The names that came back because of the line: b"" for a nameless cookie, seed left out."""
    seed = unpack(row.get("seed", "")).partition(b";")[0]
    found = {pair for pair in unpack(row["sent"]).split(b"; ") if pair} - {seed}
    return {pair.partition(b"=")[0] if b"=" in pair else b"" for pair in found}


def keeps_something(row: Row) -> bool:
    """Whether anything of the line stayed in the jar, sent back or not."""
    return row["stored"] > (row.get("seed_gone") is False)


def recognised(rows: list[Row]) -> list[Row]:
    return [row for row in rows if is_deletion(line_of(row), NOW)]


def test_the_recording_covers_every_line() -> None:
    """Every line of the source is on record, with the host, the seed and the bytes it has now."""
    expected = {(case.kind, case.host, case.directory, case.seed, case.line) for case in cases()}
    found = {
        (row["kind"], row["host"], row["directory"], unpack(row.get("seed", "")), line_of(row))
        for row in SETS + DELETES
    }
    assert found == expected
    assert len(found) == len(SETS) + len(DELETES)


def test_every_name_chromium_sends_back_was_foreseen() -> None:
    """The name under which Chromium stores a line is among the names read from it."""
    missed = []
    for row in SETS + DELETES:
        names = stored_names(line_of(row))
        if names is not None and not names_sent(row) <= names:
            missed.append((text_of(row), row["sent_text"], names))
    assert missed == []


def test_only_lines_with_tabs_and_line_breaks_are_stored_though_unreadable() -> None:
    """Of what Chromium stores, exactly the lines with HTAB, CR or LF are called unreadable."""
    stored = [row for row in SETS + DELETES if keeps_something(row)]
    unreadable = {text_of(row) for row in stored if stored_names(line_of(row)) is None}
    assert unreadable == {text_of(row) for row in stored if set(line_of(row)) & set(b"\t\r\n")}
    assert sum(stored_names(line_of(row)) is not None for row in stored) > 700


def test_nothing_stays_of_a_line_taken_for_a_deletion() -> None:
    """A line that is taken for a deletion leaves no cookie in Chromium, whatever was there."""
    assert [text_of(row) for row in recognised(SETS + DELETES) if keeps_something(row)] == []


def test_what_is_taken_for_a_deletion_deletes() -> None:
    """A deletion of the seed deletes it, unless Chromium refuses the line; those are listed."""
    deletions = [row for row in recognised(DELETES) if row["same_cookie"]]
    left = {text_of(row) for row in deletions if not row["seed_gone"]}
    assert left == REFUSED_DELETIONS
    assert len(deletions) > 150


def test_frameworks_deletions_are_recognised() -> None:
    """Whatever a framework writes to delete a cookie is taken for a deletion."""
    written = [row for row in DELETES if row["group"].startswith("framework")]
    assert len(written) > 15
    assert [text_of(row) for row in written if row not in recognised(written)] == []


def test_the_canonical_forms_on_record_are_those_written_today() -> None:
    """Every recognised deletion has its rewritten form on record, byte for byte, and no other."""
    written = {row["host"]: canonical_deletion(line_of(row)) for row in recognised(DELETES)}
    assert {host: line_of(row) for host, row in CANONICAL.items()} == written


def test_the_canonical_form_deletes() -> None:
    """The rewritten form of a deletion deletes the seed, even where the line itself was refused."""
    of_the_seed = [row for row in CANONICAL.values() if row["same_cookie"]]
    assert len(of_the_seed) > 150
    assert [text_of(row) for row in of_the_seed if not row["seed_gone"] or row["stored"]] == []


def test_the_canonical_form_deletes_nothing_else() -> None:
    """The rewritten form of a deletion of some other cookie leaves the seed alone."""
    of_another = [row for row in CANONICAL.values() if not row["same_cookie"]]
    assert len(of_another) > 20
    assert [text_of(row) for row in of_another if row["seed_gone"] or row["stored"] != 1] == []


def test_the_canonical_form_is_a_deletion_of_the_same_names() -> None:
    """The rewritten form is itself a deletion, its own rewritten form, and of no other name."""
    for row in CANONICAL.values():
        line = line_of(row)
        assert is_deletion(line, 0)
        assert canonical_deletion(line) == line
        original = next(found for found in DELETES if found["host"] == row["host"])
        names, before = stored_names(line), stored_names(line_of(original))
        assert names is not None
        assert before is not None
        assert names <= before


def test_packed_bytes_come_back() -> None:
    """The notation of the recording loses no byte."""
    long = b"=" + b"\0" * 5000 + b"\n" * 40 + "\u00e9".encode() * 99 + b"\xc3"
    for data in (b"", b"a", b"a" * 31, b"a" * 32, bytes(range(256)), long):
        assert unpack(recorder.pack(data)) == data


def test_chromium_still_does_this() -> None:
    """The Chromium of this machine does with a sample of the lines what the record says."""
    executable = recorder.find_chromium()
    if executable is None:
        pytest.skip("no Chromium on the search path and none named in $CHROMIUM")
    sample = cases()[::SAMPLE]
    found = recorder.record(executable, [*sample, *recorder.canonical_cases(sample, NOW)])["cases"]
    asked = {(row["kind"], row["host"]) for row in found}
    known = [row for row in ROWS if (row["kind"], row["host"]) in asked]
    assert recorder.differences(known, found) == []
