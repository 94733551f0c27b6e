"""The wire grammar: Set-Cookie and Cookie as browsers read them."""

from __future__ import annotations

from calendar import timegm

import pytest

from consentgate.core import cookies
from consentgate.core.cookies import (
    canonical_deletion,
    deletion,
    has_control,
    is_deletion,
    join_fields,
    parse_date,
    stored_names,
    within_caps,
)
from core.samples import NOW, TODAY

CONTROLS = [bytes([byte]) for byte in (*range(0x20), 0x7F)]
PAST = b"Thu, 01 Jan 1970 00:00:00 GMT"


# --- names --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "names"),
    [
        (b"_ga=1", {b"_ga"}),
        (b"_ga=1; Path=/; Secure; HttpOnly", {b"_ga"}),
        (b"_ga=", {b"_ga"}),
        (b"_ga=a=b=c", {b"_ga"}),
        (b"  _ga  =  1", {b"_ga"}),
        (b"x _ga=1", {b"x _ga"}),
        (b"a=1, _ga=2", {b"a"}),
        (b"ok, _ga=1", {b"ok, _ga"}),
        (b"ok=1; _ga=2", {b"ok"}),
        (b"Max-Age=0; _ga=1", {b"Max-Age"}),
        (b"Path=/; Secure", {b"Path"}),
        (b"a[b]=1", {b"a[b]"}),
        (b"pvc_visits[0]=1", {b"pvc_visits[0]"}),
        (b"lightstep_guid/medium-web=1", {b"lightstep_guid/medium-web"}),
        (b"a@b=1", {b"a@b"}),
        (b"a{b}=1", {b"a{b}"}),
        (b"%5Fga=1", {b"%5Fga"}),
        (b"_GA=1", {b"_GA"}),
        (b"__Host-sid=1; Secure; Path=/", {b"__Host-sid"}),
        (b"Set-Cookie: _ga=1", {b"Set-Cookie: _ga"}),
    ],
)
def test_the_name_is_what_stands_before_the_first_equals_sign(
    line: bytes, names: set[bytes]
) -> None:
    """An ordinary line has one name: no comma splitting, no decoding, no case folding."""
    assert stored_names(line) == names


@pytest.mark.parametrize(
    ("line", "names"),
    [
        (b"_ga", {b"", b"_ga"}),
        (b"_ga; Path=/", {b"", b"_ga"}),
        (b" _ga ; Path=/", {b"", b"_ga"}),
        (b"=_ga", {b"", b"_ga"}),
        (b"=_ga=GA1", {b"", b"_ga"}),
        (b" = _ga =GA1", {b"", b"_ga"}),
        (b"==_ga=GA1", {b"", b"_ga"}),
        (b"=", {b""}),
        (b"", {b""}),
        (b"   ", {b""}),
        (b"; _ga=1", {b""}),
    ],
)
def test_a_nameless_cookie_counts_under_the_name_that_others_read(
    line: bytes, names: set[bytes]
) -> None:
    """Without `=` Firefox takes the token for a name, and WebKit sends `=_ga=1` as `_ga=1`."""
    assert stored_names(line) == names


@pytest.mark.parametrize(
    ("line", "names"),
    [
        (b'"_ga"=1', {b'"_ga"'}),
        (b'"a;_ga=1"; Path=/', {b"", b'"a', b'"a;_ga'}),
        (b'a";_ga=1', {b"", b'a"', b'a";_ga'}),
        (b'ok="x; Path=/"; _ga=1', {b"ok"}),
        (b'ok="', {b"ok"}),
    ],
)
def test_quotation_marks_are_read_both_ways(line: bytes, names: set[bytes]) -> None:
    """Safari protects a `;` between quotation marks, other browsers do not: both names count."""
    assert stored_names(line) == names


