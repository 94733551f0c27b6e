"""The script and the style: the same for everybody, named by what is in them."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from dataclasses import replace
from typing import NamedTuple

import pytest

from consentgate.core.assets import Assets, assets_of
from consentgate.core.http import Header
from consentgate.core.policy import Gpc, Profile, Regions
from core.samples import POLICY as POLICY_
from core.samples import ask, header, make_gate, reply

POLICY = {"name": "gate-choice", "version": "</script><b>\u2028é"}


class Sources(NamedTuple):
    script: str = "start(GATE_POLICY);"
    style: str = ".gate{}"
    first: str = ""
    tags: str = "begin();"


ASSETS = assets_of(Sources(), POLICY)


def digest(content: bytes) -> str:
    return "sha384-" + b64encode(hashlib.sha384(content).digest()).decode()


def test_names_and_integrity_come_from_the_content() -> None:
    """The same sources and policy make the same names; a letter more makes others."""
    for asset, kind in ((ASSETS.script, "js"), (ASSETS.style, "css")):
        assert asset.name == f"g.{hashlib.sha256(asset.content).hexdigest()[:12]}.{kind}"
        assert asset.integrity == digest(asset.content)
    assert assets_of(Sources(), POLICY) == ASSETS
    assert assets_of(Sources(style=".gate{ }"), POLICY).style.name != ASSETS.style.name


def test_the_policy_stands_in_the_script_as_a_literal_that_nothing_can_break_out_of() -> None:
    """ASCII, and without a "<" that could end a script element; the style is named beside it."""
    text = ASSETS.script.content.decode("ascii")
    assert "<" not in text
    assert json.loads(text.removeprefix("start(").removesuffix(");")) == {
        **POLICY,
        "style": [ASSETS.style.name, ASSETS.style.integrity],
        "tags": [ASSETS.tags.name, ASSETS.tags.integrity],
    }


@pytest.mark.parametrize(
    ("path", "cached"),
    [
        ("/g.js", b"public, no-cache"),
        ("/g.css", b"public, no-cache"),
        ("/t.js", b"public, no-cache"),
        ("/" + ASSETS.script.name, b"public, max-age=31536000, immutable"),
        ("/" + ASSETS.style.name, b"public, max-age=31536000, immutable"),
        ("/" + ASSETS.tags.name, b"public, max-age=31536000, immutable"),
    ],
)
def test_a_name_with_a_digest_is_kept_for_good_and_the_plain_one_is_asked_for_again(
    path: str, cached: bytes
) -> None:
    """Whoever knows the content gets a "not modified"; HEAD gets the headers alone."""
    asset = {"g": ASSETS.script, "t": ASSETS.tags}[path[1]]
    if path.endswith("css"):
        asset = ASSETS.style
    kind = b"text/css" if path.endswith("css") else b"text/javascript"
    tag: Header = (b"etag", f'"{asset.name}"'.encode())
    first: list[Header] = [
        (b"cache-control", cached),
        tag,
        (b"x-content-type-options", b"nosniff"),
    ]
    headers = [
        *first,
        (b"content-type", kind + b"; charset=utf-8"),
        (b"content-length", str(len(asset.content)).encode()),
    ]
    assert ASSETS.answer(path, ask()) == (200, headers, asset.content)
    assert ASSETS.answer(path, ask("HEAD")) == (200, headers, b"")
    for known in (tag[1], b"W/" + tag[1], b'"x", ' + tag[1], b"*"):
        asked = ask(headers=[(b"if-none-match", known)])
        assert ASSETS.answer(path, asked) == (304, first, b"")
    other = ask(headers=[(b"if-none-match", b'"x"')])
    assert ASSETS.answer(path, other) == (200, headers, asset.content)


@pytest.mark.parametrize("path", ["/g.ffffffffffff.js", "/g.x", "/", "", "/G.JS", "/g.js/"])
def test_nothing_else_is_a_file(path: str) -> None:
    """An old name, after the policy has changed, is gone: its content would not fit it."""
    assert ASSETS.answer(path, ask()) is None
    assert ASSETS.answer("/g.js", ask("POST")) is None


GATE = make_gate()


def assets(**how: object) -> Assets:
    found = GATE.site.assets(ask(**how))  # type: ignore[arg-type]
    assert found is not None
    return found


def told(**how: object) -> dict[str, object]:
    text = assets(**how).script.content.decode()
    found = json.loads(text.removeprefix("start(").removesuffix(");"))
    assert isinstance(found, dict)
    return found


def test_the_script_knows_what_it_must_to_decide_as_the_gate_does() -> None:
    """Of the policy, and nothing of any visitor; in production and in development alike."""
    stamps = {id: [f"{one:04x}" for one in found] for id, found in GATE.site.stamps.items()}
    expected = {
        "name": "__Host-gate-choice",
        "mirror": "public.cookie.choice",
        "version": "2026-11",
        "prefix": "/_gate",
        "accepted": 182 * 86_400,
        "refused": 182 * 86_400,
        "asks": False,
        "quiet": True,
        "signals": ["globalPrivacyControl"],
        "keys": list(GATE.site.key_tags),
        "always": ["necessary"],
        "sold": [],
        "free": ["analytics", "marketing"],
        "categories": stamps,
        "style": [assets().style.name, assets().style.integrity],
        "tags": [assets().tags.name, assets().tags.integrity],
    }
    assert told() == expected
    local = {"host": b"localhost", "scheme": "http"}
    assert told(**local) == {**expected, "name": "gate-choice"}


def facts(**changes: object) -> dict[str, object]:
    gate = make_gate(**changes)
    found = gate.site.assets(ask())
    assert found is not None
    text = found.script.content.decode()
    data = json.loads(text.removeprefix("start(").removesuffix(");"))
    assert isinstance(data, dict)
    return data


def test_the_script_knows_when_it_must_ask_and_whom_nobody_asks() -> None:
    """Where something may be used unasked; and what a signal means here."""
    sold = (*POLICY_.categories[:2], replace(POLICY_.categories[2], sale_or_sharing=True))
    opt_out = Regions(profiles=(Profile(places=("US",), regime="opt-out"),))
    keys = ("asks", "quiet", "sold", "signals")
    gpc = ["globalPrivacyControl"]
    assert [
        [facts(**changes)[key] for key in keys]
        for changes in (
            {},
            {"regions": opt_out},
            {"categories": sold},
            {"categories": sold, "gpc": Gpc(opt_in="sale", dnt=True)},
            {"gpc": Gpc(opt_in="sale")},
        )
    ] == [
        [False, True, [], gpc],
        [True, True, [], gpc],
        [False, True, ["marketing"], gpc],
        [False, False, ["marketing"], [*gpc, "doNotTrack"]],
        [False, True, [], gpc],
    ]


def test_the_script_knows_the_revisions_that_are_still_honoured() -> None:
    """Today's first."""
    analytics = replace(POLICY_.categories[1], honours=("3f0a", "8001"))
    today = f"{int(GATE.site.revisions['analytics'], 16) & 0x7FFF:04x}"
    told = facts(categories=(analytics,))["categories"]
    assert told == {"analytics": [today, "3f0a", "0001"]}


