"""`consent.embed()`: third parties' content as the server writes it, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import consentgate
from consentgate import UnknownCategory
from consentgate.core import embeds
from consentgate.core.http import Header, Response
from consentgate.core.views import EmbedView, SignalView
from consentgate.handler import RequestConsent
from core.samples import NOW, POLICY, ask, cookie_of, fresh_id, header, make_gate, reply
from pages.html import Parsed
from pages.test_render import make_gate as make_real_gate

GATE = make_gate()
REAL = make_real_gate()
SOLD = replace(POLICY.categories[2], sale_or_sharing=True)
FILM = "https://player.example/film?a=1&b=2"
GPC: Header = (b"sec-gpc", b"1")


def visitor(*granted: str, gate: Any = GATE, headers: Any = (), query: bytes = b"") -> Any:
    cookie = cookie_of(*granted) if granted else None
    request = ask(path="/films", query=query, cookie=cookie, headers=headers)
    return gate.admit(request, NOW, fresh_id, RequestConsent).visit


def view(**changes: Any) -> EmbedView:
    known: dict[str, Any] = {
        "category": POLICY.categories[2],
        "source": "player.example",
        "title": "A film",
        "leave": ("analytics",),
        "signal": None,
        "over_gpc": False,
        "once": True,
        "next": "/films",
    }
    return EmbedView(**{**known, **changes})


HELD = 'data-category="marketing" data-src="https://player.example/film?a=1&amp;b=2"'


def test_what_is_allowed_is_the_frame() -> None:
    """With the attributes that were asked for; the marks let a withdrawal take it away again."""
    html = visitor("marketing").embed(
        "marketing",
        FILM,
        'A "film"',
        width=560,
        allowfullscreen=True,
        class_="wide <b>",
        data_more=None,
        loading=False,
        aria_label="x",
    )
    assert html == (
        f'<iframe {HELD} src="https://player.example/film?a=1&amp;b=2" title="A &quot;film&quot;" '
        'width="560" allowfullscreen class="wide &lt;b&gt;" aria-label="x"></iframe>'
    )


def test_what_is_not_allowed_has_something_in_its_place() -> None:
    """Then follows the frame without its address, hidden; the page's own address is kept."""
    consent = visitor(query=b"of=1")
    assert consent.embed("marketing", FILM, "A film", width=560, language="de") == (
        f"<!-- {view(next='/films?of=1')} at /_gate -->\n"
        f'<iframe {HELD} title="A film" width="560" hidden></iframe>'
    )
    assert (consent.read, consent.worded) == (True, False)
    consent.embed("marketing", FILM, "A film")
    assert consent.worded


def test_content_of_this_site_has_no_host() -> None:
    """A path will do for an address."""
    html = visitor().embed("marketing", "/film", "A film")
    assert html.startswith(f"<!-- {view(source='')} at /_gate -->")


def test_the_signal_is_shown_where_a_yes_would_go_against_it() -> None:
    """And only there."""
    gate = make_gate(categories=(*POLICY.categories[:2], SOLD))
    html = visitor(gate=gate, headers=[GPC]).embed("marketing", FILM, "A film")
    against = view(category=SOLD, signal=SignalView(against=(SOLD,)), over_gpc=True)
    assert html.startswith(f"<!-- {against} at")
    html = visitor(gate=gate, headers=[GPC]).embed("analytics", FILM, "A film")
    other = view(category=POLICY.categories[1], leave=("marketing",))
    assert html.startswith(f"<!-- {other} at")


def test_what_the_app_does_not_use_here_is_not_there_at_all() -> None:
    """Nobody is asked for a yes that would change nothing."""
    consent = visitor("marketing")
    consent.restrict("marketing")
    assert consent.embed("marketing", FILM, "A film") == ""


def test_asked_for_too_late_it_is_the_frame_alone() -> None:
    """The answer may be anybody's: the script finds out by itself."""
    consent = visitor("marketing")
    consent.sealed = True
    assert consent.embed("marketing", FILM, "A film") == (
        f'<iframe {HELD} title="A film" hidden></iframe>'
    )


