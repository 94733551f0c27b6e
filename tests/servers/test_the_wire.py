"""Behind every server the gate's word holds on the wire: no `_ga`, however the app wrote it.

Servers trim, fold, split and re-encode headers after the last middleware has seen them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from servers.running import SERVERS, Server, cookies_in, exchange, running

# Headers as an app may write them, each of which some server turns into a cookie `_ga`, or into
# one whose name nobody can be sure of.
ODD_HEADERS: dict[str, list[tuple[bytes, bytes]]] = {
    "as usual": [(b"set-cookie", b"_ga=1; Path=/")],
    "mixed case": [(b"Set-Cookie", b"_ga=1")],
    "upper case": [(b"SET-COOKIE", b"_ga=1")],
    "two headers": [(b"set-cookie", b"_ga=1"), (b"Set-Cookie", b"_ga_2=1")],
    "space before the name": [(b" set-cookie", b"_ga=1")],
    "space after the name": [(b"set-cookie ", b"_ga=1")],
    "tab after the name": [(b"set-cookie\t", b"_ga=1")],
    "vertical tab after the name": [(b"set-cookie\x0b", b"_ga=1")],
    "file separator before the name": [(b"\x1cset-cookie", b"_ga=1")],
    "no-break space after the name": [(b"set-cookie\xa0", b"_ga=1")],
    "colon in the name": [(b"set-cookie: _ga=1; x", b"1")],
    "colon and space in the name": [(b"Set-Cookie : _ga=1; x", b"1")],
    "CRLF in the name": [(b"x-a: 1\r\nset-cookie", b"_ga=1")],
    "LF in the name": [(b"x-a:1\nset-cookie", b"_ga=1")],
    "CR in the name": [(b"x-a:1\rset-cookie", b"_ga=1")],
    "CRLF in another header": [(b"x-a", b"1\r\nSet-Cookie: _ga=1")],
    "LF in another header": [(b"x-a", b"1\nSet-Cookie: _ga=1")],
    "CR in another header": [(b"x-a", b"1\rSet-Cookie: _ga=1")],
    "CRLF in an allowed cookie": [(b"set-cookie", b"session=2\r\nSet-Cookie: _ga=2")],
    "LF in an allowed cookie": [(b"set-cookie", b"session=2\nSet-Cookie: _ga=2")],
    "CR in an allowed cookie": [(b"set-cookie", b"session=2\rSet-Cookie: _ga=2")],
    "a blank line in a header": [(b"x-a", b"1\r\n\r\nSet-Cookie: _ga=1")],
    "NUL in the value": [(b"set-cookie", b"_ga=1\x00; x")],
    "a deletion after LF": [(b"set-cookie", b"_ga=1\n; Max-Age=0")],
    "a deletion after CR": [(b"set-cookie", b"_ga=1\r; Max-Age=0")],
    "folded": [(b"set-cookie", b"a=1;\r\n _ga=1")],
    "space before the value": [(b"set-cookie", b"  _ga=1")],
    "space after the value": [(b"set-cookie", b"_ga=1   ")],
    "tab before the value": [(b"set-cookie", b"\t_ga=1")],
    "vertical tab before the value": [(b"set-cookie", b"\x0b_ga=1")],
    "form feed before the value": [(b"set-cookie", b"\x0c_ga=1")],
    "no-break space before the value": [(b"set-cookie", b"\xa0_ga=1")],
    "next line before the value": [(b"set-cookie", b"\x85_ga=1")],
    "DEL in the cookie's name": [(b"set-cookie", b"_ga\x7f=1")],
    "tab in the cookie's name": [(b"set-cookie", b"_ga\tx=1")],
    "latin-1 in the cookie's name": [(b"set-cookie", b"_ga\xe9=1")],
    "UTF-8 in the cookie's name": [(b"set-cookie", b"_ga\xc3\xa9=1")],
    "no name": [(b"set-cookie", b"=_ga=1")],
    "no equals sign": [(b"set-cookie", b"_ga")],
    "nothing at all": [(b"set-cookie", b"")],
    "two in one": [(b"set-cookie", b"a=1, _ga=1")],
}
ORDINARY = b"session=1"
HANDSHAKE = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)


def _vectors() -> dict[str, list[tuple[bytes, bytes]]]:
    """The public cases, or nothing where they are not at hand."""
    folder = os.environ.get("CONSENTGATE_VECTORS", Path(__file__).parents[3] / "shared/vectors")
    file = Path(folder) / "server_emissions.json"
    if not file.exists():
        pytest.skip("the public vectors are not at hand: set CONSENTGATE_VECTORS to their folder")
    return {
        case["case"]: [(bytes.fromhex(case["app_name_hex"]), bytes.fromhex(case["app_value_hex"]))]
        for case in json.loads(file.read_text())["cases"]
    }


@pytest.fixture(scope="module", params=SERVERS, ids=lambda server: server.name)
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, int]]:
    """A running server and its port; the tests of one server follow one another."""
    server: Server = request.param
    if server.missing():
        pytest.skip(f"not installed: {', '.join(server.missing())}")
    with running(server, tmp_path_factory.mktemp("log") / server.name) as port:
        yield server, port


def _target(start: str, headers: list[tuple[bytes, bytes]]) -> str:
    return "/".join([start, *(f"{name.hex()}:{value.hex()}" for name, value in headers), ""])


def test_without_the_gate_the_cookie_leaves(served: tuple[Server, int]) -> None:
    """The app does what its address says: ungated, the same server sends `_ga`."""
    _, port = served
    received = exchange(port, _target("/plain", ODD_HEADERS["two headers"]))
    assert cookies_in(received) == [b"_ga=1", b"_ga_2=1", ORDINARY]


def test_no_odd_header_gets_past_the_gate(served: tuple[Server, int]) -> None:
    """The ordinary session cookie reaches the wire, and of all the odd ones not a byte."""
    _, port = served
    found = {}
    for title, headers in ODD_HEADERS.items():
        received = exchange(port, _target("/gated", headers))
        found[title] = (received.split(b" ")[1], cookies_in(received), b"_ga" in received)
    assert found == dict.fromkeys(ODD_HEADERS, (b"200", [ORDINARY], False))


def test_no_public_case_gets_past_the_gate(served: tuple[Server, int]) -> None:
    """The same for the public record of what servers do to headers."""
    _, port = served
    cases = _vectors()
    found = {}
    for title, headers in cases.items():
        received = exchange(port, _target("/gated", headers))
        found[title] = (received.split(b" ")[1], cookies_in(received), b"_ga" in received)
    assert found == dict.fromkeys(cases, (b"200", [ORDINARY], False))


def test_a_choice_over_the_wire_lets_the_cookie_out(served: tuple[Server, int]) -> None:
    """Accepting by form gives a consent cookie, with which `_ga` leaves byte for byte."""
    _, port = served
    form = "application/x-www-form-urlencoded"
    answer = exchange(
        port,
        "/_gate/choice",
        f"Origin: http://127.0.0.1:{port}",
        f"Content-Type: {form}",
        body="action=accept",
    )
    assert answer.split(b" ")[1] == b"303", answer
    choice, _ = cookies_in(answer)
    cookie = choice.partition(b";")[0].decode()
    line = b"_ga=1; Path=/; Max-Age=60"
    received = exchange(port, _target("/gated", [(b"sEt-CoOkIe", line)]), f"Cookie: {cookie}")
    assert cookies_in(received) == [line, ORDINARY]
    assert received.endswith(b"page")


def test_headers_that_can_be_read_once_are_read_once(served: tuple[Server, int]) -> None:
    """An ASGI app's header generator reaches every server as a list, daphne included."""
    server, port = served
    if server.is_asgi:
        target = _target("/gated/generator", ODD_HEADERS["as usual"])
        assert cookies_in(exchange(port, target)) == [ORDINARY]


def test_a_websocket_handshake_is_gated(served: tuple[Server, int]) -> None:
    """On the 101 of a WebSocket the session cookie leaves, `_ga` does not."""
    server, port = served
    if not server.is_asgi:
        return
    found = {}
    for start in ("/plain", "/gated"):
        received = exchange(port, _target(start, ODD_HEADERS["mixed case"]), *HANDSHAKE)
        found[start] = (received.split(b" ")[1], cookies_in(received))
    # Daphne and granian send none of an app's headers with a 101.
    lines = [] if server.name in ("daphne", "granian-asgi") else [b"_ga=1", ORDINARY]
    assert found == {"/plain": (b"101", lines), "/gated": (b"101", lines[1:])}