@pytest.mark.parametrize("path", ["/_gate/g.js", "/shop/_gate/g.js"])
def test_the_gate_serves_them_without_looking_at_the_visitor(path: str) -> None:
    """No cookie is set and nothing varies, whoever asks and wherever the app is mounted."""
    request = ask(path=path, root="/shop", cookie=b"__Host-gate=x; _ga=1; __Host-gate-choice=y")
    response = reply(GATE, request).response
    assert response.body == assets().script.content
    assert header(response, b"set-cookie") is None
    assert header(response, b"vary") is None
    assert header(response, b"cache-control") == b"public, no-cache"


def test_a_file_is_only_read() -> None:
    """Any other method finds nothing there."""
    assert reply(GATE, ask("POST", "/_gate/g.js")).response.status == 404


def test_what_runs_first_is_told_more_and_may_be_empty() -> None:
    """The guard's rules are in that file alone; an empty one is served all the same."""
    made = assets_of(
        Sources(first="guard(GATE_POLICY);"), POLICY, {"quiet": True}, {"rules": {"local": []}}
    )
    text = made.first.content.decode("ascii")
    assert json.loads(text.removeprefix("guard(").removesuffix(");")) == {
        **POLICY,
        "rules": {"local": []},
    }
    assert made.first.name == f"first.{hashlib.sha256(made.first.content).hexdigest()[:12]}.js"
    assert made.first.integrity == digest(made.first.content)
    for path, cached in (
        ("/first.js", b"public, no-cache"),
        ("/" + made.first.name, b"public, max-age=31536000, immutable"),
    ):
        answer = made.answer(path, ask())
        assert answer is not None
        assert (answer.body, header(answer, b"cache-control")) == (made.first.content, cached)
        assert header(answer, b"content-type") == b"text/javascript; charset=utf-8"
    empty = ASSETS.answer("/first.js", ask())
    assert empty is not None
    assert (empty.status, empty.body) == (200, b"")
