"""TLS ends at nginx, and the site behind it speaks plain http: choices, deletions and attacks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from consentgate import Gate
from consentgate.testing import consent_cookie
from proxies.client import HOST, Answer, Client, deletes
from proxies.conftest import Certificate
from proxies.jar import Jar, Place
from proxies.nginx import Front, require_nginx, running
from proxies.site import POLICY, SHELLS, gate, served

SAME_ORIGIN = {"Origin": f"https://{HOST}"}
SESSION = b"sessionid=1"
ATTRIBUTES = b"; Path=/; Secure; HttpOnly; SameSite=Lax"
EVERYTHING = [
    b"_ga=1",
    b"_fbp=1",
    b"__Host-x=1; Path=/; Secure",
    b"__Secure-x=1; Secure",
    SESSION,
]


@pytest.fixture(scope="module", params=SHELLS)
def port(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    certificate: Certificate,
) -> Iterator[int]:
    """Where nginx ends TLS; the tests of one shell follow one another."""
    require_nginx()
    log: Path = tmp_path_factory.mktemp("log") / "gated"
    with ExitStack() as stack:
        upstream = stack.enter_context(served(request.param, "gated", log))
        front = Front(upstream, tls=certificate.file)
        yield stack.enter_context(running(front))[0]


@pytest.fixture
def client(port: int, certificate: Certificate) -> Iterator[Client]:
    """A browser's connection."""
    with Client(port, certificate.trust) as one:
        yield one


def choose(client: Client, form: str, jar: Jar, headers: dict[str, str] | None = None) -> Answer:
    answer = client.ask("/_gate/choice", cookies=[jar.header()], headers=headers, form=form)
    jar.follow(answer.lines)
    return answer


def is_choice(choice: bytes, told: bytes) -> bool:
    """Whether these lines set a choice, and tell scripts of it, as `__Host-` demands."""
    attributes = re.escape(ATTRIBUTES)
    readable = attributes.replace(rb";\ HttpOnly", b"")
    return bool(
        re.fullmatch(rb"__Host-gate=[\w.-]+; Max-Age=\d+" + attributes, choice)
        and re.fullmatch(rb"__Host-gate-choice=[\w.&=-]+; Max-Age=\d+" + readable, told)
    )


def test_accepting_behind_tls(client: Client) -> None:
    """The choice is `__Host-gate` with all that its prefix demands, and lets every cookie out."""
    jar = Jar(secure=True)
    answer = choose(client, "action=accept&next=/live", jar, SAME_ORIGIN)
    assert (answer.status, answer.header("Location")) == (303, "/live")
    assert is_choice(*answer.lines)
    assert client.ask("/live", cookies=[jar.header()]).lines == EVERYTHING


def test_rejecting_behind_tls(client: Client) -> None:
    """A refusal needs no proof, is `__Host-gate` too, and lets only what is necessary out."""
    jar = Jar(secure=True)
    answer = choose(client, "action=reject", jar)
    assert answer.status == 303
    assert is_choice(*answer.lines)
    assert client.ask("/live", cookies=[jar.header()]).lines == [SESSION]


def test_withdrawing_behind_tls(client: Client) -> None:
    """After a yes is taken back the jar is empty, and every cookie stays inside again."""
    jar = Jar(secure=True)
    choose(client, "action=accept", jar, SAME_ORIGIN)
    assert jar.names() == {b"__Host-gate", b"__Host-gate-choice"}
    assert choose(client, "action=withdraw", jar).status == 303
    assert jar.names() == set()
    assert client.ask("/live").lines == [SESSION]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.test"},
        {"Origin": "https://shop.test"},
        {"Origin": f"https://{HOST}.evil.test"},
        {"Origin": "null"},
        {"Origin": f"http://{HOST}", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://evil.test", "X-Forwarded-Host": "evil.test"},
        {"Origin": "https://evil.test", "Forwarded": "host=evil.test"},
    ],
    ids=lambda headers: " ".join(headers.values()) or "nothing",
)
def test_nobody_else_accepts_behind_tls(client: Client, headers: dict[str, str]) -> None:
    """Without a proof that a page of the site asks, nothing is granted and no cookie is sent."""
    answer = choose(client, "action=accept", Jar(secure=True), headers)
    assert (answer.status, answer.lines) == (403, [])


def test_what_was_refused_is_deleted_behind_tls(client: Client) -> None:
    """Each deletion is one that a browser obeys: Secure where the cookie's prefix asks for it."""
    jar = Jar(secure=True)
    choose(client, "action=reject", jar)
    for name in (b"_ga", b"_fbp", b"__Host-x", b"__Secure-x", b"sessionid"):
        jar.cookies[Place(name)] = b"1"
    lines: list[bytes] = []
    for _ in range(2):  # four names in five forms are more than one answer takes
        lines += client.ask("/headers/0", cookies=[jar.header()]).lines
        jar.follow(lines)
    assert jar.names() == {b"__Host-gate", b"__Host-gate-choice", b"sessionid"}
    for line in lines:
        if line.startswith(b"__"):
            assert b"; Secure" in line
        if line.startswith(b"__Host-"):
            assert b"; Path=/" in line
            assert b"Domain" not in line


def test_what_was_refused_is_hidden_behind_tls(client: Client) -> None:
    """The app sees its session and nothing that was refused, whatever the prefix."""
    jar = Jar(secure=True)
    choose(client, "action=reject", jar)
    for name in (b"_ga", b"_fbp", b"__Host-x", b"__Secure-x", b"sessionid"):
        jar.cookies[Place(name)] = b"1"
    seen = client.ask("/seen", cookies=[jar.header()]).body
    assert {part.partition("=")[0] for part in seen.split("; ")} == {
        "__Host-gate",
        "__Host-gate-choice",
        "sessionid",
    }


