"""Keys that other tools have, and that describe what no policy may say: dark patterns.

consentgate has none of these keys. Whoever writes one is told which rule it breaks, and not only
that the key is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from .problems import Fault, Path


class _Pattern(NamedTuple):
    """What a key would do. `wanted`: whether it does so when true, or when false."""

    code: str
    wanted: bool
    does: str
    rule: str
    remedy: str


_WAITS = "take the line out: an optional category waits for a yes, everywhere"
_GRANTED = _Pattern(
    "CG401",
    True,
    "grants something optional before the visitor says so",
    "CJEU C-673/17 Planet49; GDPR recital 32",
    _WAITS,
)
_IMPLIED = _GRANTED._replace(
    does="takes for a yes what is none", rule="GDPR article 4(11) and recital 32"
)
_HARDER = _Pattern(
    "CG402",
    True,
    "makes refusing harder than accepting",
    "GDPR article 7(3); CNIL 2020-092",
    'take the line out; [banner] buttons = ["accept", "reject", "settings"] is the default',
)
_WALL = _HARDER._replace(
    does="makes a yes the price of the site",
    rule="GDPR article 7(4); EDPB guidelines 05/2020",
    remedy="take the line out: who refuses sees the same pages",
)
_NO_WAY_BACK = _Pattern(
    "CG404",
    False,
    "leaves no way back from a yes",
    "GDPR article 7(3)",
    "take the line out: the preferences page is there for every visitor, at any time",
)

_IN_CATEGORIES = dict.fromkeys(
    (
        *("default", "default_on", "granted", "pre_granted", "pregranted", "preselected"),
        *("pre_selected", "preticked", "pre_ticked", "prechecked", "pre_checked", "checked"),
        *("selected", "ticked", "enabled", "on"),
    ),
    _GRANTED,
)
_ELSEWHERE = {
    **dict.fromkeys(
        (
            *("default", "pre_granted", "pregranted", "preselected", "pre_selected", "preticked"),
            *("pre_ticked", "prechecked", "pre_checked"),
        ),
        _GRANTED,
    ),
    **dict.fromkeys(
        (
            *("implied", "implied_consent", "scroll", "accept_on_scroll", "consent_on_scroll"),
            *("accept_on_close", "close_accepts", "accept_on_navigation", "accept_on_continue"),
        ),
        _IMPLIED,
    ),
    **dict.fromkeys(("hide_reject", "hide_reject_button", "no_reject"), _HARDER),
    **dict.fromkeys(
        ("reject", "reject_button", "reject_all", "show_reject", "show_reject_button"),
        _HARDER._replace(wanted=False),
    ),
    **dict.fromkeys(("wall", "cookie_wall", "consent_wall"), _WALL),
    **dict.fromkeys(
        ("withdraw", "withdrawal", "allow_withdrawal", "reopen", "allow_reopen", "revocable"),
        _NO_WAY_BACK,
    ),
}
_YES = frozenset(
    ("true", "yes", "on", "always", "grant", "granted", "accept", "accepted", "allow", "allowed")
)
_NO = frozenset(("false", "no", "off", "never", "none", "hidden"))


def dark_pattern(at: Path, key: str, value: object, table: Mapping[str, object]) -> Fault | None:
    """Return what to say of an unknown key of this table, if it describes a dark pattern."""
    word = key.lower().replace("-", "_")
    if len(at) == 2 and at[0] == "categories" and table.get("always") is not True:
        found = _IN_CATEGORIES.get(word)
    elif at in ((), ("consent",), ("banner",)):
        found = _ELSEWHERE.get(word)
    else:
        return None
    if found is None or _means(value) is not found.wanted:
        return None
    shown = f'"{value}"' if isinstance(value, str) else str(value).lower()
    return Fault(
        code=found.code,
        path=(*at, key),
        message=f"{key} = {shown} {found.does} ({found.rule})",
        remedy=found.remedy,
    )


def _means(value: object) -> bool | None:
    """Say whether a value means yes or no, or None where it means something else."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        word = value.strip().lower()
        return True if word in _YES else False if word in _NO else None
    return None