@pytest.mark.parametrize(
    ("line", "names"),
    [
        (b"caf\xe9=1", {b"", b"caf", b"caf\xe9", b"caf\xc3\xa9"}),
        (b"\xa0_ga=1", {b"", b"_ga", b"\xa0_ga", b"\xc2\xa0_ga"}),
        (b"\x85_ga=1", {b"", b"_ga", b"\x85_ga", b"\xc2\x85_ga"}),
        (b"_ga\xa0=1", {b"", b"_ga", b"_ga\xa0", b"_ga\xc2\xa0"}),
        (b"_ga=\xe9", {b"_ga"}),
        (b"\xff=1", {b"", b"\xff", b"\xc3\xbf"}),
    ],
)
def test_bytes_above_ascii_count_under_every_form_they_may_take_on_the_way(
    line: bytes, names: set[bytes]
) -> None:
    """Servers trim NBSP or re-encode latin-1, WebKitGTK stops there: each result is a name."""
    found = stored_names(line)
    assert found is not None
    assert names <= found


@pytest.mark.parametrize("control", CONTROLS)
@pytest.mark.parametrize("line", [b"_ga=1; Path=/", b"", b"=x"])
def test_a_control_byte_anywhere_makes_a_line_unreadable(line: bytes, control: bytes) -> None:
    """Every control byte, HTAB included, at every place: no browser's reading is safe to guess."""
    places = [line[:at] + control + line[at:] for at in range(len(line) + 1)]
    assert [stored_names(one) for one in places] == [None] * len(places)
    assert all(map(has_control, places))


def test_a_line_without_control_bytes_has_none() -> None:
    """Every other byte is readable."""
    assert not has_control(bytes(byte for byte in range(0x20, 0x100) if byte != 0x7F))


# --- deletions ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        b"_ga=; Max-Age=0",
        b"_ga=x; Max-Age=0",
        b'_ga=""; Max-Age=0; Path=/',
        b"_ga=; max-age=00",
        b"_ga=; MAX-AGE=-1",
        b"_ga=;Max-Age=0",
        b"_ga=;   max-age = 0 ; Path=/",
        b"_ga=; Max-Age=-86400; Secure; HttpOnly; SameSite=Lax; Partitioned",
        b"_ga=; Expires=" + PAST,
        b"_ga=; expires=" + PAST + b"; Path=/",
        b"_ga=; Expires=Thu, 01-Jan-1970 00:00:00 GMT",
        b"_ga=; Expires=Thu, 01-Jan-70 00:00:01 GMT",
        b"_ga=; Max-Age=0; Path=/; expires=Wed, 31-Dec-97 23:59:59 GMT",
        b'_ga=""; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=-1',
        b"_ga=; Max-Age=0; Expires=" + PAST,
        b"_ga=; Max-Age=0; Max-Age=0",
        b"_ga=1, x; Max-Age=0",
        b"a b=; Max-Age=0",
    ],
)
def test_what_every_browser_deletes_is_a_deletion(line: bytes) -> None:
    """Max-Age of zero or less, or an Expires in the past, in each form that frameworks write."""
    assert is_deletion(line, NOW)


