"""The gate's own cookie: its name, its attributes, and where the development form is in force."""

from __future__ import annotations

import pytest

from consentgate.core.cookies import is_deletion
from consentgate.core.own_cookie import (
    OwnCookie,
    host_name,
    host_of,
    in_development,
    is_loopback,
    parent_domains,
)
from consentgate.core.policy import Policy
from core.samples import NOW, ask

GONE = b"=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT"


def own(secure: bool = True, domain: str = "", **policy: str) -> OwnCookie:
    return OwnCookie(Policy(version="1", domain=domain, **policy), secure=secure, domain=domain)


@pytest.mark.parametrize(
    ("cookie", "line"),
    [
        (own(), b"__Host-gate=T; Max-Age=60; Path=/; Secure; HttpOnly; SameSite=Lax"),
        (own(secure=False), b"gate=T; Max-Age=60; Path=/; HttpOnly; SameSite=Lax"),
        (
            own(domain="shop.example"),
            b"gate=T; Max-Age=60; Path=/; Domain=shop.example; Secure; HttpOnly; SameSite=Lax",
        ),
        (
            own(domain="Shop.Example"),
            b"gate=T; Max-Age=60; Path=/; Domain=shop.example; Secure; HttpOnly; SameSite=Lax",
        ),
        (
            own(same_site="strict"),
            b"__Host-gate=T; Max-Age=60; Path=/; Secure; HttpOnly; SameSite=Strict",
        ),
        (
            own(same_site="none"),
            b"__Host-gate=T; Max-Age=60; Path=/; Secure; HttpOnly; SameSite=None",
        ),
        (
            own(secure=False, same_site="none"),
            b"gate=T; Max-Age=60; Path=/; HttpOnly; SameSite=Lax",
        ),
        (
            own(cookie="choice"),
            b"__Host-choice=T; Max-Age=60; Path=/; Secure; HttpOnly; SameSite=Lax",
        ),
    ],
)
def test_the_consent_cookie_is_as_strict_as_its_place_allows(
    cookie: OwnCookie, line: bytes
) -> None:
    """`__Host-`, Secure, HttpOnly, Lax and Path=/, unless a domain or plain http forbids it."""
    assert cookie.line(b"T", 60) == line


def test_its_removal_has_the_attributes_it_was_stored_with() -> None:
    """A browser deletes only what has the same name, domain and path."""
    assert own().removal() == b"__Host-gate" + GONE + b"; Path=/; Secure; HttpOnly; SameSite=Lax"
    removal = own(domain="shop.example").removal()
    assert removal == (
        b"gate" + GONE + b"; Path=/; Domain=shop.example; Secure; HttpOnly; SameSite=Lax"
    )
    assert is_deletion(removal, NOW)


def test_duplicates_are_removed_under_every_form_but_ours() -> None:
    """Of several, the others can only be host-only, of a parent domain, or partitioned."""
    assert own().removals_elsewhere("www.shop.example") == [
        b"__Host-gate" + GONE + b"; Path=/; Secure; HttpOnly; Partitioned"
    ]
    assert own(secure=False).removals_elsewhere("a.localhost:8000") == [
        b"gate" + GONE + b"; Path=/; Domain=a.localhost; HttpOnly"
    ]
    assert own(domain="shop.example").removals_elsewhere("www.shop.example") == [
        b"gate" + GONE + b"; Path=/; Secure; HttpOnly",
        b"gate" + GONE + b"; Path=/; Domain=www.shop.example; Secure; HttpOnly",
    ]
    assert own(domain=".shop.example").removals_elsewhere("a.shop.example") == [
        b"gate" + GONE + b"; Path=/; Secure; HttpOnly",
        b"gate" + GONE + b"; Path=/; Domain=a.shop.example; Secure; HttpOnly",
    ]
    assert own(secure=False).removals_elsewhere("localhost") == []


