"""What a visitor asks for in the body of `POST choice`."""

from __future__ import annotations

import pytest

from consentgate.core.wish import FORM, JSON, BadWish, Wish, media_type, read_wish


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        (b"application/json", JSON),
        (b"Application/JSON; charset=utf-8", JSON),
        (b"application/x-www-form-urlencoded;charset=UTF-8", FORM),
        (b" application/json ", JSON),
        (b"", b""),
        (None, b""),
        (b"multipart/form-data; boundary=x", b"multipart/form-data"),
    ],
)
def test_a_media_type_has_no_parameters(header: bytes | None, kind: bytes) -> None:
    """Case and parameters do not matter."""
    assert media_type(header) == kind


@pytest.mark.parametrize(
    ("body", "wish"),
    [
        (b"action=accept", Wish(action="accept")),
        (b"action=reject&next=%2Fshop%3Fa%3D1", Wish(action="reject", next="/shop?a=1")),
        (b"action=save", Wish(action="save")),
        (
            b"action=save&grant=a&grant=b&grant=a",
            Wish(action="save", grant=frozenset({"a", "b"})),
        ),
        (b"action=withdraw&next=&csrf=x", Wish(action="withdraw")),
        (b"action=save&grant=caf%C3%A9", Wish(action="save", grant=frozenset({"café"}))),
        (b"grant=a+b&action=save", Wish(action="save", grant=frozenset({"a b"}))),
    ],
)
def test_a_form_is_read(body: bytes, wish: Wish) -> None:
    """`action`, `grant` as often as wanted, and `next`; other fields are nobody's business."""
    assert read_wish(body, FORM) == wish


@pytest.mark.parametrize(
    ("body", "wish"),
    [
        (b'{"action":"accept"}', Wish(action="accept")),
        (b'{"action":"save","grant":[]}', Wish(action="save")),
        (
            b'{"action":"save","grant":["a","b"],"next":"/x","more":1}',
            Wish(action="save", grant=frozenset({"a", "b"}), next="/x"),
        ),
        (
            '{"action":"save","grant":["café"]}'.encode(),
            Wish(action="save", grant=frozenset({"café"})),
        ),
    ],
)
def test_json_is_read(body: bytes, wish: Wish) -> None:
    """The same three fields, `grant` as an array."""
    assert read_wish(body, JSON) == wish


ACTIONS = "The action must be one of: accept, reject, save, withdraw."


@pytest.mark.parametrize(
    ("kind", "body", "sentence"),
    [
        (FORM, b"", ACTIONS),
        (FORM, b"action=", ACTIONS),
        (FORM, b"action=Accept", ACTIONS),
        (FORM, b"action=accept ", ACTIONS),
        (FORM, b"grant=analytics", ACTIONS),
        (FORM, b'{"action":"accept"}', ACTIONS),
        (FORM, b"action=reject&action=accept", "The field action was sent more than once."),
        (FORM, b"action=accept&next=/a&next=/b", "The field next was sent more than once."),
        (FORM, b"action=accept\xff", "The body is not UTF-8."),
        (FORM, b"action=%ff", "The form cannot be read."),
        (FORM, b"a&" * 300, "The form cannot be read."),
        (JSON, b"", "The body is not JSON."),
        (JSON, b"action=accept", "The body is not JSON."),
        (JSON, b"\xef\xbb\xbf{}", "The body is not JSON."),
        (JSON, b"\xff", "The body is not UTF-8."),
        (JSON, b"[" * 4096, "The body is not JSON."),
        (JSON, b'{"a":' * 800, "The body is not JSON."),
        (JSON, b"1" * 4096, None),
        (JSON, b"[]", "The body must be a JSON object."),
        (JSON, b'"accept"', "The body must be a JSON object."),
        (JSON, b"null", "The body must be a JSON object."),
        (JSON, b"{}", "The fields action and next must be strings."),
        (JSON, b'{"action":null}', "The fields action and next must be strings."),
        (JSON, b'{"action":["accept"]}', "The fields action and next must be strings."),
        (JSON, b'{"action":"accept","next":1}', "The fields action and next must be strings."),
        (JSON, b'{"action":"accept","next":null}', "The fields action and next must be strings."),
        (JSON, b'{"action":"x"}', ACTIONS),
        (
            JSON,
            b'{"action":"save","grant":"analytics"}',
            "The field grant must be an array of category ids.",
        ),
        (
            JSON,
            b'{"action":"save","grant":{"analytics":true}}',
            "The field grant must be an array of category ids.",
        ),
        (
            JSON,
            b'{"action":"save","grant":[["analytics"]]}',
            "The field grant must be an array of category ids.",
        ),
        (
            JSON,
            b'{"action":"save","grant":null}',
            "The field grant must be an array of category ids.",
        ),
        (
            JSON,
            b'{"action":"reject","action":"accept"}',
            "A field was sent more than once.",
        ),
        (
            JSON,
            b'{"action":"save","grant":[],"grant":["a"]}',
            "A field was sent more than once.",
        ),
    ],
)
def test_what_cannot_be_read_is_told_in_one_sentence(
    kind: bytes, body: bytes, sentence: str | None
) -> None:
    """Every bad body is a BadWish whose text may be shown; none is an error of ours."""
    with pytest.raises(BadWish) as problem:
        read_wish(body, kind)
    assert sentence in (None, str(problem.value))
    assert str(problem.value).endswith(".")