@pytest.mark.parametrize(
    "line",
    [
        b"_ga=",
        b'_ga=""',
        b"_ga=1; Path=/",
        b"_ga=; Max-Age=1",
        b"_ga=; Max-Age=3600; Expires=" + PAST,
        b"_ga=; Expires=" + PAST + b"; Max-Age=999",
        b"_ga=1; Max-Age=0; Max-Age=x",
        b"_ga=1; Max-Age=x; Max-Age=0",
        b"_ga=1; Max-Age=0; Max-Age=60",
        b"_ga=1; Max-Age=60; Max-Age=0",
        b"_ga=1; Max-Age=0; Expires=Fri, 01 Jan 2038 00:00:00 GMT",
        b"_ga=1; Expires=" + PAST + b"; Expires=x",
        b"_ga=1; Expires=x; Expires=" + PAST,
        b"_ga=1; Max-Age=",
        b"_ga=1; Max-Age",
        b"_ga=1; Max-Age=+0",
        b"_ga=1; Max-Age=-",
        b"_ga=1; Max-Age=--1",
        b"_ga=1; Max-Age=-1abc",
        b"_ga=1; Max-Age=-0.5",
        b"_ga=1; Max-Age=-1_0",
        b"_ga=1; Max-Age=0.0",
        b'_ga=1; Max-Age="0"',
        b"_ga=1; Max-Age='0'",
        b"_ga=1; Max-Age=0x0",
        b"_ga=1; Max-Age=0,",
        b"_ga=1; Max-Age=0 0",
        b"_ga=1; Max-Age=0\xa0",
        b"_ga=1; Max-Age\xa0=0",
        b"_ga=1; Max-Age=\xd9\xa0",
        b"_ga=1; Max-Age=-" + b"9" * 1100,
        b"_ga=1; Expires=" + PAST + b" " * 1100 + b"x",
        b"_ga=1; Expires=",
        b"_ga=1; Expires",
        b"_ga=1; Expires=0",
        b"_ga=1; Expires=-1",
        b"_ga=1; Expires=1970-01-01T00:00:00Z",
        b"_ga=1; Expires=Thu, 01-Jan-69 00:00:00 GMT",
        b"_ga=1; Expires=Fri, 01 Jan 2038 00:00:00 GMT",
        b"_ga=1; XMax-Age=0",
        b"_ga=1; Max-Age2=0",
        b"_ga=Max-Age=0",
        b"_ga=1, Max-Age=0",
        b"Max-Age=0; _ga=1",
        b"Max-Age=0",
        b"Expires=" + PAST,
        b"_ga; Max-Age=0",
        b"=; Max-Age=0",
        b"=_ga; Max-Age=0",
        b" =_ga=1; Max-Age=0",
        b"; Max-Age=0",
        b"",
        b'_ga="x; Max-Age=0; y"',
        b'_ga=1; Path="/; Max-Age=0; x"',
        b'_ga=1; Max-Age=0; Path="/',
        b'_g"a=1; Max-Age=0; x"',
        b'"_ga"=1; Max-Age=0',
        b"_ga=1\n; Max-Age=0",
        b"_ga=1; Max-Age=0\r",
        b"_ga=1; Max-Age=0; \x00",
        b"_ga=1;\tMax-Age=0",
        b"caf\xe9=1; Max-Age=0",
    ],
)
def test_what_some_browser_may_store_is_no_deletion(line: bytes) -> None:
    """Anything that one browser could read otherwise is a cookie being set."""
    assert not is_deletion(line, NOW)


