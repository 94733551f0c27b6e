"""What eleven Python servers put on the wire for odd header names and values."""

from __future__ import annotations

from typing import NamedTuple

from consentgate.core.cookies import stored_names
from consentgate.core.headers import SET_COOKIE, UNSAFE, is_unsafe, kind_of
from core.samples import NOW, ask, cookie_of, forward, make_gate
from vectors import public
from vectors.public import needed

pytestmark = needed


class Case(NamedTuple):
    """The one header an app sent through a server, and the lines that a client received."""

    server: str
    case: str
    name: bytes
    value: bytes
    received: list[bytes]


def cases() -> list[Case]:
    return [
        Case(
            one["server"],
            one["case"],
            bytes.fromhex(one["app_name_hex"]),
            bytes.fromhex(one["app_value_hex"]),
            received(bytes.fromhex(one["wire_lines_hex"])),
        )
        for one in public.load("server_emissions")["cases"]
    ]


def received(wire: bytes) -> list[bytes]:
    """Split as browsers do: LF ends a field, and in Chromium CR alone does too."""
    return [line for line in wire.replace(b"\r", b"\n").split(b"\n") if line]


def cookie_in(line: bytes) -> bytes | None:
    """The value of a Set-Cookie field; Chromium allows white space before its colon."""
    name, colon, value = line.partition(b":")
    return value if colon and name.strip().lower() == b"set-cookie" else None


def test_every_server_and_every_case_is_there() -> None:
    """Eleven servers, 27 headers each."""
    assert len({case.server for case in cases()}) == 11
    assert len({case.case for case in cases()}) == 27
    assert len(cases()) == 297


def test_what_reached_a_client_as_a_cookie_was_seen_as_one() -> None:
    """Or was dropped as unsafe: no server makes a Set-Cookie of what we take for another header."""
    missed = []
    count = 0
    for case in cases():
        cookies = [line for line in case.received if cookie_in(line) is not None]
        count += len(cookies)
        seen = kind_of(case.name) in (SET_COOKIE, UNSAFE) or is_unsafe(case.value)
        if cookies and not seen:
            missed.append(case)
    assert missed == []
    assert count > 150


def test_the_name_that_reached_the_client_is_among_those_we_read() -> None:
    """A server may trim or re-encode the value: its new name was foreseen, or nothing leaves."""
    missed = []
    for case in cases():
        if kind_of(case.name) != SET_COOKIE or is_unsafe(case.value):
            continue
        names = stored_names(case.value)
        for line in case.received:
            on_the_wire = cookie_in(line)
            if names is not None and on_the_wire is not None:
                name = on_the_wire.partition(b";")[0].partition(b"=")[0].strip(b" \t")
                if name not in names:
                    missed.append((case, name))
    assert missed == []


def test_no_server_lets_a_refused_cookie_out_behind_the_gate() -> None:
    """Each header through the gate of a newcomer: none that could be a cookie is left."""
    gate = make_gate()
    for case in cases():
        finish = forward(gate, ask()).finish([(case.name, case.value)], NOW)
        left = [one for one in finish.headers if one == (case.name, case.value)]
        assert left == []


def test_a_necessary_cookie_in_the_same_disguise_passes_where_it_is_readable() -> None:
    """The gate is strict about what a header is, not about who wrote it."""
    gate = make_gate()
    for case in cases():
        value = case.value.replace(b"_ga", b"sid")
        finish = forward(gate, ask(cookie=cookie_of())).finish([(case.name, value)], NOW)
        kept = (case.name, value) in finish.headers
        names = stored_names(value)
        assert kept is (
            kind_of(case.name) == SET_COOKIE and names is not None and names <= {b"sid"}
        )
