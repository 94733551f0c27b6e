"""Requests and responses in neutral words."""

from __future__ import annotations

import pytest

from consentgate.core.http import Request, Response


def test_header_names_are_found_in_any_case_and_in_order() -> None:
    """Every value of a header comes back in the order received, whatever the name's case."""
    request = Request(
        "GET", "/", headers=[(b"Cookie", b"a=1"), (b"host", b"x"), (b"COOKIE", b"b=2")]
    )
    assert request.values(b"cookie") == [b"a=1", b"b=2"]
    assert request.values(b"host") == [b"x"]
    assert request.values(b"origin") == []


def test_a_single_header_is_one_sent_exactly_once() -> None:
    """A header sent twice is as good as none where one is expected: which one would be a guess."""
    request = Request("GET", "/", headers=[(b"host", b"a"), (b"origin", b"x"), (b"Origin", b"y")])
    assert request.single(b"host") == b"a"
    assert request.single(b"origin") is None
    assert request.single(b"referer") is None


@pytest.mark.parametrize(
    ("root", "path", "local"),
    [
        ("", "/_gate/state", "/_gate/state"),
        ("/", "/_gate/state", "/_gate/state"),
        ("/shop", "/shop/_gate/state", "/_gate/state"),
        ("/shop", "/_gate/state", "/_gate/state"),
        ("/shop/", "/shop/_gate/state", "/_gate/state"),
        ("/shop", "/shop", ""),
        ("/shop", "/shop/", "/"),
        ("/shop", "/shopping", "/shopping"),
        ("/shop", "/", "/"),
        ("/a/b", "/a/b/c", "/c"),
        ("/caf\xe9", "/caf\xe9/x", "/x"),
    ],
)
def test_the_path_inside_a_mount_is_found_in_both_forms(root: str, path: str, local: str) -> None:
    """Servers disagree on whether the path includes the mount: both forms are understood."""
    assert Request("GET", path, root).local_path() == local


def test_a_request_shows_no_header() -> None:
    """A request's repr holds its method and path, never a cookie."""
    request = Request("POST", "/pay", headers=[(b"cookie", b"sid=secret")])
    assert repr(request) == "Request('POST', '/pay')"


def test_a_response_is_status_headers_and_body() -> None:
    """A response is a plain tuple that both shells can take apart, and shows no header."""
    response = Response(204, [(b"set-cookie", b"gate=secret")], b"")
    assert tuple(response) == (204, [(b"set-cookie", b"gate=secret")], b"")
    assert repr(response) == "Response(204)"


def test_the_full_path_is_what_the_browser_asked_for() -> None:
    """Servers disagree on whether the path holds the mount; it is there once."""
    for path, root, full in (
        ("/cart", "", "/cart"),
        ("/cart", "/shop", "/shop/cart"),
        ("/shop/cart", "/shop", "/shop/cart"),
        ("/shopping", "/shop/", "/shop/shopping"),
    ):
        assert Request("GET", path, root).full_path() == full
