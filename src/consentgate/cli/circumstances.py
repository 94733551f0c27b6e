"""Who and where the visitor is that somebody asks about at a terminal."""

from __future__ import annotations

from time import time

from ..core.consent import Consent
from ..core.gate import Gate
from ..core.http import Request
from ..core.policy import OPT_IN, OPT_OUT
from ..core.regions import code_of
from .commands import CannotRun


def place_of(region: str) -> str | None:
    """Return a code as it is compared; None for nowhere. Raises CannotRun."""
    code = code_of(region)
    if region and code is None and region.upper() not in ("XX", "T1"):
        raise CannotRun(f'no place has the code {region!r}; write one such as "FR" or "US-CA"')
    return code


def request_of(gate: Gate, granted: frozenset[str], gpc: bool, path: str) -> Request:
    """Return the request of a visitor who granted this."""
    host = gate.policy.site.partition("://")[2].encode()
    headers = [(b"host", host)] + [(b"sec-gpc", b"1")] * gpc
    if granted & gate.site.optional:
        consent = Consent(granted=granted & gate.site.optional, decided_at=int(time()))
        own = gate.site.production.name + b"=" + gate.site.tokens.write(consent)
        headers.append((b"cookie", own))
    return Request("GET", path, "", "https", headers)


def law_at(gate: Gate, code: str | None) -> str:
    """Say what the law is at a place, as far as the policy knows."""
    if gate.policy.regions is None:
        return "the policy has no [regions], so everybody is asked for consent"
    law, profile = gate.site.atlas.law(code), gate.site.atlas.profile(code)
    regime = OPT_IN if law.opt_in else OPT_OUT
    text = f"{code or 'unknown'}: {regime}"
    if law.exemptions:
        text += f", exempt: {', '.join(sorted(law.exemptions))}"
    if profile is None:
        return f"{text} (no profile of its own, so the strictest)"
    return f"{text} ({profile.rests_on}: {profile.article}; read {profile.read})"
