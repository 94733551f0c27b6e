"""Visitors' bytes, and the app's, never raise; and whatever we answer with is safe to send."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from consentgate.core.cookies import (
    CONTROLS,
    canonical_deletion,
    deletion,
    has_control,
    is_deletion,
    parse_date,
    stored_names,
    within_caps,
)
from consentgate.core.decision import printable
from consentgate.core.gate import Forward, Gate, NeedBody, Reply
from consentgate.core.headers import UNSAFE, as_bytes, is_unsafe, kind_of
from consentgate.core.http import Header, Request
from consentgate.core.own_cookie import is_loopback, parent_domains
from consentgate.core.proof import origin_of, page_before, safe_next
from consentgate.core.wish import FORM, JSON, BadWish, read_wish
from core.samples import NOW, ask, forward, fresh_id, make_gate
from property.strategies import (
    GATE,
    TOKENS,
    any_bytes,
    any_text,
    bodies,
    cookie_headers,
    nexts,
    requests,
    response_headers,
    set_cookie_lines,
)

GATES = [
    make_gate(),
    make_gate(
        origins=("https://app.example",),
        site="https://shop.example",
        exclude=("/webhooks/*",),
        unknown="allow",
    ),
    make_gate(mode="report", domain="shop.example", secure=False),
]


@given(set_cookie_lines)
def test_any_set_cookie_line_can_be_read(line: bytes) -> None:
    """Names or None, a deletion or not: every line has an answer."""
    names = stored_names(line)
    assert (names is None) is has_control(line)
    assert names is None or names
    if is_deletion(line, NOW):
        assert names is not None
        assert len(names) == 1


@given(set_cookie_lines, any_bytes)
def test_any_line_can_be_rewritten(line: bytes, name: bytes) -> None:
    """The writers take any bytes too, though only deletions reach them."""
    assert b"; Max-Age=0; " in canonical_deletion(line)
    assert deletion(name, path=line, domain=line, same_site=line).startswith(name + b"=;")


@given(any_bytes)
@example(b"Thu, 01 Jan 1970 00:00:00 GMT\n")
def test_any_date_can_be_read(text: bytes) -> None:
    """Seconds or None."""
    moment = parse_date(text)
    assert moment is None or isinstance(moment, int)


@given(cookie_headers)
def test_any_cookie_header_can_be_read(header: bytes) -> None:
    """Its names, and what of it the app may see: never more than there was."""
    step = forward(GATE, ask(cookie=header))
    assert step.visit.cookies is not None
    assert len(step.visit.cookies.names()) <= header.count(b";") + 1
    assert step.cookie is None or len(step.cookie) <= len(header)


@given(st.integers(0, 600), st.integers(0, 66_000))
def test_the_caps_are_what_they_say(semicolons: int, size: int) -> None:
    """64 KiB and 512 pairs, whatever short way is taken to count them."""
    header = (b";" * semicolons).ljust(size, b"x")
    assert within_caps(header) is (len(header) <= 65_536 and semicolons < 512)


@given(any_bytes)
def test_any_header_name_and_value_has_a_kind(text: bytes) -> None:
    """A line end or NUL is always unsafe, in a name and in a value."""
    broken = any(byte in text for byte in b"\r\n\0")
    assert is_unsafe(text) is broken
    assert not broken or kind_of(text) == UNSAFE


_anything = st.one_of(
    st.none(), st.integers(), any_bytes, any_text, st.text(st.characters(), max_size=5)
)


@given(st.lists(st.one_of(_anything, st.tuples(_anything, _anything), st.lists(_anything))))
def test_headers_of_any_type_can_be_read(headers: list[tuple[object, object]]) -> None:
    """What comes out is pairs of bytes, at most as many as went in."""
    found = as_bytes(headers)
    assert len(found) <= len(headers)
    assert all(type(name) is bytes and type(value) is bytes for name, value in found)


@given(any_bytes)
def test_any_name_can_be_printed(name: bytes) -> None:
    """Printable text of at most a hundred characters."""
    text = printable(name)
    assert text.isprintable()
    assert len(text) <= 100


@given(st.binary(max_size=1100))
def test_any_token_can_be_read(value: bytes) -> None:
    """Nobody guesses a signature."""
    assert TOKENS.read(value) is None


@given(bodies, st.sampled_from([FORM, JSON, b""]))
def test_any_body_is_a_wish_or_a_plain_sentence(body: bytes, kind: bytes) -> None:
    """BadWish and nothing else."""
    wish, said = None, ""
    try:
        wish = read_wish(body, kind)
    except BadWish as problem:
        said = str(problem)
    if wish is None:
        assert said.endswith(".")
    else:
        assert wish.action in ("accept", "reject", "save", "withdraw")


@given(nexts)
@example("/\t/evil.example")
@example("/\ud800")
def test_any_next_is_safe_or_refused(text: str) -> None:
    """What is not refused is one ASCII path that no browser reads as another host."""
    location = safe_next(text)
    if location is not None:
        assert location.isascii()
        assert location[0] == "/"
        assert location[1:2] not in ("/", "\\")
        assert not any(character <= " " or character in "\\\x7f" for character in location)


@given(any_text, any_bytes)
def test_any_origin_host_and_referer_can_be_read(text: str, sent: bytes) -> None:
    """Forged or broken: an answer, not an error."""
    origin = origin_of(text)
    assert origin is None or origin[0] in ("http", "https")
    assert is_loopback(text) in (True, False)
    for domain in parent_domains(text):
        assert text.lower().startswith(domain) or domain in text.lower()
    path = page_before(ask(headers=[(b"referer", sent)]))
    assert path is None or path.startswith("/")


def check(headers: list[Header]) -> None:
    """Assert that these may be written to the wire: no line can be ended from within."""
    for name, value in headers:
        assert not any(byte in name + value for byte in b"\r\n\0")
        if name.lower() == b"set-cookie":
            assert not any(byte in value for byte in CONTROLS)


@given(st.sampled_from(GATES), requests, bodies, response_headers)
def test_any_request_gets_an_answer(
    gate: Gate, request: Request, body: bytes, headers: list[Header]
) -> None:
    """Whatever is asked: let through and filtered, or answered by a page of ours that is safe."""
    step = gate.begin(request, NOW, fresh_id)
    if isinstance(step, NeedBody):
        step = step.feed(body)
    if isinstance(step, Reply):
        assert step.response.status in (200, 204, 303, 308, 400, 403, 404, 405, 413, 415)
        check(step.response.headers)
        assert (step.receipt is None) or step.response.status in (200, 303)
        return
    assert isinstance(step, Forward)
    assert step.visit.peek() <= {"necessary", "analytics", "marketing"}
    finish = step.finish(headers, NOW)
    if gate.policy.mode == "enforce" and not gate.policy.exclude:
        check(finish.headers)
    step.trailers(headers)


@given(requests, response_headers)
def test_a_websocket_can_have_any_request_too(request: Request, headers: list[Header]) -> None:
    """Filtered, whatever its path, and nothing is added where nothing can be."""
    finish = GATES[0].admit(request, NOW, fresh_id).finish(headers, NOW, can_add=False)
    assert len(finish.headers) <= len(headers)
    check(finish.headers)
