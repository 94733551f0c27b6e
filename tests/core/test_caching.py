"""Keep shared caches from handing one visitor's answer to another."""

from __future__ import annotations

import pytest

from consentgate.core.caching import FIELDS, for_one_visitor, keep_private, vary_on
from consentgate.core.http import Header


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([], [(b"vary", b"Cookie")]),
        ([(b"etag", b"x")], [(b"etag", b"x"), (b"vary", b"Cookie")]),
        ([(b"Vary", b"Accept")], [(b"Vary", b"Accept, Cookie")]),
        ([(b"vary", b"Cookie")], [(b"vary", b"Cookie")]),
        ([(b"VARY", b"cookie")], [(b"VARY", b"cookie")]),
        ([(b"vary", b"Accept,COOKIE")], [(b"vary", b"Accept,COOKIE")]),
        ([(b"vary", b"*")], [(b"vary", b"*")]),
        ([(b"vary", b"Accept, *")], [(b"vary", b"Accept, *")]),
        ([(b"vary", b"")], [(b"vary", b""), (b"vary", b"Cookie")]),
        ([(b"vary", b" "), (b"vary", b"A")], [(b"vary", b" "), (b"vary", b"A, Cookie")]),
        (
            [(b"vary", b"A"), (b"x", b"y"), (b"Vary", b"B")],
            [(b"vary", b"A, B, Cookie"), (b"x", b"y")],
        ),
        ([(b"vary", b"A"), (b"vary", b"Cookie")], [(b"vary", b"A, Cookie")]),
        ([(b"vary ", b"A")], [(b"vary ", b"A, Cookie")]),
        ([(b"vary", b"X-Cookie")], [(b"vary", b"X-Cookie, Cookie")]),
    ],
)
def test_an_answer_varies_on_a_field_once(before: list[Header], after: list[Header]) -> None:
    """Vary gets the field unless it, or `*`, is there in any case, place or line."""
    given = list(before)
    assert vary_on(given, b"Cookie") == after
    assert given == before


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([], [(b"cache-control", b"private")]),
        ([(b"cache-control", b"max-age=60")], [(b"cache-control", b"max-age=60, private")]),
        ([(b"Cache-Control", b"public")], [(b"cache-control", b"private")]),
        (
            [(b"Cache-Control", b"public, max-age=60")],
            [(b"Cache-Control", b"max-age=60, private")],
        ),
        (
            [(b"cache-control", b"s-maxage=60, max-age=5")],
            [(b"cache-control", b"max-age=5, private")],
        ),
        (
            [(b"cache-control", b"S-MaxAge = 60, immutable")],
            [(b"cache-control", b"immutable, private")],
        ),
        ([(b"cache-control", b"private")], [(b"cache-control", b"private")]),
        ([(b"cache-control", b"Private, max-age=1")], [(b"cache-control", b"Private, max-age=1")]),
        ([(b"cache-control", b"no-store")], [(b"cache-control", b"no-store")]),
        ([(b"cache-control", b"no-cache")], [(b"cache-control", b"no-cache, private")]),
        ([(b"cache-control", b"public, no-store")], [(b"cache-control", b"no-store")]),
        (
            [(b"cache-control", b"public"), (b"cache-control", b"max-age=1")],
            [(b"cache-control", b"max-age=1, private")],
        ),
        (
            [(b"cache-control", b"max-age=1"), (b"x", b"y"), (b"cache-control", b"no-cache")],
            [
                (b"cache-control", b"max-age=1, private"),
                (b"x", b"y"),
                (b"cache-control", b"no-cache"),
            ],
        ),
        (
            [(b"cache-control", b'private="set-cookie"')],
            [(b"cache-control", b'private="set-cookie", private')],
        ),
        (
            [(b"cache-control", b'no-cache="a, public", public')],
            [(b"cache-control", b'no-cache="a, public", private')],
        ),
        ([(b"cache-control", b'ext="public')], [(b"cache-control", b'ext="public, private')]),
        ([(b"cache-control", b" , ")], [(b"cache-control", b"private")]),
        ([(b"cache-control", b'ext="a, public')], [(b"cache-control", b'ext="a, private')]),
        ([(b"cache-control", b'ext="a, private')], [(b"cache-control", b'ext="a, private')]),
    ],
)
def test_an_answer_is_kept_from_shared_caches(before: list[Header], after: list[Header]) -> None:
    """`private` is added, `public` and `s-maxage` go; `no-store` is stricter and stays."""
    given = list(before)
    assert keep_private(given) == after
    assert given == before


def test_an_answer_for_one_visitor_is_private_and_varies_on_its_cookies() -> None:
    """Both at once, at the end of what was there; nothing else is touched."""
    headers = [(b"Content-Type", b"text/html"), (b"ETag", b'"x"')]
    assert for_one_visitor(headers) == [
        *headers,
        (b"vary", b"Cookie"),
        (b"cache-control", b"private"),
    ]
    assert for_one_visitor(for_one_visitor(headers)) == for_one_visitor(headers)


@pytest.mark.parametrize("name", sorted(FIELDS - {b"vary", b"cache-control"}))
def test_what_only_shared_caches_heed_is_left_out(name: bytes) -> None:
    """They heed it more than Cache-Control: an answer for one visitor must not carry it."""
    headers = [(b"etag", b"x"), (name, b"max-age=600"), (name.upper() + b" ", b"60"), (b"x", b"y")]
    expected = [(b"etag", b"x"), (b"x", b"y"), (b"vary", b"Cookie"), (b"cache-control", b"private")]
    assert for_one_visitor(headers) == expected
    assert for_one_visitor(headers, [1, 2]) == expected


def test_knowing_the_places_changes_nothing() -> None:
    """The short way, by the places of the fields in question, gives the same answer."""
    headers = [
        (b"Cache-Control", b"public, max-age=60"),
        (b"x", b"y"),
        (b"Vary", b"Accept"),
        (b"vary", b"Origin"),
    ]
    assert for_one_visitor(headers, [0, 2, 3]) == for_one_visitor(headers)
    assert for_one_visitor(headers, [0, 1, 2, 3]) == for_one_visitor(headers)
    assert for_one_visitor(headers[1:2], []) == for_one_visitor(headers[1:2])
