"""Which language a visitor reads, and how languages are named (BCP 47: RFC 5646 and RFC 4647).

Inside, tags are lower case, with hyphens, and of each language's names the one in use today.
"""

from __future__ import annotations

import re
from collections.abc import Collection

# The most of an Accept-Language header that is looked at: a browser sends some dozens of bytes.
_MOST_BYTES, _MOST_ENTRIES = 4096, 50

# RFC 4647, section 2.1: language-range = (1*8ALPHA *("-" 1*8alphanum)) / "*"
_RANGE = r"[a-z]{1,8}(?:-[a-z0-9]{1,8}){0,8}"
# RFC 9110, sections 12.4.2 and 12.5.4: weight = OWS ";" OWS "q=" qvalue, up to three decimals.
_ENTRY = re.compile(
    # No two runs of white space are next to each other: that would take quadratic time.
    rf"({_RANGE}|\*)(?:[ \t]*;[ \t]*q=(0(?:\.[0-9]{{0,3}})?|1(?:\.0{{0,3}})?))?",
    re.ASCII,
)
_TAG = re.compile(_RANGE, re.ASCII)

# Names that a language had earlier, or has as one of a group that is written alike (the registry
# of RFC 5646: Preferred-Value and Macrolanguage). "no" says no more than that it is Norwegian.
_NAMES = {
    "arb": "ar",
    "cmn": "zh",
    "ekk": "et",
    "in": "id",
    "iw": "he",
    "ji": "yi",
    "lvs": "lv",
    "mo": "ro",
    "no": "nb",
}
# Readers of the one read the other with ease (CLDR: languageMatching).
_NEAR = {"nn": "nb"}
_EXTENDED_CHINESE = re.compile(r"zh-[a-z]{3}(?=-|$)")  # "zh-cmn-hant", as it once was written
_TRADITIONAL = {"tw", "hk", "mo"}  # CLDR, likelySubtags: where Chinese is zh-Hant

_RIGHT_TO_LEFT = {"ar", "ckb", "dv", "fa", "he", "nqo", "ps", "sd", "syr", "ug", "ur", "yi"}
_RIGHT_TO_LEFT_SCRIPTS = {"adlm", "arab", "aran", "hebr", "nkoo", "rohg", "syrc", "thaa"}


def negotiate(asked: str, accepts: str, available: Collection[str], default: str) -> str:
    """Return which of the available languages fits best, or else "en". Never raises.

    First by `asked`, a language that was asked for by name, then by `accepts`, an Accept-Language
    header, then `default`. Each by lookup (RFC 4647, section 3.4): what is too narrow is cut down.
    """
    return (
        _lookup(asked[:100].strip(), available)
        or _accepted(accepts, available, default)
        or _lookup(default, available)
        or "en"
    )


def canonical(tag: str) -> str:
    """Return a tag as it is written in here: "no_NO" is "nb-no"."""
    tag = tag.lower().replace("_", "-")
    first, hyphen, rest = tag.partition("-")
    return _EXTENDED_CHINESE.sub("zh", _NAMES.get(first, first) + hyphen + rest)


def fallbacks(tag: str) -> tuple[str, ...]:
    """Return the canonical tags in which to look for a language, the narrowest first."""
    tag = canonical(tag)
    subtags = tag.split("-")
    found = ["-".join(subtags[:length]) for length in range(len(subtags), 0, -1)]
    if found[-1] == "zh" and len(found) > 1:
        found.insert(-1, f"zh-{_script(tag)}")
    if found[-1] in _NEAR:
        found.append(_NEAR[found[-1]])
    return tuple(dict.fromkeys(found))


def same(one: str, other: str) -> bool:
    """Say if whoever reads aloud may read both alike: "en" and "en-gb", but not "zh-hant"."""
    one, other = canonical(one), canonical(other)
    return one.partition("-")[0] == other.partition("-")[0] and _script(one) == _script(other)


def html_tag(tag: str) -> str:
    """Return a tag as it is written for others (RFC 5646, section 2.1.1): "pt-BR", "zh-Hant"."""
    first, *others = canonical(tag).split("-")
    written = [first]
    for subtag in others:
        if len(written[-1]) == 1:
            written.append(subtag)
        elif len(subtag) == 4 and subtag.isalpha():
            written.append(subtag.title())
        else:
            written.append(subtag.upper() if len(subtag) == 2 else subtag)
    return "-".join(written)


def direction_of(tag: str) -> str:
    """Return "rtl" for a language that is written from right to left, or else "ltr"."""
    tag = canonical(tag)
    script = _script(tag)
    to_left = script in _RIGHT_TO_LEFT_SCRIPTS if script else tag.split("-")[0] in _RIGHT_TO_LEFT
    return "rtl" if to_left else "ltr"


def _lookup(asked: str, available: Collection[str]) -> str:
    """Return the available language that is asked for, the narrowest, or ""."""
    asked = canonical(asked)
    if not _TAG.fullmatch(asked):
        return ""
    return next((tag for tag in fallbacks(asked) if tag in available), "")


def _accepted(accepts: str, available: Collection[str], default: str) -> str:
    """Return the available language that a header likes best, or ""."""
    weights = _weights(accepts)
    refused = {tag for tag, weight in weights.items() if not weight}
    liked = sorted((tag for tag in weights if weights[tag]), key=lambda tag: -weights[tag])
    for tag in liked:
        # Lookup has "*" stand for whatever would be shown to those who ask for nothing.
        found = _lookup(default if tag == "*" else tag, available)
        if found and not _is_refused(found, weights, refused):
            return found
    # A refused default is no good choice, unless there is nothing else.
    if _is_refused(_lookup(default, available), weights, refused) and "en" in available:
        return "" if _is_refused("en", weights, refused) else "en"
    return ""


def _is_refused(tag: str, weights: dict[str, float], refused: set[str]) -> bool:
    """Say if q=0 excludes a language: the narrowest entry that takes it in counts.

    "*;q=0" excludes nothing: something has to be shown.
    """
    if not refused:
        return False
    return next((one in refused for one in fallbacks(tag) if one in weights), False)


def _weights(accepts: str) -> dict[str, float]:
    """Return what a header says of each language, in its order, what is malformed left out."""
    entries = accepts[:_MOST_BYTES].lower().split(",", _MOST_ENTRIES)
    if len(accepts) > _MOST_BYTES or len(entries) > _MOST_ENTRIES:
        entries.pop()  # it may have lost its end, and with it what it said
    weights: dict[str, float] = {}
    for entry in entries:
        if found := _ENTRY.fullmatch(entry.strip(" \t")):
            weights.setdefault(canonical(found[1]), float(found[2] or 1))
    return weights


def _script(tag: str) -> str:
    """Return the script that a canonical tag names; Chinese has always one. "": the usual one."""
    subtags = tag.split("-")[1:]
    if subtags and len(subtags[0]) == 4 and subtags[0].isalpha():
        return subtags[0]
    if tag.partition("-")[0] == "zh":
        return "hant" if _TRADITIONAL.intersection(subtags[:1]) else "hans"
    return ""