@pytest.mark.parametrize(
    ("late", "deletes"),
    [(-86_400, True), (-1, True), (0, True), (1, True), (2, False), (60, False)],
)
def test_an_expiry_of_just_now_deletes(late: int, deletes: bool) -> None:
    """Frameworks write "now" into Expires: a second of grace for clocks read a moment apart."""
    line = b"_ga=; Expires=Mon, 02 Nov 2026 00:01:00 GMT"
    assert is_deletion(line, TODAY + 60 - late) is deletes


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        (b"Thu, 01 Jan 1970 00:00:00 GMT", (1970, 1, 1, 0, 0, 0)),
        (b"Thursday, 01-Jan-1970 00:00:00 GMT", (1970, 1, 1, 0, 0, 0)),
        (b"Thu 01 Jan 1970 00:00:00 GMT", (1970, 1, 1, 0, 0, 0)),
        (b"01 Jan 1970 00:00:00 UTC", (1970, 1, 1, 0, 0, 0)),
        (b"1 Jan 1970 00:00:00 GMT", (1970, 1, 1, 0, 0, 0)),
        (b"Wed, 31-Dec-97 23:59:59 GMT", (1997, 12, 31, 23, 59, 59)),
        (b"Thu, 01-Jan-70 00:00:00 GMT", (1970, 1, 1, 0, 0, 0)),
        (b"Thu, 01-Jan-69 00:00:00 GMT", (2069, 1, 1, 0, 0, 0)),
        (b"Thu, 01-Jan-00 00:00:00 GMT", (2000, 1, 1, 0, 0, 0)),
        (b"Mon, 02 NOV 2026 12:00:00 GMT", (2026, 11, 2, 12, 0, 0)),
        (b"Tue, 28 Feb 2023 00:00:00 GMT", (2023, 2, 28, 0, 0, 0)),
        (b"Mon, 01 Jan 1601 00:00:00 GMT", (1601, 1, 1, 0, 0, 0)),
        (b"Fri, 31 Dec 9999 23:59:59 GMT", (9999, 12, 31, 23, 59, 59)),
    ],
)
def test_dates_that_all_browsers_read_alike_are_read(text: bytes, moment: tuple[int, ...]) -> None:
    """The forms that frameworks write, with two-digit years as RFC 6265bis reads them."""
    assert parse_date(text) == timegm((*moment, 0, 0, 0))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"0",
        b"-1",
        b"x",
        b"1970-01-01T00:00:00Z",
        b"Thu, 01 Jan 1970 00:00:00",
        b"Thu, 01 Jan 1970 00:00:00 +0000",
        b"Thu, 01 Jan 1970 00:00:00 PST",
        b"Thu, 01 Jan 1970 00:00:00 GMT ",
        b" Thu, 01 Jan 1970 00:00:00 GMT",
        b"Thu, 01 Jan 1970 0:0:0 GMT",
        b"Thu, 01 Jan 1970 24:00:00 GMT",
        b"Thu, 01 Jan 1970 00:60:00 GMT",
        b"Thu, 01 Jan 1970 00:00:60 GMT",
        b"Thu, 00 Jan 1970 00:00:00 GMT",
        b"Thu, 32 Jan 1970 00:00:00 GMT",
        b"Fri, 31 Apr 1970 00:00:00 GMT",
        b"Thu, 29 Feb 2018 00:00:00 GMT",
        b"Dec, 01 Mar 2028 00:00:00 GMT",
        b"Thu, 01st Jan 1970 00:00:00 GMT",
        b"Thu, 01 Jan 1970x 00:00:00 GMT",
        b"Thu, 01 Jan 970 00:00:00 GMT",
        b"Thu, 01 Jan 1 00:00:00 GMT",
        b"Sat, 01 Jan 1600 00:00:00 GMT",
        b"Sat, 01 Jan 0000 00:00:00 GMT",
        b"Thu, 01 Okt 1970 00:00:00 GMT",
        b"Thu, 01 January 1970 00:00:00 GMT",
        b"Do, 01 Jan 1970 00:00:00 GMT",
        b"Thu,  01 Jan 1970 00:00:00 GMT",
        b"Thu, 01/Jan/1970 00:00:00 GMT",
        "Thu, 0١ Jan 1970 00:00:00 GMT".encode(),
    ],
)
def test_dates_that_some_browser_reads_otherwise_are_not_read(text: bytes) -> None:
    """A date is read only where no browser refuses or shifts it."""
    assert parse_date(text) is None


# --- our own deletions --------------------------------------------------------------------------

DELETED = b"Max-Age=0; Expires=" + PAST


