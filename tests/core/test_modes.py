"""What is told to the script that tells other makers' tags what is allowed."""

from __future__ import annotations

from consentgate.core.modes import told_to_modes
from consentgate.core.policy import Category, ConsentMode


def test_the_script_is_told_the_mode() -> None:
    """The category of each signal; security has one that is always on, whatever it is called."""
    needed = Category(id="needed", always=True)
    necessary = Category(id="necessary", always=True)
    mode = ConsentMode(vendors=("meta",), ad_storage="ads")
    assert told_to_modes(None, [needed]) == {}
    for categories, security in (([needed], "needed"), ([needed, necessary], "necessary")):
        assert told_to_modes(mode, categories) == {
            "modes": {
                "ad_storage": "ads",
                "ad_user_data": "marketing",
                "ad_personalization": "marketing",
                "analytics_storage": "analytics",
                "functionality_storage": "preferences",
                "personalization_storage": "preferences",
                "security_storage": security,
            }
        }
