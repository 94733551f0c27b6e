"""One table of frameworks and answers: `_ga…` leaves with consent only, the session always."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest

from consentgate import wrap
from wrap.driving import ENVIRON, ask, choose, lines, names
from wrap.sites import SITES, STATUS, Site

CELLS = [
    pytest.param(site, path, id=f"{site.name} {path}")
    for site in SITES
    for path in STATUS
    if site.sets(path) is not None
]


@cache
def _plain(site: Site) -> Any:
    return site.make()


@cache
def _gated(site: Site, policy_file: Path) -> tuple[Any, bytes, bytes]:
    """The gated site, and the Cookie headers of visitors who refused and who accepted."""
    app = wrap(site.make(), policy_file, environ=ENVIRON)
    return app, choose(app, "reject"), choose(app, "accept")


def _comparable(response: httpx.Response, session: str) -> list[bytes]:
    """The Set-Cookie lines; a session's value holds the time, so its name stands for it."""
    start = f"{session}=".encode()
    return [start if line.strip().startswith(start) else line for line in lines(response)]


@pytest.mark.parametrize(("site", "path"), CELLS)
def test_analytics_leave_with_consent_only(site: Site, path: str, policy_file: Path) -> None:
    """Whatever sets `_ga…` on whatever answer: a grant lets it out byte for byte, nothing else."""
    plain = ask(_plain(site), path)
    everything = _comparable(plain, site.session)
    analytics = [line for line in everything if line.strip().startswith(b"_ga")]
    assert plain.status_code == STATUS[path]
    assert sorted(name for name in names(plain) if name.startswith("_ga")) == sorted(
        site.sets(path) or ()
    )

    app, refused, granted = _gated(site, policy_file)
    for cookie, expected in (
        (b"", [line for line in everything if line not in analytics]),
        (refused, [line for line in everything if line not in analytics]),
        (granted, everything),
    ):
        response = ask(app, path, cookie=cookie)
        assert (response.status_code, response.content) == (plain.status_code, plain.content)
        assert _comparable(response, site.session) == expected


@pytest.mark.parametrize("site", SITES, ids=lambda site: site.name)
def test_the_session_leaves_without_consent(site: Site, policy_file: Path) -> None:
    """The framework's session cookie needs no consent, and no mention in the policy."""
    app, _, _ = _gated(site, policy_file)
    assert names(ask(app, "/page")) == [site.session]
