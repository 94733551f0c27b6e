"""Which headers are Set-Cookie once a server has trimmed them, and which are unsafe to send."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from consentgate.core.caching import FIELDS
from consentgate.core.headers import (
    CACHING,
    PLAIN,
    SET_COOKIE,
    UNSAFE,
    HeaderKinds,
    as_bytes,
    is_unsafe,
    kind_of,
    with_cookie,
)


@pytest.mark.parametrize(
    "name",
    [
        b"set-cookie",
        b"Set-Cookie",
        b"SET-COOKIE",
        b" set-cookie",
        b"set-cookie ",
        b"set-cookie\t",
        b"\tSet-Cookie \t",
        b"\x0bset-cookie",
        b"set-cookie\x0c",
        b"\xa0set-cookie",
        b"set-cookie\x85",
        b"\x1cset-cookie\x1f",
    ],
)
def test_a_name_that_a_server_trims_to_set_cookie_is_set_cookie(name: bytes) -> None:
    """Whatever white space some server removes later is removed before the names are compared."""
    assert kind_of(name) == SET_COOKIE


@pytest.mark.parametrize(
    "name",
    [
        b"set-cookie\r",
        b"x-a: 1\r\nset-cookie",
        b"x-a:1\nset-cookie",
        b"x\0",
        b"\nset-cookie",
        b"set-cookie:",
        b"Set-Cookie: _ga=1; x",
        b"set-cookie : _ga",
        b"set-cookie\x80",
        b"set-cookie\x01x",
    ],
)
def test_a_name_that_could_become_a_cookie_on_the_wire_is_unsafe(name: bytes) -> None:
    """A line end or NUL in a name, or a name that carries a whole Set-Cookie, never leaves."""
    assert kind_of(name) == UNSAFE


@pytest.mark.parametrize(
    "name",
    [
        b"",
        b"content-length",
        b"cookie",
        b"set-cookie2",
        b"set-cookies",
        b"set_cookie",
        b"set-cookie-policy",
        b"x-set-cookie",
        b"set-cooki",
        b"\xff",
        b"x-\x01",
    ],
)
def test_any_other_name_is_plain(name: bytes) -> None:
    """Names that only resemble Set-Cookie are nobody's business."""
    assert kind_of(name) == PLAIN


@pytest.mark.parametrize("name", [*sorted(FIELDS), b"Vary", b"VARY ", b"Cache-Control"])
def test_the_fields_about_caching_are_known(name: bytes) -> None:
    """They are plain too, but an answer made for one visitor changes them."""
    assert kind_of(name) == CACHING


@pytest.mark.parametrize("byte", [b"\r", b"\n", b"\0"])
def test_a_value_that_could_end_its_own_line_is_unsafe(byte: bytes) -> None:
    """CR, LF or NUL anywhere in a value."""
    assert is_unsafe(byte)
    assert is_unsafe(b"1" + byte + b"Set-Cookie: _ga=1")
    assert is_unsafe(b"1" + byte)


def test_any_other_value_is_safe() -> None:
    """All other bytes may stand in a value."""
    assert not is_unsafe(bytes(byte for byte in range(256) if byte not in b"\r\n\0"))


def test_names_are_remembered_but_long_ones_are_not() -> None:
    """The memory of header names is right, bounded, and not for names that an app makes up."""
    kinds = HeaderKinds()
    assert [kinds(b"Set-Cookie"), kinds(b"Set-Cookie"), kinds(b"etag")] == [1, 1, 0]
    assert kinds(b"x-" + b"a" * 63) == PLAIN
    assert kinds(b"set-cookie" + b" " * 55) == SET_COOKIE
    assert len(kinds.memo) == 2
    for number in range(3000):
        assert kinds(b"x-%d" % number) == PLAIN
    assert len(kinds.memo) <= 1024


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([(b"a", b"1")], [(b"a", b"1")]),
        ([("a", "1")], [(b"a", b"1")]),
        ([("a", "\xe9")], [(b"a", b"\xe9")]),
        ([(bytearray(b"a"), memoryview(b"1"))], [(b"a", b"1")]),
        ([[b"a", b"1"]], [(b"a", b"1")]),
        ([("a", "\u20ac"), (b"b", b"2")], [(b"b", b"2")]),
        ([(b"a", 1), (None, b"2"), (b"c", b"3")], [(b"c", b"3")]),
        ([(b"a",), (b"a", b"1", b"2"), 7, (b"c", b"3")], [(b"c", b"3")]),
        (iter([(b"a", b"1")]), [(b"a", b"1")]),
        ([], []),
    ],
)
def test_headers_of_other_types_become_bytes_or_are_left_out(
    headers: Iterable[tuple[object, object]], expected: list[tuple[bytes, bytes]]
) -> None:
    """Text, bytearrays and memoryviews are read; what cannot be a header never leaves."""
    assert as_bytes(headers) == expected


def test_a_subclass_of_bytes_becomes_plain_bytes() -> None:
    """What reaches the server is of the exact type that it may insist on."""

    class Special(bytes):
        pass

    ((name, value),) = as_bytes([(Special(b"a"), Special(b"1"))])
    assert (type(name), name, type(value), value) == (bytes, b"a", bytes, b"1")


def test_the_app_sees_one_cookie_field_and_nothing_that_is_dropped() -> None:
    """In whatever letter case; all other fields stay as they are, in their order."""
    headers = [
        (b"host", b"a"),
        (b"Cookie", b"x=1"),
        (b"If-None-Match", b"y"),
        (b"cookie", b"z=1"),
        (b"accept", b"*"),
    ]
    cookie, rest = (b"Cookie", b"x=2"), (b"accept", b"*")
    assert with_cookie(headers, b"x=2") == [headers[0], cookie, headers[2], rest]
    assert with_cookie(headers, b"", (b"if-none-match",)) == [headers[0], rest]
