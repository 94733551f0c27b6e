"""What visitors read, in 32 languages: drafts, each as complete as the English texts."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

import consentgate

FOLDER = Path(consentgate.__file__).with_name("pages") / "texts"
# The 24 official languages of the European Union, and eight more.
LANGUAGES = [
    "bg",
    "cs",
    "da",
    "de",
    "el",
    "en",
    "es",
    "et",
    "fi",
    "fr",
    "ga",
    "hr",
    "hu",
    "it",
    "lt",
    "lv",
    "mt",
    "nl",
    "pl",
    "pt",
    "ro",
    "sk",
    "sl",
    "sv",
    "ar",
    "he",
    "is",
    "ja",
    "nb",
    "tr",
    "uk",
    "zh",
]
NAMES = re.compile(r"\{[a-z]+\}")


def read(language: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / f"{language}.toml").read_text("utf-8"))


def flat(texts: dict[str, Any]) -> dict[tuple[str, ...], str]:
    """Every text by its keys; of durations only the unit, for plural forms differ."""
    found: dict[tuple[str, ...], str] = {}
    for key, value in texts.items():
        if not isinstance(value, dict):
            found[(key,)] = value
            continue
        for inner, text in value.items():
            found[key, inner] = text["other"] if isinstance(text, dict) else text
    return found


ENGLISH = flat(read("en"))


def test_there_are_thirty_two_languages() -> None:
    """No more, no fewer, and each under its own code."""
    assert sorted(path.stem for path in FOLDER.glob("*.toml")) == sorted(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_missing_or_empty(language: str) -> None:
    """The same keys as in English; "signed" alone is empty, until somebody has read a draft."""
    texts = flat(read(language))
    assert texts.keys() == ENGLISH.keys()
    assert [key for key, text in texts.items() if not text and key != ("signed",)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_has_the_names_that_it_must_hold(language: str) -> None:
    """In braces, as in English; and no HTML."""
    texts = flat(read(language))
    for key, text in texts.items():
        assert sorted(NAMES.findall(text)) == sorted(NAMES.findall(ENGLISH[key])), key
        assert "<" not in text


def test_arabic_and_hebrew_run_from_right_to_left() -> None:
    """All others from left to right."""
    assert [one for one in LANGUAGES if read(one)["direction"] == "rtl"] == ["ar", "he"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_to_refuse_is_said_as_to_accept_is(language: str) -> None:
    """In as many words, but for what grammar wants; on the banner and among the choices alike."""
    banner, preferences = read(language)["banner"], read(language)["preferences"]
    accept, reject = banner["accept"], banner["reject"]
    assert (preferences["accept"], preferences["reject"]) == (accept, reject)
    assert abs(len(reject.split()) - len(accept.split())) <= 1
    assert len(reject) <= 1.4 * len(accept) <= 2 * len(reject)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_draft_says_that_it_is_one(language: str) -> None:
    """Until a native speaker has signed it."""
    marked = "# Drafted by machine" in (FOLDER / f"{language}.toml").read_text("utf-8")
    assert marked == (not read(language)["signed"])
