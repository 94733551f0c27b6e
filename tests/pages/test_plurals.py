"""Plural forms of whole numbers, as CLDR has them."""

from __future__ import annotations

import pytest

from consentgate.pages.plurals import plural
from consentgate.pages.texts import built_in, built_in_languages

# The samples that CLDR itself gives for whole numbers, and what is right before and after them.
SAMPLES = {
    "ar": {
        "zero": [0],
        "one": [1],
        "two": [2],
        "few": [3, 10, 103, 110, 1003],
        "many": [11, 26, 99, 111, 1011],
        "other": [100, 102, 200, 202, 1000, 10_000],
    },
    "cs": {"one": [1], "few": [2, 3, 4], "other": [0, 5, 19, 22, 100, 101, 102, 1000]},
    "de": {"one": [1], "other": [0, 2, 11, 16, 21, 100, 101, 1000]},
    "fr": {"one": [0, 1], "other": [2, 11, 17, 21, 100, 101, 1000]},
    "ga": {
        "one": [1],
        "two": [2],
        "few": [3, 4, 5, 6],
        "many": [7, 8, 9, 10],
        "other": [0, 11, 12, 13, 17, 25, 100, 103, 1000],
    },
    "he": {"one": [1], "two": [2], "other": [0, 3, 10, 17, 20, 100, 102, 1000]},
    "hr": {
        "one": [1, 21, 31, 101, 1001],
        "few": [2, 4, 22, 34, 102, 1002],
        "other": [0, 5, 11, 12, 14, 19, 20, 25, 100, 111, 112, 1000],
    },
    "is": {"one": [1, 21, 31, 101, 1001], "other": [0, 2, 11, 16, 20, 100, 111, 1000]},
    "ja": {"other": [0, 1, 2, 15, 100]},
    "lt": {
        "one": [1, 21, 31, 101, 1001],
        "few": [2, 9, 22, 29, 102, 1002],
        "other": [0, 10, 11, 12, 19, 20, 30, 100, 111, 1000],
    },
    "lv": {
        "zero": [0, 10, 11, 19, 20, 30, 100, 111, 1000],
        "one": [1, 21, 31, 101, 1001],
        "other": [2, 9, 22, 29, 102, 1002],
    },
    "mt": {
        "one": [1],
        "two": [2],
        "few": [0, 3, 10, 103, 109, 1003],
        "many": [11, 12, 19, 111, 117, 1011],
        "other": [20, 35, 100, 101, 102, 1000],
    },
    "pl": {
        "one": [1],
        "few": [2, 4, 22, 24, 32, 102, 1002],
        "many": [0, 5, 11, 12, 14, 19, 20, 21, 25, 100, 101, 111, 112, 1000],
    },
    "ro": {
        "one": [1],
        "few": [0, 2, 16, 19, 101, 102, 119, 1001],
        "other": [20, 35, 100, 120, 200, 1000],
    },
    "sl": {
        "one": [1, 101, 201, 1001],
        "two": [2, 102, 202, 1002],
        "few": [3, 4, 103, 104, 1003],
        "other": [0, 5, 11, 12, 19, 21, 100, 105, 1000],
    },
    "uk": {
        "one": [1, 21, 31, 101, 1001],
        "few": [2, 4, 22, 24, 102, 1002],
        "many": [0, 5, 11, 12, 14, 19, 20, 25, 100, 111, 112, 1000],
    },
}
LIKE = {
    "de": "bg da el en es et fi hu it nb nl sv tr ca",
    "fr": "pt pt-br",
    "cs": "sk",
    "hr": "bs sr",
    "is": "mk",
    "ja": "zh zh-hant ko",
    "uk": "be ru",
}


@pytest.mark.parametrize("language", SAMPLES)
def test_each_number_has_the_form_that_cldr_gives_it(language: str) -> None:
    """In every language that has a rule of its own."""
    for form, counts in SAMPLES[language].items():
        assert {count: plural(language, count) for count in counts} == dict.fromkeys(counts, form)


@pytest.mark.parametrize(("language", "others"), LIKE.items())
def test_other_languages_count_like_these(language: str, others: str) -> None:
    """In whole numbers: CLDR tells some of them apart in fractions, or in millions."""
    for other in others.split():
        for count in range(2000):
            assert plural(other, count) == plural(language, count)


def test_every_built_in_language_is_among_them() -> None:
    """None is counted like English by mistake."""
    checked = {*SAMPLES, *" ".join(LIKE.values()).split()}
    assert built_in_languages() - checked == set()


@pytest.mark.parametrize("language", sorted(built_in_languages()))
def test_durations_have_exactly_the_forms_that_numbers_can_have(language: str) -> None:
    """And "other", which CLDR has in every language, for fractions."""
    forms = {plural(language, count) for count in range(2000)} | {"other"}
    assert {unit: set(table) for unit, table in built_in(language).forms.items()} == dict.fromkeys(
        ("second", "minute", "hour", "day", "week", "month", "year"), forms
    )
