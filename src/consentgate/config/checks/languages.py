"""Checks of the languages that a policy names: of its own texts, and of [texts.*]."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from ...core.policy import Pages, Policy
from ...pages.languages import direction_of, fallbacks
from ...pages.texts import built_in_languages
from ..problems import Fault, Path, did_you_mean, kind_of
from ..wording import built_in_base

# BCP 47, as far as languages, scripts, regions and variants go: "de", "pt-BR", "zh-Hant-TW".
_TAG = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{1,8})*", re.IGNORECASE | re.ASCII)
# Codes of countries that are no codes of languages, and the languages that were meant.
_COUNTRIES = {"cn": "zh", "cz": "cs", "dk": "da", "gb": "en", "gr": "el", "jp": "ja", "ua": "uk"}
_DIRECTIONS = {"ltr": "left to right", "rtl": "right to left"}


def policy_language(policy: Policy) -> Iterator[Fault]:
    """Check the language in which a policy's own texts are."""
    language, place = policy.pages.language, ("pages", "language")
    if language == Pages().language:
        return
    if fault := _tag_fault(language, place):
        yield fault
    elif not built_in_base(language) and not any(
        tag in policy.texts for tag in (language.lower(), *fallbacks(language))
    ):
        message = f"there are no texts in {language!r}, neither built in nor in this policy"
        built_in = ", ".join(sorted(built_in_languages()))
        yield _fault("CG601", place, message, f"add [texts.{language}]; built in are {built_in}")


def texts_language(language: str, tables: Collection[str], place: Path) -> Fault | None:
    """Return what is wrong with a language of [texts.*]; `tables` are those inside of it."""
    if language in tables:
        message = f"{language!r} stands where the language belongs"
        return _fault("CG601", place, message, f"write [texts.en.{language}], or another language")
    if fault := _tag_fault(language, place):
        return fault
    if language != language.lower():  # a file's are made so
        message = f"{language!r} is not in lower case"
        return _fault("CG601", place, message, f"write {language.lower()!r}")
    return None


def direction_faults(language: str, direction: object, place: Path) -> Iterator[Fault]:
    """Check the direction of a language of [texts.*]."""
    usual = direction_of(language)
    if not isinstance(direction, str):
        message = f"must be text, not {kind_of(direction)}"
        yield _fault("CG102", place, message, f'write direction = "{usual}"')
    elif direction not in _DIRECTIONS:
        remedy = did_you_mean(direction, _DIRECTIONS) or 'write "ltr" or "rtl"'
        yield _fault("CG104", place, f"direction cannot be {direction!r}", remedy)
    elif direction != usual and built_in_base(language):
        message = f"{language!r} runs from {_DIRECTIONS[usual]}"
        remedy = "leave direction out: it is for languages that are not built in"
        yield _fault("CG104", place, message, remedy)


def _tag_fault(tag: str, place: Path) -> Fault | None:
    if meant := _COUNTRIES.get(tag.lower()):
        message = f"{tag!r} is the code of a country, not of a language"
        return _fault("CG601", place, message, f"did you mean {meant!r}?")
    if _TAG.fullmatch(tag):
        return None
    remedy = 'write a tag as BCP 47 has it: "de", "pt-BR", "zh-Hant"'
    if _TAG.fullmatch(hyphened := tag.replace("_", "-")):
        remedy = f"did you mean {hyphened!r}?"
    return _fault("CG601", place, f"{tag!r} is no tag of a language", remedy)


def _fault(code: str, place: Path, message: str, remedy: str) -> Fault:
    return Fault(code=code, path=place, message=message, remedy=remedy)