@pytest.mark.parametrize(
    ("host", "domains"),
    [
        ("shop.example", ["shop.example"]),
        ("www.shop.example:8443", ["www.shop.example", "shop.example"]),
        ("A.B.example", ["a.b.example", "b.example"]),
        ("localhost", []),
        ("127.0.0.1:80", []),
        ("[::1]:8000", []),
        ("", []),
        ("a b.example", []),
        ("x;y.example", []),
        ("a.b.c.d.e.f.g.example", ["a.b.c.d.e.f.g.example"[2 * at :] for at in range(2, 7)]),
        ("a_b.shop.example", ["a_b.shop.example", "shop.example"]),
        ("a..example", []),
        ("a" * 260 + ".example", []),
    ],
)
def test_the_domains_a_cookie_could_have_are_the_host_and_its_parents(
    host: str, domains: list[str]
) -> None:
    """Down to two labels, five at most, and none for an address or for what is no host name."""
    assert parent_domains(host) == domains


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("Shop.Example", "shop.example"),
        ("shop.example:8000", "shop.example"),
        ("[::1]:8000", "::1"),
        ("[::1]", "::1"),
        ("", ""),
    ],
)
def test_a_hosts_name_has_no_port(host: str, name: str) -> None:
    """Lower case, without brackets and port."""
    assert host_name(host) == name


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True),
        ("localhost:8000", True),
        ("LOCALHOST", True),
        ("localhost.", True),
        ("shop.localhost:3000", True),
        ("testserver", True),
        ("127.0.0.1", True),
        ("127.0.0.1:8000", True),
        ("127.8.9.10", True),
        ("[::1]", True),
        ("[::1]:8000", True),
        ("", False),
        ("shop.example", False),
        ("localhost.example", False),
        ("notlocalhost", False),
        ("testserver.example", False),
        ("127.0.0.1.example", False),
        ("127.example", False),
        ("127.0.0", False),
        ("127.0.0.x", False),
        ("128.0.0.1", False),
        ("10.0.0.1", False),
        ("0.0.0.0", False),
        ("[::2]", False),
        ("[::ffff:127.0.0.1]", False),
    ],
)
def test_a_loopback_host_is_known_by_its_name(host: str, loopback: bool) -> None:
    """localhost and what lies below it, 127/8, ::1, and httpx's testserver."""
    assert is_loopback(host) is loopback


@pytest.mark.parametrize(
    ("headers", "host"),
    [
        ([(b"host", b"shop.example")], "shop.example"),
        ([], ""),
        ([(b"host", b"a"), (b"host", b"b")], ""),
        ([(b"host", b"caf\xe9.example")], ""),
    ],
)
def test_a_host_that_is_missing_repeated_or_odd_is_no_host(
    headers: list[tuple[bytes, bytes]], host: str
) -> None:
    """What cannot be believed is left out."""
    assert host_of(ask(host=None, headers=headers)) == host


@pytest.mark.parametrize("scheme", ["http", "ws"])
@pytest.mark.parametrize("host", [b"localhost:8000", b"127.0.0.1", b"testserver", b"[::1]:80"])
def test_plain_http_on_this_machine_is_development(scheme: str, host: bytes) -> None:
    """There `Secure` would lose the cookie in test clients."""
    assert in_development(ask(host=host, scheme=scheme))


@pytest.mark.parametrize(
    ("host", "scheme", "header"),
    [
        (b"localhost", "https", None),
        (b"localhost", "wss", None),
        (b"shop.example", "http", None),
        (None, "http", None),
        *(
            (b"localhost", "http", name)
            for name in (
                b"forwarded",
                b"via",
                b"x-forwarded-for",
                b"x-forwarded-host",
                b"x-forwarded-proto",
                b"X-Forwarded-Port",
                b"x-forwarded-server",
                b"X-Real-IP",
                b"cf-connecting-ip",
                b"true-client-ip",
            )
        ),
    ],
)
def test_anything_else_is_production(host: bytes | None, scheme: str, header: bytes | None) -> None:
    """TLS, another host, or any sign of a proxy: what looks local need not be."""
    headers = [] if header is None else [(header, b"1")]
    assert not in_development(ask(host=host, scheme=scheme, headers=headers))
