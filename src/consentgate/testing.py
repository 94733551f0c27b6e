"""For tests of apps that are gated: a signed choice for any client, and one assertion.

client.cookies.update(consent_cookie(gate, "analytics"))
assert_only_consented(client.get("/"), gate, "analytics")
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from time import time
from typing import Any

from .core.changes import day_of
from .core.consent import Consent, UnknownCategory
from .core.gate import Gate
from .core.headers import SET_COOKIE, as_bytes, kind_of
from .core.token import ID_BYTES

__all__ = ["assert_only_consented", "consent_cookie"]


def consent_cookie(
    gate: Gate, *granted: str, secure: bool = False, decided_at: float | None = None
) -> dict[str, str]:
    """Return {name: value} of the cookie of a visitor who granted these and refused all else.

    Without any category it is a full refusal. The name is the one in force on plain http to
    localhost or "testserver"; `secure=True` gives the one in production. `decided_at` is in
    seconds since 1970, now by default. Raises UnknownCategory.
    """
    for category in granted:
        if category not in gate.site.ids:
            raise UnknownCategory(category, gate.site.ids)
    yes = frozenset(granted) & gate.site.optional
    now = int(time() if decided_at is None else decided_at)
    consent = Consent(
        granted=yes,
        denied=gate.site.optional - yes,
        id=secrets.token_hex(ID_BYTES) if yes else None,
        decided_at=now if yes else day_of(now),
    )
    cookie = gate.site.production if secure else gate.site.development
    return {cookie.name.decode(): gate.site.tokens.write(consent).decode()}


def assert_only_consented(
    response: Any, gate: Gate, *granted: str, also: Iterable[str] = ()
) -> None:
    """Raise AssertionError unless every cookie of the response is consented to.

    `response` is that of httpx, Starlette, Flask, Quart, Litestar or Django, or (name, value)
    pairs. `also` names cookies that the app has configured for itself, which `wrap` learns.
    Deletions, and the gate's own cookie, are always in order. No value is shown.
    """
    allowed = gate.site.always | frozenset(granted)
    own = gate.site.own_names()
    names = {name.encode() for name in also}
    found = []
    for line in _set_cookie_lines(response):
        name = line.partition(b"=")[0].strip()
        decision, sent, _ = gate.judge.judge(line, allowed, time())
        if sent is None and name not in own and name not in names:
            found.append(f"  {decision.name}: {decision.reason}")
    if found:
        raise AssertionError("cookies without consent:\n" + "\n".join(found))


def _set_cookie_lines(response: Any) -> list[bytes]:
    headers = getattr(response, "headers", response)
    if hasattr(response, "set_signed_cookie"):  # Django's: it keeps cookies apart from headers
        return [morsel.OutputString().encode("latin-1") for morsel in response.cookies.values()]
    items = getattr(headers, "multi_items", None) or getattr(headers, "items", None)
    pairs = as_bytes(items() if items is not None else headers)
    return [value for name, value in pairs if kind_of(name) == SET_COOKIE]
