"""What is told to the script that tells other makers' tags what is allowed."""

from __future__ import annotations

from consentgate.core.modes import told_to_modes
from consentgate.core.policy import ConsentMode


def test_the_script_is_told_the_mode() -> None:
    """The category of each signal."""
    assert told_to_modes(None) == {}
    assert told_to_modes(ConsentMode(vendors=("meta",), ad_storage="ads")) == {
        "modes": {
            "signals": {
                "ad_storage": "ads",
                "ad_user_data": "marketing",
                "ad_personalization": "marketing",
                "analytics_storage": "analytics",
                "functionality_storage": "preferences",
                "personalization_storage": "preferences",
                "security_storage": "necessary",
            },
        }
    }
