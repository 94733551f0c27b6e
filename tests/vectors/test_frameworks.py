"""What ten Python frameworks write for one `set_cookie` or `delete_cookie` call."""

from __future__ import annotations

from typing import Any

import pytest

from consentgate.core.cookies import canonical_deletion, is_deletion, parse_date, stored_names
from vectors import public
from vectors.public import MEASURED, needed

pytestmark = needed

FRAMEWORKS = {
    "aiohttp",
    "bottle",
    "django",
    "falcon",
    "litestar",
    "starlette",
    "stdlib",
    "tornado",
    "webob",
    "werkzeug",
}


def cases(*kinds: str) -> list[dict[str, Any]]:
    return [one for one in public.load("framework_emissions")["cases"] if one["kind"] in kinds]


def lines_of(case: dict[str, Any]) -> list[bytes]:
    """The lines that were written; none where the framework refused."""
    return [bytes.fromhex(line) for line in case.get("set_cookie_hex", [])]


def written_at(line: bytes) -> int:
    """The moment at which a framework that writes "now" into Expires wrote this line."""
    text = line.partition(b"xpires=")[2].partition(b";")[0]
    moment = parse_date(text)
    assert moment is not None
    return max(moment, MEASURED)


def test_every_deletion_of_every_framework_is_recognised() -> None:
    """At the very second in which it was written, and from then on."""
    found = set()
    for case in cases("delete"):
        (line,) = lines_of(case)
        found.add(case["framework"])
        assert stored_names(line) == {case["name"].encode()}
        now = written_at(line)
        assert is_deletion(line, now)
        assert is_deletion(line, now - 0.999)
        assert is_deletion(line, now + 10_000_000)
        assert canonical_deletion(line).startswith(case["name"].encode() + b"=; Max-Age=0; ")
    assert found == FRAMEWORKS


def test_an_ordinary_cookie_is_read_under_its_name() -> None:
    """Whatever a value is made of, quoted and escaped as frameworks do it."""
    count = 0
    for case in cases("name", "value"):
        ordinary = case["name"].isascii() and case["name"].replace("-", "_").isidentifier()
        if ordinary:
            for line in lines_of(case):
                count += 1
                assert stored_names(line) == {case["name"].encode()}
                assert not is_deletion(line, MEASURED)
    assert count > 150


@pytest.mark.parametrize("framework", sorted(FRAMEWORKS))
def test_no_framework_writes_a_name_that_we_read_as_another_without_noticing(
    framework: str,
) -> None:
    """What is asked for, trimmed as browsers trim, is among the names read, or nothing is."""
    for case in cases("name"):
        if case["framework"] == framework:
            for line in lines_of(case):
                names = stored_names(line)
                asked = case["name"].encode()
                # Werkzeug writes "a=b" and "a;b" as they are: browsers cut them there.
                for cut in (b";", b"="):
                    asked = asked.partition(cut)[0]
                assert names is None or asked.strip(b" \t") in names
