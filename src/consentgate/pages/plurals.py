"""The plural forms of whole numbers: "1 day", "2 days".

From CLDR, the Unicode Common Locale Data Repository, version 49: supplemental/plurals.xml
(https://www.unicode.org/cldr/charts/latest/supplemental/language_plural_rules.html), reduced to
whole numbers below a million. Forms that CLDR keeps for fractions and millions alone are not here.
"""

from __future__ import annotations

from collections.abc import Callable


def plural(language: str, count: int) -> str:
    """Return the form that a count has: "zero", "one", "two", "few", "many" or "other"."""
    return _RULES.get(language.partition("-")[0], _english)(count)


def _english(count: int) -> str:
    return "one" if count == 1 else "other"


def _arabic(count: int) -> str:
    if count <= 2:
        return ("zero", "one", "two")[count]
    rest = count % 100
    return "few" if 3 <= rest <= 10 else "many" if rest >= 11 else "other"


def _czech(count: int) -> str:
    return "one" if count == 1 else "few" if 2 <= count <= 4 else "other"


def _croatian(count: int) -> str:
    return {"many": "other"}.get(_ukrainian(count), _ukrainian(count))


def _french(count: int) -> str:
    return "one" if count <= 1 else "other"


def _hebrew(count: int) -> str:
    return "one" if count == 1 else "two" if count == 2 else "other"


def _icelandic(count: int) -> str:
    return "one" if count % 10 == 1 and count % 100 != 11 else "other"


def _irish(count: int) -> str:
    if 1 <= count <= 2:
        return "one" if count == 1 else "two"
    return "few" if 3 <= count <= 6 else "many" if 7 <= count <= 10 else "other"


def _japanese(count: int) -> str:
    return "other"


def _latvian(count: int) -> str:
    if count % 10 == 0 or 11 <= count % 100 <= 19:
        return "zero"
    return "one" if count % 10 == 1 else "other"


def _lithuanian(count: int) -> str:
    if count % 10 == 0 or 11 <= count % 100 <= 19:
        return "other"
    return "one" if count % 10 == 1 else "few"


def _maltese(count: int) -> str:
    if 1 <= count <= 2:
        return "one" if count == 1 else "two"
    rest = count % 100
    if count == 0 or 3 <= rest <= 10:
        return "few"
    return "many" if 11 <= rest <= 19 else "other"


def _polish(count: int) -> str:
    if count == 1:
        return "one"
    return "few" if 2 <= count % 10 <= 4 and not 12 <= count % 100 <= 14 else "many"


def _romanian(count: int) -> str:
    if count == 1:
        return "one"
    return "few" if count == 0 or 1 <= count % 100 <= 19 else "other"


def _slovenian(count: int) -> str:
    return {1: "one", 2: "two", 3: "few", 4: "few"}.get(count % 100, "other")


def _ukrainian(count: int) -> str:
    if count % 10 == 1 and count % 100 != 11:
        return "one"
    return "few" if 2 <= count % 10 <= 4 and not 12 <= count % 100 <= 14 else "many"


# All others as in English. Some have no texts here, and may get them from a policy.
_RULES: dict[str, Callable[[int], str]] = {
    "ar": _arabic,
    "be": _ukrainian,
    "bs": _croatian,
    "cs": _czech,
    "fr": _french,
    "ga": _irish,
    "he": _hebrew,
    "hr": _croatian,
    "is": _icelandic,
    "ja": _japanese,
    "ko": _japanese,
    "lt": _lithuanian,
    "lv": _latvian,
    "mk": _icelandic,
    "mt": _maltese,
    "pl": _polish,
    "pt": _french,
    "ro": _romanian,
    "ru": _ukrainian,
    "sk": _czech,
    "sl": _slovenian,
    "sr": _croatian,
    "uk": _ukrainian,
    "zh": _japanese,
}