@pytest.mark.parametrize(
    "src",
    [
        "",
        "film",
        "//player.example/film",
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://player.example/",
        "https://",
        "https://user@player.example/",
        "https://[::1/",
        "https:\\\\player.example",
        "https://player.example/\n",
        " https://player.example/",
        "/\\player.example",
    ],
)
def test_an_address_is_one_of_the_web_or_of_this_site(src: str) -> None:
    """Anything else is a programmer's mistake, whatever the visitor said."""
    for consent in (visitor(), visitor("marketing")):
        with pytest.raises(ValueError, match="http"):
            consent.embed("marketing", src, "A film")


@pytest.mark.parametrize(
    "name",
    ["src_", "srcdoc", "hidden", "data_src", "data-category", "onload", "a b", "", "x>", "é"],
)
def test_some_attributes_are_not_to_be_given(name: str) -> None:
    """What is written here, what would be content of its own, code, and what is no name."""
    with pytest.raises(ValueError, match="attribute"):
        visitor().embed("marketing", FILM, "A film", **{name: "x"})


def test_a_frame_has_a_title_and_a_category_is_one_of_the_policy() -> None:
    """Both are mistakes that are found at once."""
    with pytest.raises(ValueError, match="title"):
        visitor().embed("marketing", FILM, " ")
    with pytest.raises(UnknownCategory):
        visitor().embed("nonsense", FILM, "A film")


def test_outside_the_gate_there_is_nothing() -> None:
    """Nobody has granted anything, and there are no pages to ask with."""
    assert consentgate.embed(None, "marketing", FILM, "A film") == ""


def test_a_mistake_of_ours_lets_nothing_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """And costs the site no page."""

    def fails(*arguments: object, **more: object) -> str:
        raise RuntimeError

    monkeypatch.setattr("consentgate.handler._told", set())
    monkeypatch.setattr(embeds, "rendered", fails)
    assert visitor().embed("marketing", FILM, "A film") == ""


def place(query: bytes, gate: Any = GATE) -> Response:
    return reply(gate, ask(path="/_gate/embed", query=query)).response


def test_the_script_fetches_what_stands_in_a_frames_place() -> None:
    """As a document of its own, in the language of its page; nothing of it is kept."""
    response = place(b"category=marketing&lang=de&source=player.example:8443&next=/films")
    expected = view(source="player.example:8443", title="")
    assert response.body.decode() == (
        f"<!doctype html><title>-</title><body><!-- {expected} at . --></body>"
    )
    assert header(response, b"cache-control") == b"no-store"
    assert header(response, b"content-language") == b"de"


@pytest.mark.parametrize("query", [b"", b"category=nonsense", b"category=necessary"])
def test_there_is_none_for_what_needs_no_yes(query: bytes) -> None:
    """404, and so is any other method."""
    assert place(query).status == 404
    assert (
        reply(GATE, ask("POST", "/_gate/embed", query=b"category=marketing")).response.status == 405
    )


@pytest.mark.parametrize(
    "source", [b"Your%20bank", b"%3Cb%3E", b"a/b", b"x" * 300, b"user@host", b"%E2%80%AE"]
)
def test_who_it_is_from_can_only_be_a_host(source: bytes) -> None:
    """An address that somebody made up shows no sentence of theirs."""
    body = place(b"category=marketing&next=//evil.example&source=" + source).body.decode()
    assert f"{view(source='', title='', next='')}" in body


def test_in_real_html_everything_is_escaped_and_nothing_is_inline() -> None:
    """The form says yes to one category, and nothing of the others."""
    gate = make_real_gate(categories=(*POLICY.categories[:2], SOLD))
    html = str(visitor(gate=gate, headers=[GPC]).embed("marketing", FILM, "<A film>"))
    parsed = Parsed(html)
    (section,) = [one for one in parsed.all("div") if "data-gate" in one]
    assert section == {
        "class": "gate gate-embed",
        "data-gate": "embed",
        "role": "group",
        "lang": "en",
        "dir": "ltr",
        "aria-label": "<A film>",
    }
    fields = [(one["name"], one["value"]) for one in parsed.all("input")]
    assert fields == [
        ("next", "/films"),
        ("over_gpc", "1"),
        ("grant", "marketing"),
        ("leave", "analytics"),
    ]
    assert [
        (one.get("name"), one.get("value"), "hidden" in one) for one in parsed.all("button")
    ] == [
        (None, None, True),
        ("action", "save", False),
    ]
    assert "<A film>" not in html
    assert "style=" not in html
