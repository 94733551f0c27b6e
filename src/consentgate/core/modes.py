"""What the script must know that tells other makers' tags what is allowed."""

from __future__ import annotations

from .policy import ConsentMode

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


def told_to_modes(mode: ConsentMode | None) -> dict[str, object]:
    """Return what is told beside what all scripts are told; nothing without a [consent_mode]."""
    if mode is None:
        return {}
    return {
        "modes": {
            "signals": {signal: getattr(mode, signal) for signal in SIGNALS},
        }
    }
