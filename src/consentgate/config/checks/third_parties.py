"""Checks of [csp], [consent_mode] and `sources`: which third parties there are, and who is told."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...core.policy import NECESSARY, ConsentMode, Policy
from ..problems import Fault, Path, did_you_mean
from .settings import WORDS, choices_for

VENDORS = ("google", "microsoft", "clarity", "matomo", "meta")
# Those that stand for what a visitor has to agree to, and those that need not.
_ASKING = ("ad_storage", "ad_user_data", "ad_personalization", "analytics_storage")
SIGNALS = (*_ASKING, "functionality_storage", "personalization_storage", "security_storage")

# https://www.w3.org/TR/CSP3/#grammardef-host-source, and RFC 3986 3.1 and 3.3.
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE | re.ASCII)
_IN_PATH = "(?:[a-z0-9._~!$&'()*+=:@-]|%[0-9a-f]{2})"
_HOST = re.compile(
    r"(?:[a-z][a-z0-9+.-]*://)?"
    r"(?P<host>\*|(?:\*\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)*\.?)"
    r"(?::(?:[0-9]{1,5}|\*))?"
    rf"(?:/(?:{_IN_PATH}+(?:/{_IN_PATH}*)*)?)?",
    re.IGNORECASE | re.ASCII,
)
_EVERYBODY = ("http", "https", "ws", "wss")
# RFC 3986 4.1, without what would end a directive or a policy.
_REPORT_URI = re.compile(r"(?:https?://[!-+\--:<-~]+|/(?!/)[!-+\--:<-~]*)", re.IGNORECASE)


def third_party_faults(policy: Policy) -> Iterator[Fault]:
    """Yield what is wrong with the third parties and with who is told of them."""
    yield from _csp(policy)
    for number, category in enumerate(policy.categories):
        for position, source in enumerate(category.sources):
            yield from _source(source, ("categories", number, "sources", position))
    for number, flow in enumerate(policy.flows):
        for position, source in enumerate(flow.sources):
            yield from _source(source, ("flows", number, "sources", position))
    if policy.consent_mode is not None:
        yield from _consent_mode(policy, policy.consent_mode)


def thoughts_on_sources(policy: Policy) -> Iterator[Fault]:
    """Yield warnings about sources that say nothing to anybody, or are missing."""
    if policy.csp.mode == "off":
        named: list[Path] = [
            ("categories", number, "sources")
            for number, category in enumerate(policy.categories)
            if category.sources
        ]
        named += [
            ("flows", number, "sources") for number, one in enumerate(policy.flows) if one.sources
        ]
        for path in named:
            message = "browsers are not told of these sources, so they keep nobody away"
            remedy = 'write mode = "report" in [csp], and "enforce" when the reports are good'
            yield _fault("CG514", path, message, remedy, "warning")
        return
    for number, category in enumerate(policy.categories):
        if not category.always and not category.sources:
            message = f"nothing of {category.id!r} can load from third parties, agreed to or not"
            remedy = "add sources = the hosts that it needs, or [\"'self'\"] if there are none"
            yield _fault("CG515", ("categories", number, "sources"), message, remedy, "warning")


def no_such_category(policy: Policy, signal: str, named: str) -> Fault | None:
    """Return what is wrong with the category that a signal follows, if it does not exist."""
    ids = [category.id for category in policy.categories]
    if not any(category.always for category in policy.categories):
        ids.append(NECESSARY)  # it is there without being written
    if named in ids:
        return None
    remedy = did_you_mean(named, ids) or f"write one of: {', '.join(ids)}"
    message = f"there is no category {named!r} for {signal} to follow"
    return _fault("CG104", ("consent_mode", signal), message, remedy)


def _csp(policy: Policy) -> Iterator[Fault]:
    csp = policy.csp
    if csp.mode not in WORDS["csp.mode"]:
        remedy = did_you_mean(csp.mode, WORDS["csp.mode"]) or choices_for("csp.mode")
        yield _fault("CG104", ("csp", "mode"), f"mode cannot be {csp.mode!r}", remedy)
    if csp.report_uri and not _REPORT_URI.fullmatch(csp.report_uri):
        message = f"browsers can send no report to {csp.report_uri!r}"
        remedy = 'write report_uri = "/…", a path of the site, or an address, without ; and ,'
        yield _fault("CG104", ("csp", "report_uri"), message, remedy)
    always = any(one.sources for one in policy.categories if one.always)
    if csp.mode == "enforce" and not always:
        message = "nothing could load from third parties, for what is always on names no sources"
        remedy = (
            "add sources to it: what the site itself needs, or [\"'self'\"] if there is nothing"
        )
        yield _fault("CG606", ("csp", "mode"), message, remedy)


def _source(source: str, place: Path) -> Iterator[Fault]:
    remedy = 'name a host, for example "https://cdn.example" or "https://*.cdn.example"'
    scheme, host = _SCHEME.fullmatch(source), _HOST.fullmatch(source)
    if source == "'self'":
        return
    if "'" in source[:1] + source[-1:]:
        message = f"{source!r} is a keyword, and no third party"
        yield _fault("CG104", place, message, f"{remedy}; of keywords only \"'self'\" is one")
    elif (scheme and scheme[1].lower() in _EVERYBODY) or (host and host["host"] == "*"):
        yield _fault("CG104", place, f"{source!r} lets every third party in", remedy)
    elif not scheme and not host:
        # What stands before an @ may be a password.
        shown = "an address with a user name" if "@" in source else repr(source)
        yield _fault("CG104", place, f"{shown} is no source for a browser", remedy)


def _consent_mode(policy: Policy, told: ConsentMode) -> Iterator[Fault]:
    place = "consent_mode"
    if told.mode not in WORDS["consent_mode.mode"]:
        words = WORDS["consent_mode.mode"]
        remedy = did_you_mean(told.mode, words) or choices_for("consent_mode.mode")
        yield _fault("CG104", (place, "mode"), f"mode cannot be {told.mode!r}", remedy)
    every = ", ".join(f'"{one}"' for one in VENDORS)
    for number, vendor in enumerate(told.vendors):
        at: Path = (place, "vendors", number)
        if vendor not in VENDORS:
            remedy = did_you_mean(vendor, VENDORS) or f"known are {every}"
            yield _fault("CG104", at, f"there is no vendor {vendor!r}", remedy)
        elif vendor in told.vendors[:number]:
            message = f"the vendor {vendor!r} is there twice"
            yield _fault("CG104", at, message, "remove one of the two")
    if not told.vendors:
        remedy = f"write some of {every}, or leave [consent_mode] out"
        yield _fault("CG104", (place, "vendors"), "there is no vendor to tell", remedy)
    default = ConsentMode()
    always = {one.id for one in policy.categories if one.always} or {NECESSARY}
    for signal in SIGNALS:
        named = getattr(told, signal)
        if named in always and signal in _ASKING:
            message = (
                f"{signal} would be granted before the visitor agrees, for {named!r} is always on"
            )
            remedy = "name an optional category"
            yield _fault("CG401", (place, signal), message, remedy)
        # A default may be absent: what follows it is denied for ever.
        elif named != getattr(default, signal) and (
            fault := no_such_category(policy, signal, named)
        ):
            yield fault


def _fault(code: str, place: Path, message: str, remedy: str, severity: str = "error") -> Fault:
    return Fault(code=code, path=place, message=message, remedy=remedy, severity=severity)
