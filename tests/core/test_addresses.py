"""Where the gate's own pages are for a browser, and where a choice leads back to."""

from __future__ import annotations

from typing import Any

import pytest

from consentgate.core.addresses import base_of, kept, query_of, this_page
from core.samples import ask, make_gate

SITE = make_gate().site


@pytest.mark.parametrize(
    ("how", "next", "base"),
    [
        ({"path": "/cart", "query": b"a=1&b=%2F"}, "/cart?a=1&b=%2F", "/_gate"),
        ({"path": "/shop/cart", "root": "/shop"}, "/shop/cart", "/shop/_gate"),
        ({"path": "/cart", "root": "/shop"}, "/shop/cart", "/shop/_gate"),
        ({"path": "/a b?c#d%", "root": "/é"}, "/%C3%A9/a%20b%3Fc%23d%25", "/%C3%A9/_gate"),
        ({"path": "//evil.example"}, "", "/_gate"),
        ({"path": "/\\evil.example"}, "/%5Cevil.example", "/_gate"),
        ({"path": "/x", "query": b"\xff\x00"}, "/x?%FF%00", "/_gate"),
        ({"path": "/x", "query": "a=é&b=%C3%A9".encode()}, "/x?a=%C3%A9&b=%C3%A9", "/_gate"),
        ({"path": "/x", "root": "//evil.example/"}, "", "/evil.example/_gate"),
        ({"path": "/x", "method": "POST"}, "", "/_gate"),
    ],
)
def test_addresses_are_those_that_browsers_ask_for(
    how: dict[str, Any], next: str, base: str
) -> None:
    """Of this host whatever a proxy says; and no page to go back to is what a form was sent to."""
    request = ask(**how)
    assert (this_page(request), base_of(request, SITE)) == (next, base)


@pytest.mark.parametrize(
    ("query", "fields", "language"),
    [
        (b"", {}, ""),
        (b"lang=de&next=%2Fa&lang=fr", {"lang": "de", "next": "/a"}, "?lang=de"),
        (b"lang=%22%3E%3Cb%3E", {"lang": '"><b>'}, "?lang=%22%3E%3Cb%3E"),
        (b"lang=" + b"x" * 99, {"lang": "x" * 99}, "?lang=" + "x" * 35),
        (b"&".join([b"a=1"] * 201), {}, ""),
        (b"next=\xff", {"next": "\xff"}, ""),
    ],
)
def test_a_query_is_read_once_and_its_language_is_kept(
    query: bytes, fields: dict[str, str], language: str
) -> None:
    """The first of each name; of more fields than a link has, none; no language of any length."""
    request = ask(query=query)
    assert (query_of(request), kept(request)) == (fields, language)
