"""What the script must know that tells other makers' tags what is allowed."""

from __future__ import annotations

from collections.abc import Sequence

from .policy import Category, ConsentMode

# https://developers.google.com/tag-platform/security/guides/consent, and the three that its tag
# manager knows beside: https://developers.google.com/tag-platform/tag-manager/templates/consent-apis
SIGNALS = (
    "ad_storage",
    "ad_user_data",
    "ad_personalization",
    "analytics_storage",
    "functionality_storage",
    "personalization_storage",
    "security_storage",
)


def told_to_modes(mode: ConsentMode | None, categories: Sequence[Category]) -> dict[str, object]:
    """Return what is told beside what all scripts are told; nothing without a [consent_mode].

    A signal whose category the policy does not have is denied for ever; but security needs no
    consent.
    """
    if mode is None:
        return {}
    signals = {signal: getattr(mode, signal) for signal in SIGNALS}
    if all(one.id != mode.security_storage for one in categories):
        signals["security_storage"] = next(one.id for one in categories if one.always)
    return {"modes": signals}