# --- attacks -------------------------------------------------------------------------------------

OTHER = Gate(POLICY, [b"another key of more than thirty-two bytes, not the site's"])


def _token(signer: Gate, *granted: str) -> bytes:
    (value,) = consent_cookie(signer, *granted, secure=True).values()
    return value.encode()


def _hostile() -> dict[str, list[bytes]]:
    """Cookie headers, none of which says yes: each is a list of lines."""
    yes = _token(gate(), "analytics", "marketing")
    no = _token(gate())
    forged = _token(OTHER, "analytics", "marketing")
    body, _, signature = yes.rpartition(b".")
    # The last character of a signature has bits to spare; its first has none.
    flipped = body + b"." + (b"B" if signature[:1] == b"A" else b"A") + signature[1:]
    held = b"; _ga=1; _fbp=1; __Host-x=1; __Secure-x=1; sessionid=1"
    name = b"__Host-gate="
    odd = bytes(byte for byte in range(0x20, 0x100) if byte != 0x7F) + b"\t"
    return {
        "nothing": [held[2:]],
        "forged with another key": [name + forged + held],
        "a bit flipped": [name + flipped + held],
        "cut short": [name + yes[:-4] + held],
        "without its signature": [name + body + held],
        "twice in one": [name + yes + yes + held],
        "in quotes": [name + b'"' + yes + b'"' + held],
        "percent-encoded": [name + b"".join(b"%%%02X" % byte for byte in yes) + held],
        "another name in front": [b"x=" + name + yes + held],
        "no name in front": [b"=" + name + yes + held],
        "under the development name": [b"gate=" + yes + held],
        "under the name of the other prefix": [b"__Secure-gate=" + yes + held],
        "under its name in lower case": [b"__host-gate=" + yes + held],
        "a no-break space before the name": [b"\xa0" + name + yes + held],
        "a no-break space in UTF-8 before the name": [b"\xc2\xa0" + name + yes + held],
        "a tab before the name": [b"x=1;\t" + name + flipped + held],
        "a refusal among forgeries": [name + forged + b"; " + name + no + b"; " + name + flipped],
        "forged thirty times": [b"; ".join([name + forged] * 30) + held],
        "a yes among thirty": [b"; ".join([name + no] * 29 + [name + yes]) + held],
        "two lines": [name + forged, held[2:]],
        "empty": [b""],
        "only separators": [b"; ;;  ; =; ==; =;"],
        "every byte in a value": [b"a=" + odd + held],
        "every byte in a name": [b"_ga" + odd + b"=1" + held],
        "every byte as a cookie": [b"; ".join(bytes([byte]) for byte in odd) + held],
        "every byte after a refused name": [
            b"; ".join(b"_ga" + bytes([byte]) + b"=1" for byte in odd)
        ],
        "a name of 7 KB": [b"n" * 7_000 + b"=1" + held],
        "a refused name of 7 KB": [b"stray_" + b"n" * 7_000 + b"=1" + held],
        "a refused value of 7 KB": [b"_ga=" + b"v" * 7_000],
        "150 cookies": [b"; ".join(b"_ga_%d=1" % number for number in range(150)) + held],
        "700 cookies": [b"; ".join(b"_ga%d=1" % number for number in range(700))],
        "150 cookies of one name": [b"; ".join([b"_ga=1"] * 150) + held],
        "quotes and commas": [b'_ga="a, b; c=d, _fbp=e; sessionid="f' + held],
        "attributes as cookies": [b"Path=/; Domain=evil.test; Max-Age=9; Secure; _ga; HttpOnly"],
        "an end of line, encoded": [b"_ga%0d%0aSet-Cookie: _ga=1" + held],
        "an end of line in Unicode": ["_ga\u2028Set-Cookie: _ga=1\u0085x".encode() + held],
        "lone surrogates": [b"_ga\xed\xa0\x80=1; \xed\xb2\x80_ga=1" + held],
    }


@pytest.mark.parametrize("lines", _hostile().values(), ids=_hostile())
def test_hostile_cookies_through_tls(client: Client, lines: list[bytes]) -> None:
    """Every page is answered, and none stores anything but the app's session or measures."""
    for path in ("/live", "/headers/3500", "/reads/fresh/0", "/_gate/state", "/_gate/"):
        answer = client.ask(path, cookies=lines, headers={"X-Visitor": "hostile"})
        assert answer.status == 200
        jar = Jar(secure=True)
        jar.follow(answer.lines)
        choices = [jar.cookies.pop(Place(b"__Host-gate"), None)]
        assert jar.names() <= ({b"sessionid"} if path == "/live" else set())
        assert [granted(value) for value in choices if value] in ([], [frozenset()])
        assert "not measured" in answer.body or not path.startswith("/reads")


def granted(value: bytes) -> frozenset[str]:
    """Return what a consent cookie of the site allows."""
    consent = gate().site.tokens.read(value)
    assert consent is not None
    return consent.granted


CONTROLS = [byte for byte in range(0x20) if byte not in b"\t\n\r"] + [0x7F]


@pytest.mark.parametrize("byte", CONTROLS, ids="{:02x}".format)
def test_control_bytes_through_tls(client: Client, byte: int) -> None:
    """Whether the proxy, the server or the gate refuses them, it is the sender's mistake."""
    odd = bytes([byte])
    for line in (b"_ga" + odd + b"=1", b"_ga=1" + odd, odd + b"_ga=1", b"a=1;" + odd + b"; _ga=1"):
        answer = client.ask("/live", cookies=[line])
        assert answer.status in (200, 400)
        assert [one for one in answer.lines if not deletes(one)] in ([], [SESSION])
