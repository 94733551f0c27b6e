"""A file that describes a dark pattern is refused, with the rule that it breaks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from config.samples import load
from config.test_typos import slips
from consentgate import Policy
from consentgate.config import dark_patterns, inspect, known
from consentgate.config.checks import law_faults
from consentgate.core.policy import Banner

PRE_GRANTED = ["pre_granted", "preselected", "checked", "granted", "enabled", "on", "preTicked"]


def errors_of(folder: Path, text: str) -> list[tuple[str, str]]:
    """Return code and key of every error of a file with these lines."""
    (folder / "a.toml").write_text(f'version = "1"\n{text}\n')
    _, problems = inspect(folder / "a.toml")
    return [(one.code, one.key) for one in problems if one.severity == "error"]


@pytest.mark.parametrize("line", ['default = "granted"', *(f"{key} = true" for key in PRE_GRANTED)])
def test_no_optional_category_is_granted_beforehand(tmp_path: Path, line: str) -> None:
    """CJEU C-673/17 Planet49: a box that is ticked beforehand is no consent."""
    found = errors_of(tmp_path, f"[categories.ads]\n{line}")
    assert found == [("CG401", f"categories.ads.{line.split()[0]}")]


@pytest.mark.parametrize("table", ["", "[consent]\n", "[banner]\n"])
@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("implied = true", "CG401"),
        ("scroll = true", "CG401"),
        ("accept_on_scroll = true", "CG401"),
        ("accept-on-close = true", "CG401"),
        ('default = "accepted"', "CG401"),
        ("reject_button = false", "CG402"),
        ("hide_reject = true", "CG402"),
        ("cookie_wall = true", "CG402"),
        ('wall = "on"', "CG402"),
        ("withdraw = false", "CG404"),
        ("withdrawal = false", "CG404"),
        ('reopen = "never"', "CG404"),
    ],
)
def test_the_words_of_other_tools_are_known(
    tmp_path: Path, table: str, line: str, code: str
) -> None:
    """At the top, in [consent] and in [banner], wherever somebody would look for them."""
    key = ".".join([*([table.strip("[]\n")] if table else []), line.split()[0]])
    assert errors_of(tmp_path, table + line) == [(code, key)]


@pytest.mark.parametrize(
    "text",
    [
        '[categories.ads]\ndefault = "denied"',
        "[categories.ads]\nchecked = false",
        "[categories.ads]\non = 1",
        "[categories.necessary]\nalways = true\nenabled = true",
        "[categories.ads]\ncookie_wall = true",
        "cookie_wall = false",
        "hide_reject = false",
        "withdraw = true",
        "[banner]\nenabled = true",
        "[gpc]\nimplied = true",
    ],
)
def test_a_word_that_harms_nobody_is_only_unknown(tmp_path: Path, text: str) -> None:
    """Some values mean the opposite, and some places give the word another meaning."""
    assert [code for code, _ in errors_of(tmp_path, text)] == ["CG101"]


def test_no_typo_of_a_known_key_is_a_dark_pattern() -> None:
    """One slip away from a key stands none of the words, so the key that was meant is suggested."""
    words = {*dark_patterns._IN_CATEGORIES, *dark_patterns._ELSEWHERE}
    keys = {*known.TOP, *known.CONSENT, *known.BANNER, *known.CATEGORY}
    assert words & {slip for key in keys for slip in slips(key)} == set()
    assert words & keys == set()


# --- what keys of ours can say --------------------------------------------------------------------


def faults(**fields: Any) -> list[tuple[str, str]]:
    """Return code and message of every fault of a policy with these fields."""
    found = law_faults(Policy(version="1", **fields))
    return [(fault.code, fault.message) for fault in found]


@pytest.mark.parametrize(
    ("buttons", "codes"),
    [
        (("accept", "reject", "settings"), []),
        (("reject", "accept"), []),
        (("settings", "reject", "accept"), []),
        (("reject",), []),
        (("settings",), []),
        ((), ["CG402"]),
        (("accept",), ["CG402"]),
        (("accept", "settings"), ["CG402"]),
        (("accept", "refuse"), ["CG104", "CG402"]),
        (("accept", "reject", "accept"), ["CG104"]),
    ],
)
def test_whoever_can_accept_can_refuse_as_easily(
    buttons: tuple[str, ...], codes: list[str]
) -> None:
    """GDPR 7(3), CNIL 2020-092: on the same layer, in whatever order."""
    assert [code for code, _ in faults(banner=Banner(buttons=buttons))] == codes


@pytest.mark.parametrize(
    ("accepted", "refused", "message"),
    [
        (86_400, 86_400, None),
        (86_400, 86_401, None),
        (172_800, 86_400, "a no is asked about again after 1 day, a yes only after 2 days: "),
        (90, 30, "a no is asked about again after 30 seconds, a yes only after 90 seconds: "),
    ],
)
def test_a_no_lasts_as_long_as_a_yes(accepted: int, refused: int, message: str | None) -> None:
    """Asking sooner after a no than after a yes wears people down."""
    found = faults(accepted_for=accepted, refused_for=refused)
    why = "that presses for a yes (CNIL 2020-092, where both are kept alike)"
    assert found == ([] if message is None else [("CG403", message + why)])


def test_a_lifetime_that_cannot_be_read_is_not_compared(tmp_path: Path) -> None:
    """What stands at its default because of another mistake is no second one."""
    text = '[consent]\naccepted_for = "half a day"\nrefused_for = "1 month"'
    assert errors_of(tmp_path, text) == [("CG205", "consent.accepted_for")]


def test_lifetimes_are_written_as_durations(tmp_path: Path) -> None:
    """As the durations of cookies are; what is left out is half a year."""
    policy = load(tmp_path, 'version = "1"\n[consent]\nrefused_for = "1 year"\n')
    assert (policy.accepted_for, policy.refused_for) == (182 * 86_400, 365 * 86_400)
