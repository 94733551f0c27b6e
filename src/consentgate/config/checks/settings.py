"""Checks of what a Policy says as a whole: its version, its modes, and all of [consent]."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from ...core.own_cookie import LONGEST, host_name, is_loopback
from ...core.policy import OPT_IN, OPT_OUT, Policy
from ..keys import looks_like_key
from ..problems import Fault, Path, did_you_mean

CHOICES = {
    "mode": ("enforce", "report"),
    "unknown": ("block", "allow"),
    "same_site": ("lax", "strict", "none"),
    "guard": ("block", "report", "off"),
    "unknown_storage": ("report", "block", "allow"),
}
# All keys that take one of a few words, wherever they stand.
WORDS = {
    **CHOICES,
    "opt_in": ("refuse", "sale"),
    "regime": (OPT_IN, OPT_OUT),
    "rests_on": ("statute", "guidance", "caution"),
    "kind": ("audience-measurement", "statistical", "appearance"),
    "party": ("first", "third"),
    "csp.mode": ("off", "report", "enforce"),
    "consent_mode.mode": ("basic", "advanced"),
}
_WHY = {
    "opt_in": (
        ": the signal opts out of sale and sharing everywhere, even over an earlier yes "
        "(11 CCR 7025(c)(3)), and cannot be switched off"
    )
}
HOST = r"(?:[a-z0-9_-]+\.)*[a-z0-9_-]+"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# A browser would resolve "." and ".." before it asks.
_PREFIX = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)+")
_COOKIE = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")  # RFC 9110 5.6.2: a token
DOMAIN = re.compile(rf"\.?{HOST}", re.IGNORECASE | re.ASCII)
_ORIGIN = re.compile(
    rf"https?://(?:{HOST}|\[[0-9a-f:.]+\])(?::[0-9]{{1,5}})?", re.IGNORECASE | re.ASCII
)


def setting_faults(policy: Policy) -> Iterator[Fault]:
    """Yield what is wrong with everything but the categories and their rules."""
    if not policy.version.strip():
        remedy = 'add version = "2026-11" (any text; it is recorded with every choice)'
        yield _fault("CG103", ("version",), "the policy has no version", remedy)
    for field, allowed in CHOICES.items():
        value = getattr(policy, field)
        if value not in allowed:
            remedy = did_you_mean(value, allowed) or choices_for(field)
            yield _cannot_be(field, value, remedy)
    yield from _key(policy)
    yield from _own_cookie(policy)
    yield from _addresses(policy)


def choices_for(field: str) -> str:
    """Return what to write where only a few words can stand."""
    words = [f'"{one}"' for one in WORDS[field]]
    return f"write {', '.join(words[:-1])} or {words[-1]}{_WHY.get(field, '')}"


def _key(policy: Policy) -> Iterator[Fault]:
    # Never shown, in either case: it may be the key itself.
    if looks_like_key(policy.secret_env):
        remedy = "take it out and make a new one; name the variable that holds it"
        message = "a signing key does not belong in a file"
        yield _fault("CG304", ("secret_env",), message, remedy)
    elif not _VARIABLE.fullmatch(policy.secret_env):
        remedy = 'name an environment variable, for example "CONSENTGATE_SECRET"'
        yield _fault("CG104", ("secret_env",), "no variable can have this name", remedy)


def _own_cookie(policy: Policy) -> Iterator[Fault]:
    if not _COOKIE.fullmatch(policy.cookie):
        yield _cannot_be("cookie", policy.cookie, 'write a plain cookie name such as "gate"')
    elif policy.cookie.lower().startswith(("__host-", "__secure-", "__http-")):
        message = "the gate itself adds what goes in front of the cookie's name"
        yield _fault("CG104", ("cookie",), message, "leave __Host- or __Secure- out")
    if policy.domain and not DOMAIN.fullmatch(policy.domain):
        remedy = 'write a host name such as "shop.example", or leave it out'
        yield _cannot_be("domain", policy.domain, remedy)
    if policy.same_site == "none" and not policy.secure:
        message = 'browsers refuse same_site = "none" without secure'
        remedy = 'set secure = true, or same_site = "lax"'
        yield _fault("CG104", ("same_site",), message, remedy)
    for field in ("accepted_for", "refused_for"):
        seconds = getattr(policy, field)
        if not 0 < seconds <= LONGEST:
            message = f"a choice cannot be kept for {seconds} seconds"
            remedy = "browsers keep a cookie for 400 days at the most; half a year is good practice"
            yield _fault("CG104", (field,), message, remedy)


def _addresses(policy: Policy) -> Iterator[Fault]:
    if not _PREFIX.fullmatch(policy.prefix):
        remedy = 'write a path such as "/_gate", without a slash at its end'
        yield _cannot_be("prefix", policy.prefix, remedy)
    if policy.site:
        if _ORIGIN.fullmatch(policy.site):
            yield from _site(policy)
        else:
            yield _no_origin(policy.site, ("site",))
    for number, origin in enumerate(policy.origins):
        if not _ORIGIN.fullmatch(origin):
            yield _no_origin(origin, ("origins", number))
    for number, path in enumerate(policy.exclude):
        remedy = 'name the paths; to change nothing and only watch, write mode = "report"'
        fault = path_fault(path, "keeps every page away from the gate", remedy, "/webhooks/*")
        if fault:
            yield replace(fault, path=("exclude", number))


def path_fault(path: str, everything: str, remedy: str, example: str) -> Fault | None:
    """Return what is wrong with a glob of paths; `everything` is what one of every page does."""
    if "*" in path and set(path) <= {"*", "/"}:
        return _fault("CG203", (), f"{path!r} {everything}", remedy)
    if not path.startswith("/") or not path.isprintable() or "?" in path or "#" in path:
        remedy = f'write a path that begins with a slash, for example "{example}"'
        return _fault("CG104", (), f"{path!r} is not a path", remedy)
    return None


def _site(policy: Policy) -> Iterator[Fault]:
    """Check that browsers will keep the consent cookie at the site's own address."""
    scheme, _, host = policy.site.lower().partition("://")
    name, domain = host_name(host), policy.domain.lower().removeprefix(".")
    if scheme == "http" and policy.secure and not is_loopback(host):
        message = f"browsers keep no secure cookie from {policy.site!r}"
        remedy = "serve the site over https and write that as site, or set secure = false"
        yield _fault("CG104", ("secure",), message, remedy)
    if domain and name != domain and not name.endswith("." + domain):
        message = f"browsers keep no cookie for {policy.domain!r} from {policy.site!r}"
        remedy = "write the site's own host or a parent of it, or leave domain out"
        yield _fault("CG104", ("domain",), message, remedy)


def _no_origin(text: str, place: Path) -> Fault:
    # What stands before an @ may be a password.
    shown = "an address with a user name" if "@" in text else repr(text)
    remedy = 'write scheme and host only, for example "https://shop.example"'
    return _fault("CG104", place, f"{shown} is not an origin", remedy)


def _cannot_be(field: str, value: str, remedy: str) -> Fault:
    return _fault("CG104", (field,), f"{field} cannot be {value!r}", remedy)


def _fault(code: str, place: Path, message: str, remedy: str) -> Fault:
    return Fault(code=code, path=place, message=message, remedy=remedy)
