"""Which values the keys of [consent] may have, one by one and together."""

from __future__ import annotations

from typing import Any

import pytest

from consentgate import Policy
from consentgate.config.checks import setting_faults


def faulty(**fields: Any) -> set[str]:
    """Return the fields at fault in a policy with these settings."""
    return {str(fault.path[0]) for fault in setting_faults(Policy(**{"version": "1", **fields}))}


GOOD: dict[str, list[Any]] = {
    "prefix": ["/_gate", "/a/b-c", "/~x.y", "/.hidden", "/...", "/1"],
    "cookie": ["gate", "my.gate", "a" * 64, "__gate"],
    "domain": ["", "shop.example", ".shop.example", "SHOP.example", "x"],
    "secret_env": ["KEY", "key", "_K1", "SHOP_" * 10 + "KEY"],
    "version": ["1", "2026-11", "Frühling", "v 2"],
    "exclude": [(), ("/",), ("/a*",), ("/*/hook",), ("/ü b",)],
    "accepted_for": [1, 400 * 86_400],
    "refused_for": [1, 400 * 86_400],
    "mirror": ["", "public.cookie.choice", "any text"],
}
BAD: dict[str, list[Any]] = {
    "prefix": [
        "",
        "/",
        "gate",
        "/gate/",
        "//gate",
        "/a//b",
        "/a b",
        "/ü",
        "/..",
        "/.",
        "/a/../b",
        "/a/.",
        "/a?b",
        "/a#b",
        "/a%41",
        "/gate\n",
        "/*",
        "https://x.example/gate",
    ],
    "cookie": [
        "",
        "a b",
        "a;b",
        "a=b",
        "ü",
        "a" * 65,
        "gate\n",
        '"gate"',
        "__Host-gate",
        "__host-gate",
        "__Secure-gate",
        "__Http-x",
    ],
    "domain": [
        ".",
        "a..b",
        "a.",
        "*.a.example",
        "a.example:80",
        "ü.example",
        "https://a.example",
        "a.example/x",
        "a.example\n",
        "a;b",
    ],
    "secret_env": ["", "A-B", "1A", "A B", "A,B", "SCHLÜSSEL", "A\n"],
    "version": ["", " ", "\n\t"],
    "exclude": [(value,) for value in ("", "a", "*", "/*", "/**", "/*/", "/a?x=1", "/a#b", "/a\n")],
    "site": [
        "shop.example",
        "//shop.example",
        "ftp://shop.example",
        "https://",
        "https://a b",
        "https://ü.example",
        "https://a/",
        "https://a.example:",
        "https://a.example:x",
        "https://a..b",
    ],
    "origins": [
        (value,)
        for value in (
            "",
            "null",
            "*",
            "https://*.a.example",
            "https://a/b",
            "https://u:p@a.example",
            "https://a.example\n",
        )
    ],
    "accepted_for": [0, -1, 400 * 86_400 + 1],
    "refused_for": [0, -1, 400 * 86_400 + 1],
    "mode": ["", "Enforce", "enforce ", "off"],
    "unknown": ["", "deny", "BLOCK"],
    "same_site": ["", "Lax", "LAX", "no"],
}


def each(table: dict[str, list[Any]]) -> list[tuple[str, Any]]:
    return [(field, value) for field, values in table.items() for value in values]


@pytest.mark.parametrize(("field", "value"), each(GOOD))
def test_a_good_value_is_taken(field: str, value: object) -> None:
    """What people write, and the edges of what they may."""
    assert faulty(**{field: value}) == set()


@pytest.mark.parametrize(("field", "value"), each(BAD))
def test_a_bad_value_is_refused(field: str, value: object) -> None:
    """Each at its own field, and at no other."""
    assert faulty(**{field: value}) == {field}


@pytest.mark.parametrize(
    ("fields", "at_fault"),
    [
        ({"same_site": "none", "secure": True}, set()),
        ({"same_site": "none", "secure": False}, {"same_site"}),
        ({"same_site": "strict", "secure": False}, set()),
        ({"site": "https://shop.example", "secure": True}, set()),
        ({"site": "http://shop.example", "secure": True}, {"secure"}),
        ({"site": "http://shop.example", "secure": False}, set()),
        ({"site": "http://localhost:8000", "secure": True}, set()),
        ({"site": "http://shop.localhost", "secure": True}, set()),
        ({"site": "http://127.0.0.1:8000", "secure": True}, set()),
        ({"site": "https://shop.example", "domain": "shop.example"}, set()),
        ({"site": "https://WWW.shop.example:8443", "domain": ".SHOP.example"}, set()),
        ({"site": "https://shop.example", "domain": "www.shop.example"}, {"domain"}),
        ({"site": "https://myshop.example", "domain": "shop.example"}, {"domain"}),
        ({"site": "https://shop.example", "domain": "example.net"}, {"domain"}),
        ({"domain": "example.net"}, set()),
    ],
)
def test_values_that_would_lose_the_consent_cookie_are_refused(
    fields: dict[str, Any], at_fault: set[str]
) -> None:
    """Browsers would not keep it, and the visitor would be asked on every page."""
    assert faulty(**fields) == at_fault
