"""The script that runs first, as it is sent: its size, and what is in it."""

from __future__ import annotations

import gzip
from dataclasses import replace

from consentgate.core.policy import ConsentMode
from consentgate.pages.render import JinjaRenderer
from guard.shop import POLICY


def test_it_is_small() -> None:
    """Compressed, the guard with what it shares with g.js, without any policy: at most 3 KiB."""
    assert len(gzip.compress(JinjaRenderer(POLICY).first.encode(), 9)) <= 3072


def test_what_a_policy_has_no_use_for_is_left_out() -> None:
    """The guard, the consent modes, and of their vendors those that nobody named."""

    def first(guard: str, *vendors: str) -> list[bool]:
        mode = ConsentMode(vendors=vendors) if vendors else None
        text = JinjaRenderer(replace(POLICY, guard=guard, consent_mode=mode)).first
        words = ("CookieStore", "IDBFactory", "dataLayer", "uetq", "clarity", "_paq", "fbq")
        return [word in text for word in words]

    assert [
        first("off"),
        first("block"),
        first("off", "meta"),
        first("report", "google", "clarity"),
        first("off", "google", "microsoft", "clarity", "matomo", "meta"),
    ] == [
        [False, False, False, False, False, False, False],
        [True, True, False, False, False, False, False],
        [False, False, False, False, False, False, True],
        [True, True, True, False, True, False, False],
        [False, False, True, True, True, True, True],
    ]
