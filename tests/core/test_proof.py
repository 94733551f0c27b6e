"""Was this asked for by a page of the site itself? And is this path one of the site's?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from consentgate.core.http import Header
from consentgate.core.policy import Policy
from consentgate.core.proof import (
    MAX_NEXT,
    is_same_origin,
    listed_origin,
    origin_of,
    page_before,
    safe_next,
)
from core.samples import FORM, POLICY, ask, make_gate, reply

ORIGINS = ("https://app.example", "http://localhost:3000")
BARE = replace(POLICY, origins=ORIGINS)
SITED = replace(POLICY, origins=ORIGINS, site="https://shop.example")


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://shop.example", ("https", "shop.example")),
        ("HTTPS://Shop.Example", ("https", "shop.example")),
        ("https://shop.example:443", ("https", "shop.example")),
        ("http://shop.example:80", ("http", "shop.example")),
        ("http://shop.example:443", ("http", "shop.example:443")),
        ("https://shop.example:8443", ("https", "shop.example:8443")),
        ("https://[::1]:8443", ("https", "[::1]:8443")),
        ("null", None),
        ("", None),
        ("shop.example", None),
        ("//shop.example", None),
        ("https://", None),
        ("https://shop.example/", None),
        ("https://shop.example/path", None),
        ("https://user@shop.example", None),
        ("ftp://shop.example", None),
        ("file://", None),
        ("chrome-extension://abcdef", None),
    ],
)
def test_an_origin_is_scheme_host_and_port(text: str, origin: tuple[str, str] | None) -> None:
    """http or https, lower case, the default port left out; anything else is no origin."""
    assert origin_of(text) == origin


# What the browser sent: Sec-Fetch-Site and Origin. Then whether it is proof where the policy knows
# no `site` (the host asked for counts), and whether it is where `site` is https://shop.example.
PROOFS: list[tuple[tuple[str, ...], tuple[str, ...], bool, bool]] = [
    # Nothing, or only one of the two.
    ((), (), False, False),
    (("same-origin",), (), True, True),
    (("same-site",), (), False, False),
    (("cross-site",), (), False, False),
    (("none",), (), False, False),
    (("",), (), False, False),
    (("Same-Origin",), (), False, False),
    (("same-origin, same-origin",), (), False, False),
    (("same-origin;x",), (), False, False),
    (("same-origin", "same-origin"), (), False, False),
    (("same-origin", "cross-site"), (), False, False),
    ((), ("https://shop.example",), True, True),
    ((), ("HTTPS://SHOP.EXAMPLE",), True, True),
    ((), ("https://shop.example:443",), True, True),
    ((), ("https://shop.example:8443",), False, False),
    ((), ("http://shop.example",), False, False),
    ((), ("https://www.shop.example",), False, False),
    ((), ("https://shop.example.evil.example",), False, False),
    ((), ("https://evil-shop.example",), False, False),
    ((), ("https://evil.example",), False, False),
    ((), ("https://shop.example/",), False, False),
    ((), ("https://shop.example/path",), False, False),
    ((), ("https://evil@shop.example",), False, False),
    ((), ("https://shop.example@evil.example",), False, False),
    ((), ("https://shop.example ",), False, False),
    ((), (" https://shop.example",), False, False),
    ((), ("https://shop.example, https://shop.example",), False, False),
    ((), ("https://shop.example", "https://shop.example"), False, False),
    ((), ("https://shop.example", "https://evil.example"), False, False),
    ((), ("null",), False, False),
    ((), ("",), False, False),
    ((), ("shop.example",), False, False),
    ((), ("//shop.example",), False, False),
    ((), ("https:shop.example",), False, False),
    ((), ("https://sh\xf6p.example",), False, False),
    # Both: an Origin of ours is proof whatever stands beside it, since no page can forge it.
    (("same-origin",), ("https://shop.example",), True, True),
    (("same-origin",), ("null",), True, True),
    (("same-site",), ("https://shop.example",), True, True),
    (("none",), ("https://shop.example",), True, True),
    (("cross-site",), ("https://evil.example",), False, False),
    (("same-site",), ("https://www.shop.example",), False, False),
    (("cross-site",), ("null",), False, False),
    (("none",), ("null",), False, False),
    # The policy's own `origins`.
    (("cross-site",), ("https://app.example",), True, True),
    ((), ("https://app.example",), True, True),
    ((), ("https://app.example:443",), True, True),
    ((), ("http://localhost:3000",), True, True),
    ((), ("http://app.example",), False, False),
    ((), ("https://app.example:8443",), False, False),
    ((), ("https://x.app.example",), False, False),
    ((), ("http://localhost:3001",), False, False),
    ((), ("https://app.example", "https://app.example"), False, False),
]


def proof_headers(sites: tuple[str, ...], origins: tuple[str, ...]) -> list[Header]:
    return [(b"sec-fetch-site", site.encode("latin-1")) for site in sites] + [
        (b"Origin", origin.encode("latin-1")) for origin in origins
    ]


@pytest.mark.parametrize(("sites", "origins", "bare", "sited"), PROOFS)
def test_granting_needs_proof_of_a_same_origin_act(
    sites: tuple[str, ...], origins: tuple[str, ...], bare: bool, sited: bool
) -> None:
    """Fetch Metadata, else the Origin of the site, of the host where no site is set, or of ours."""
    request = ask("POST", headers=proof_headers(sites, origins))
    assert is_same_origin(request, BARE) is bare
    assert is_same_origin(request, SITED) is sited


@pytest.mark.parametrize(("sites", "origins", "bare", "sited"), PROOFS)
def test_the_gate_accepts_with_proof_and_rejects_without(
    sites: tuple[str, ...], origins: tuple[str, ...], bare: bool, sited: bool
) -> None:
    """The same table over HTTP: accepting gives 303 or 403, rejecting is always done."""
    request = ask("POST", "/_gate/choice", headers=[FORM, *proof_headers(sites, origins)])
    for policy, proven in ((BARE, bare), (SITED, sited)):
        gate = make_gate(origins=policy.origins, site=policy.site)
        accepted = reply(gate, request, b"action=accept")
        assert accepted.response.status == (303 if proven else 403)
        assert (accepted.receipt is not None) is proven
        assert any(name == b"set-cookie" for name, _ in accepted.response.headers) is proven
        assert reply(gate, request, b"action=reject").response.status == 303
        assert reply(gate, request, b"action=withdraw").response.status == 303


@pytest.mark.parametrize(
    ("scheme", "host", "site", "origin", "proven"),
    [
        # Behind a proxy that ends TLS the app sees http.
        ("http", "shop.example", "", "https://shop.example", True),
        ("http", "shop.example", "", "http://shop.example", True),
        ("http", "shop.example:80", "", "http://shop.example", True),
        ("http", "shop.example:80", "", "https://shop.example", False),
        ("https", "shop.example:443", "", "https://shop.example", True),
        ("https", "SHOP.example", "", "https://shop.example", True),
        ("http", "127.0.0.1:8000", "", "http://127.0.0.1:8000", True),
        ("http", "127.0.0.1:8000", "", "http://127.0.0.1:9000", False),
        ("http", "127.0.0.1:8000", "", "http://localhost:8000", False),
        ("http", "[::1]:8000", "", "http://[::1]:8000", True),
        # A page over http never speaks for https.
        ("https", "shop.example", "", "http://shop.example", False),
        # A proxy changed the host: `site` does not change.
        ("http", "internal:8000", "https://shop.example", "https://shop.example", True),
        ("http", "internal:8000", "https://shop.example", "http://internal:8000", False),
        ("http", "internal:8000", "", "https://shop.example", False),
        # Somebody else's host, with an Origin to match, is not the site.
        ("https", "evil.example", "https://shop.example", "https://evil.example", False),
    ],
)
def test_the_site_is_what_the_policy_says_else_the_host_asked_for(
    scheme: str, host: str, site: str, origin: str, proven: bool
) -> None:
    """`site` is the public address; without it the Host header and its scheme must match."""
    request = ask("POST", scheme=scheme, host=host.encode(), headers=[(b"origin", origin.encode())])
    assert is_same_origin(request, Policy(version="1", site=site)) is proven


@pytest.mark.parametrize("hosts", [[], [b"shop.example", b"shop.example"], [b"sh\xf6p.example"]])
def test_a_request_without_a_believable_host_proves_nothing_by_origin(hosts: list[bytes]) -> None:
    """Host missing, repeated or not ASCII: no Origin equals it."""
    headers = [(b"host", host) for host in hosts]
    request = ask("POST", host=None, headers=[*headers, (b"origin", b"https://shop.example")])
    assert not is_same_origin(request, POLICY)


@pytest.mark.parametrize(
    ("origin", "listed"),
    [
        (b"https://app.example", True),
        (b"HTTPS://app.example:443", True),
        (b"https://shop.example", False),
        (b"null", False),
        (b"*", False),
    ],
)
def test_a_listed_origin_comes_back_as_it_was_sent(origin: bytes, listed: bool) -> None:
    """CORS wants the very text of the Origin header; any other origin is None."""
    request = ask(headers=[(b"origin", origin)])
    assert listed_origin(request, SITED) == (origin if listed else None)
    assert listed_origin(ask(), SITED) is None


# --- next ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "location"),
    [
        ("/", "/"),
        ("/shop", "/shop"),
        ("/shop/", "/shop/"),
        ("/shop?a=1&b=2", "/shop?a=1&b=2"),
        ("/shop#top", "/shop#top"),
        ("/a//b", "/a//b"),
        ("/a:b@c", "/a:b@c"),
        ("/?next=https://evil.example/", "/?next=https://evil.example/"),
        ("/?//evil.example", "/?//evil.example"),
        ("/#//evil.example", "/#//evil.example"),
        ("/%2Fevil.example", "/%2Fevil.example"),
        ("/%2f%2fevil.example", "/%2f%2fevil.example"),
        ("/%5Cevil.example", "/%5Cevil.example"),
        ("/%0d%0aSet-Cookie:x=1", "/%0d%0aSet-Cookie:x=1"),
        ("/%00", "/%00"),
        ("/.", "/."),
        ("/..", "/.."),
        ("/..//evil.example", "/..//evil.example"),
        ("/.//evil.example", "/.//evil.example"),
        ("/ /evil.example", "/%20/evil.example"),
        ("/a b", "/a%20b"),
        ("/caf\xe9", "/caf%C3%A9"),
        ("/\xa0/x", "/%C2%A0/x"),
        ("/\x85/x", "/%C2%85/x"),
        ("/\u3000/x", "/%E3%80%80/x"),
        ("/\u2028x", "/%E2%80%A8x"),
        ("/\uff0f\uff0fevil.example", "/%EF%BC%8F%EF%BC%8Fevil.example"),
        ("/\uff3cevil.example", "/%EF%BC%BCevil.example"),
        ("/\u2215evil.example", "/%E2%88%95evil.example"),
        ('/<script>"', "/%3Cscript%3E%22"),
        ("/{x}|^`", "/%7Bx%7D%7C%5E%60"),
        ("/javascript:alert(1)", "/javascript:alert(1)"),
        ("/http://evil.example", "/http://evil.example"),
        ("/@evil.example", "/@evil.example"),
        ("/shop;v=1", "/shop;v=1"),
        ("/" + "a" * (MAX_NEXT - 1), "/" + "a" * (MAX_NEXT - 1)),
    ],
)
def test_a_path_of_this_site_is_a_safe_next(text: str, location: str) -> None:
    """One path, with query and fragment, quoted so that it is plain ASCII."""
    assert safe_next(text) == location
    assert location.isascii()


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "shop",
        "./shop",
        "../shop",
        "?a=1",
        "#top",
        "//",
        "//evil.example",
        "//evil.example/shop",
        "///evil.example",
        "////evil.example",
        "//@evil.example",
        "//user:pass@evil.example",
        "//[::1]",
        "//evil\x00.example",
        "/\\",
        "/\\evil.example",
        "/\\/evil.example",
        "/\\\\evil.example",
        "\\",
        "\\/evil.example",
        "\\\\evil.example",
        "/shop\\..\\evil",
        "/shop?x=\\",
        "http:",
        "http:/evil.example",
        "http:evil.example",
        "http://evil.example",
        "https://evil.example",
        "HTTPS://evil.example",
        "https:\\\\evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "mailto:x@y.example",
        "x:/shop",
        " /shop",
        " //evil.example",
        "\t/shop",
        "\n/shop",
        "\x00/shop",
        "\u3000//evil.example",
        "\xa0/shop",
        "\ufeff/shop",
        "/\t/evil.example",
        "/\n/evil.example",
        "/\r/evil.example",
        "/\r\n/evil.example",
        "/shop\r\nSet-Cookie: _ga=1",
        "/shop\nx",
        "/shop\x00",
        "/shop\x7f",
        "/\x0b",
        "/\x1f",
        "/shop\t",
        "%2F%2Fevil.example",
        "%2Fshop",
        "\uff0f\uff0fevil.example",
        "\u2215shop",
        "/shop\ud800",
        "/\udfff",
        "/" + "a" * MAX_NEXT,
        "/" + "\xe9" * 400,
        "/" + " " * 700,
    ],
)
def test_anything_else_is_no_safe_next(text: str) -> None:
    """Schemes, `//host`, any backslash, control characters, and what is too long."""
    assert safe_next(text) is None


@pytest.mark.parametrize(
    ("referer", "path"),
    [
        (b"https://shop.example/cart?x=1", "/cart?x=1"),
        (b"https://SHOP.example/cart", "/cart"),
        (b"http://shop.example/cart", "/cart"),
        (b"https://shop.example/cart#top", "/cart"),
        (b"https://shop.example/caf\xe9", "/caf%C3%A9"),
        (b"https://shop.example", None),
        (b"https://shop.example//evil.example", None),
        (b"https://shop.example/\\evil.example", None),
        (b"https://evil.example/cart", None),
        (b"https://shop.example:8443/cart", None),
        (b"https://shop.example@evil.example/", None),
        (b"https://user@shop.example/cart", None),
        (b"/cart", None),
        (b"//shop.example/cart", "/cart"),
        (b"https://[shop.example/cart", None),
        (b"about:blank", None),
        (b"", None),
        (b"\xff\x00", None),
    ],
)
def test_the_page_before_is_one_of_this_site(referer: bytes, path: str | None) -> None:
    """The Referer's path where its host is ours; else nobody knows."""
    assert page_before(ask(headers=[(b"referer", referer)])) == path


def test_no_or_two_referers_are_no_page() -> None:
    """Without a Referer, or with several, there is no page to go back to."""
    assert page_before(ask()) is None
    assert page_before(ask(headers=[(b"referer", b"https://shop.example/a")] * 2)) is None