@pytest.mark.parametrize(
    ("line", "canonical"),
    [
        (b"_ga=; Max-Age=0", b"_ga=; " + DELETED),
        (b" _ga = x ; Max-Age=0; Path=/", b"_ga=; " + DELETED + b"; Path=/"),
        (b"_ga=; Max-Age=0; Path=/shop", b"_ga=; " + DELETED + b"; Path=/shop"),
        (b"_ga=; Max-Age=0; path=/a; PATH=/b", b"_ga=; " + DELETED + b"; Path=/b"),
        (b"_ga=; Max-Age=0; Path=", b"_ga=; " + DELETED),
        (b"_ga=; Max-Age=0; Path=shop", b"_ga=; " + DELETED),
        (b"_ga=; Max-Age=0; Path=/a; Path=/" + b"x" * 1024, b"_ga=; " + DELETED + b"; Path=/a"),
        (b"_ga=; Max-Age=0; Domain=.shop.example", b"_ga=; " + DELETED + b"; Domain=.shop.example"),
        (b"_ga=; Max-Age=0; Domain=", b"_ga=; " + DELETED),
        (b"_ga=; Max-Age=0; Secure=false", b"_ga=; " + DELETED + b"; Secure"),
        (b"_ga=; Max-Age=0; httponly=no", b"_ga=; " + DELETED + b"; HttpOnly"),
        (b"_ga=; Max-Age=0; Partitioned", b"_ga=; " + DELETED + b"; Secure; Partitioned"),
        (b"_ga=; Max-Age=0; SameSite=LAX", b"_ga=; " + DELETED + b"; SameSite=Lax"),
        (b"_ga=; Max-Age=0; SameSite=strict", b"_ga=; " + DELETED + b"; SameSite=Strict"),
        (b"_ga=; Max-Age=0; SameSite=None", b"_ga=; " + DELETED),
        (
            b"_ga=; Max-Age=0; SameSite=None; Secure",
            b"_ga=; " + DELETED + b"; Secure; SameSite=None",
        ),
        (b"_ga=; Max-Age=0; SameSite=x", b"_ga=; " + DELETED),
        (b"_ga=; Max-Age=0; Priority=High", b"_ga=; " + DELETED),
        (b"_ga=; Expires=" + PAST + b"; Path=/", b"_ga=; " + DELETED + b"; Path=/"),
        (
            b"_ga=; Max-Age=-1; Path=/a; Domain=x.example; Secure; HttpOnly; SameSite=Lax",
            b"_ga=; " + DELETED + b"; Path=/a; Domain=x.example; Secure; HttpOnly; SameSite=Lax",
        ),
        (b"__Host-a=; Max-Age=0", b"__Host-a=; " + DELETED + b"; Path=/; Secure"),
        (
            b"__host-a=; Max-Age=0; Path=/x; Domain=y.example",
            b"__host-a=; " + DELETED + b"; Path=/; Secure",
        ),
        (b"__Secure-a=; Max-Age=0; Path=/", b"__Secure-a=; " + DELETED + b"; Path=/; Secure"),
        (b"__Http-a=; Max-Age=0", b"__Http-a=; " + DELETED + b"; Secure; HttpOnly"),
        (
            b"__Host-Http-a=; Max-Age=0",
            b"__Host-Http-a=; " + DELETED + b"; Path=/; Secure; HttpOnly",
        ),
    ],
)
def test_a_deletion_is_rewritten_so_that_every_browser_deletes(
    line: bytes, canonical: bytes
) -> None:
    """Name, Path, Domain and flags are kept; what the name's prefix demands is added."""
    assert is_deletion(line, NOW)
    assert canonical_deletion(line) == canonical
    assert is_deletion(canonical, NOW)
    assert canonical_deletion(canonical) == canonical


def test_a_deletion_is_for_the_whole_host_unless_said_otherwise() -> None:
    """A deletion written from a name alone has Path=/ and nothing else."""
    assert deletion(b"_ga") == b"_ga=; " + DELETED + b"; Path=/"


# --- the Cookie header --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "joined"),
    [([b"a=1"], b"a=1"), ([b"a=1", b"b=2"], b"a=1; b=2"), ([b"a=1", b"", b"b"], b"a=1; ; b")],
)
def test_several_cookie_fields_are_one_header(fields: list[bytes], joined: bytes) -> None:
    """HTTP/2 sends one field per cookie: joined with `; `, as RFC 9113 8.2.3 asks."""
    assert join_fields(fields) == joined


def test_the_caps_are_64_kib_and_512_cookies() -> None:
    """The cap itself is within; one more is not."""
    assert within_caps(b"x" * 65_536)
    assert not within_caps(b"x" * 65_537)
    assert within_caps(b";".join([b"a=1"] * 512))
    assert not within_caps(b";".join([b"a=1"] * 513))
    assert (cookies.MAX_COOKIE_BYTES, cookies.MAX_COOKIE_PAIRS) == (65_536, 512)
