"""The texts that a policy brings along for its visitors; every mistake is in golden/texts.toml."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from config.samples import ENVIRON, load
from consentgate import Category, ConfigError, Policy, Rule, load_policy
from consentgate.config import gate_of, inspect, wording
from consentgate.core.policy import Change
from consentgate.pages.texts import Library

HEAD = 'version = "1"\n[categories.analytics]\ntitle = "Analytics"\ncookies = ["_ga*"]\n'


def said(folder: Path, text: str) -> list[str]:
    """Return every problem of a file with this text, what visitors are not told left out."""
    (folder / "a.toml").write_text(HEAD + text, "utf-8")
    _, problems = inspect(folder / "a.toml")
    return [
        f"{one.line} {one.severity}[{one.code}] {one.message} ({one.key}) | {one.remedy}"
        for one in problems
        if one.code != "CG508"
    ]


def problems_of(texts: Any, **fields: Any) -> list[tuple[str, str, str]]:
    """Return code, key and message of every problem of a Policy with these texts."""
    try:
        gate_of(Policy(version="1", texts=texts, **fields), environ=ENVIRON)
    except ConfigError as error:
        return [(one.code, one.key, one.message) for one in error.problems]
    return []


def test_a_language_is_known_in_lower_case(tmp_path: Path) -> None:
    """However the file writes it, and with all else as it stands there."""
    policy = load(tmp_path, f'{HEAD}[texts.pt-BR.banner]\ntitle = "Sua privacidade"\n')
    assert policy.texts == {"pt-br": {"banner": {"title": "Sua privacidade"}}}


def test_a_problem_stands_where_the_file_has_the_language(tmp_path: Path) -> None:
    """With the key as it is written there, and the line."""
    assert said(tmp_path, '[texts.pt-BR.banner]\ntitel = "Sua privacidade"\n') == [
        "6 error[CG101] unknown key 'titel' (texts.pt-BR.banner.titel) | did you mean 'title'?"
    ]


def test_every_built_in_text_can_be_replaced(tmp_path: Path) -> None:
    """The English texts themselves, in the place of the German ones, are no mistake."""
    lines = []
    for table, texts in wording.english().items():
        if table not in ("durations", "categories"):
            lines.append(f"[texts.de.{table}]")
            lines += [f"{key} = '''{text}'''" for key, text in texts.items()]
    lines += ["[texts.de.durations]", 'month = { one = "a month", other = "{count} months" }']
    assert said(tmp_path, "\n".join(lines)) == []


def test_what_the_policy_says_can_be_translated(tmp_path: Path) -> None:
    """Short or long, also of the necessary category, which is there in any case."""
    text = (
        '[[changes]]\nversion = "1"\ndate = 2026-11-01\ntext = "Analytics was added."\n'
        '[texts.de]\ncategories = { necessary = "Nötiges", analytics = { title = "Statistik" } }\n'
        'cookies = { "_ga*" = "Zählt {Besucher}" }\nchanges = { 1 = "Statistik kam dazu." }\n'
    )
    assert said(tmp_path, text) == []


@pytest.mark.parametrize("language", ["pt-BR", "zh-Hant", "sr-Latn-RS", "en-001", "de-1996", "no"])
def test_every_kind_of_tag_is_taken(tmp_path: Path, language: str) -> None:
    """With scripts, regions and variants, and a language by its earlier name."""
    text = f'[pages]\nlanguage = "{language}"\n[texts.{language}.banner]\ntitle = "x"\n'
    assert [one for one in said(tmp_path, text) if "CG511" not in one] == []


def test_a_direction_may_say_what_is_known(tmp_path: Path) -> None:
    """Of a built-in language it can say nothing else; of others it is taken."""
    text = '[texts.ar]\ndirection = "rtl"\n[texts.de-at]\ndirection = "ltr"\n'
    assert said(tmp_path, text) == []
    assert [one.split(" | ")[0] for one in said(tmp_path, '[texts.he]\ndirection = "ltr"\n')] == [
        "6 error[CG104] 'he' runs from right to left (texts.he.direction)"
    ]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('[texts.de.banner]\nreject = "alle  AKZEPTIEREN"', "texts.de.banner.reject"),
        ('[texts.de.banner]\naccept = "Weiter"\nreject = "Weiter"', "texts.de.banner.reject"),
        ('[texts.en.preferences]\naccept = "Reject all"', "texts.en.preferences.accept"),
        ('[texts.en-gb.preferences]\naccept = "Reject all"', "texts.en-gb.preferences.accept"),
        ('[texts.eu.banner]\naccept = "Reject all"', "texts.eu.banner.accept"),
    ],
)
def test_accepting_and_refusing_are_told_apart(tmp_path: Path, text: str, key: str) -> None:
    """Whichever of the two words is the policy's, and whatever the other comes from."""
    (tmp_path / "a.toml").write_text(HEAD + text, "utf-8")
    with pytest.raises(ConfigError) as caught:
        load_policy(tmp_path / "a.toml")
    assert [(one.code, one.key) for one in caught.value.problems] == [("CG402", key)]


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ('[texts.de.banner]\naccept = "✓"', ["error[CG603]"]),
        ('[texts.de.banner]\nreject = "✕"', ["error[CG402]"]),
        ('[texts.de.preferences]\nreject = ""', ["error[CG402]"]),
        ('[texts.de.preferences]\nsave = "\u200b"', ["error[CG603]"]),
        ('[texts.de.opt_out]\nbutton = " "', ["error[CG402]"]),
        ('[texts.de.signal]\nsent = "\u200b"', ["error[CG603]"]),
        ('[texts.de.categories]\nanalytics = ""', ["error[CG603]"]),
        ('[texts.de.declaration]\nfirst_party = "–"', []),
    ],
)
def test_buttons_have_words_and_all_else_something(
    tmp_path: Path, text: str, codes: list[str]
) -> None:
    """A button that only shows a sign, or nothing, is none; any other text may be a dash."""
    assert [one.split()[1] for one in said(tmp_path, text)] == codes


def test_a_language_that_lacks_texts_is_doubted_when_a_file_is_checked(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """With the language that visitors read instead; never where another one stands behind."""
    text = (
        '[pages]\nlanguage = "de-AT"\n[texts.eu.banner]\nlabel = "Pribatutasuna"\n'
        '[texts.eu-fr.banner]\nlabel = "Pribatutasuna"\n[texts.fr-ca.banner]\nlabel = "x"\n'
    )
    count = sum(len(texts) for table, texts in wording.english().items() if table != "categories")
    assert said(tmp_path, text) == [
        f"7 warning[CG511] 'eu' lacks {count - 1} of {count} texts, and visitors read them in "
        "'de': banner.title, banner.text, banner.accept and others (texts.eu) | add them: "
        "pages/texts/en.toml in the package has them all in English"
    ]
    with caplog.at_level(logging.DEBUG, "consentgate"):
        load_policy(tmp_path / "a.toml")
    assert caplog.messages == []


def test_what_is_no_language_is_told_once(tmp_path: Path) -> None:
    """It lacks texts, too, but that is no news."""
    found = said(tmp_path, '[texts.german.banner]\ntitle = "x"\n[texts.banner]\ntitle = "x"\n')
    assert [one.split(" (")[0] for one in found] == [
        "5 error[CG601] 'german' is no tag of a language",
        "7 error[CG601] 'banner' stands where the language belongs",
    ]


def test_a_language_that_has_all_texts_is_not_doubted(tmp_path: Path) -> None:
    """Whoever adds a language can see when it is done."""
    lines = ["[texts.eu]", 'direction = "ltr"']
    for table, texts in wording.english().items():
        if table == "durations":
            lines += [f"durations.{unit} = {{ other = '{text}' }}" for unit, text in texts.items()]
        elif table != "categories":
            lines += [f"{table}.{key} = '''{text}'''" for key, text in texts.items()]
    assert said(tmp_path, "\n".join(lines)) == []


def test_a_policy_without_texts_reads_none(tmp_path: Path) -> None:
    """Nobody waits at the start for what is not used."""
    wording.english.cache_clear()
    load(tmp_path, HEAD)
    assert wording.english.cache_info().currsize == 0


# --- built in Python ------------------------------------------------------------------------------


def test_texts_in_python_are_checked_as_a_files_are() -> None:
    """The same mistakes, at their fields."""
    rule = Rule(name="_ga*", category="analytics")
    found = problems_of(
        {
            "pt-BR": {"banner": {"title": "Sua privacidade"}},
            "de": {"banner": {"accept": 1, "titel": "x"}, "cookies": {"_ga": "x"}, "table": "x"},
            "eu": {"durations": {"day": {"one": b"x"}}, "changes": {"1": "x", "2": "x"}},
            "fr": "français",
            "nb": {},
            "no": {},
        },
        categories=(Category(id="analytics", rules=(rule,)),),
        changes=(Change(version="1", date="2026-11-01", text="x"),),
    )
    assert found == [
        ("CG601", "texts.pt-BR", "'pt-BR' is not in lower case"),
        ("CG102", "texts.de.banner.accept", "must be text, not a number"),
        ("CG101", "texts.de.banner.titel", "unknown key 'titel'"),
        ("CG604", "texts.de.cookies._ga", "no rule has the name '_ga'"),
        ("CG102", "texts.de.table", "must be a table, not text"),
        ("CG102", "texts.eu.durations.day.one", "must be text, not bytes"),
        ("CG103", "texts.eu.durations.day.other", "the form for all other numbers is missing"),
        ("CG604", "texts.eu.changes.2", "no change has the version '2'"),
        ("CG102", "texts.fr", "must be a table, not text"),
        ("CG202", "texts.no", "'no' is the same language; the other is texts.nb"),
    ]


@pytest.mark.parametrize(
    ("texts", "key", "message"),
    [
        (None, "texts", "must be a mapping, not None"),
        ([], "texts", "must be a mapping, not a list"),
        ({1: {}}, "texts", "must have text for its keys, not a number"),
        ({"de": {None: {}}}, "texts.de", "must have text for its keys, not None"),
        (
            {"de": {"durations": {"day": {1: "x"}}}},
            "texts.de.durations.day",
            "must have text for its keys, not a number",
        ),
    ],
)
def test_texts_have_text_for_keys_all_the_way_down(texts: Any, key: str, message: str) -> None:
    """What has other keys, or is no mapping, is named before anything else."""
    assert problems_of(texts) == [("CG102", key, message)]


def test_texts_without_end_are_refused() -> None:
    """A mapping that holds itself is a mistake like others."""
    texts: dict[str, Any] = {"banner": {}}
    texts["banner"]["title"] = texts
    texts["categories"] = {"necessary": {"title": texts}}
    assert problems_of({"de": texts}) == [
        ("CG102", "texts.de.banner.title", "must be text, not a table"),
        ("CG102", "texts.de.categories.necessary.title", "must be text, not a table"),
    ]


def test_what_is_taken_is_what_visitors_read() -> None:
    """A text that passes the checks is never passed over where it is put into words."""
    texts = {"de": {"preferences": {"version": "Fassung {version}", "save": "Merken"}}}
    assert problems_of(texts) == []
    words = Library(Policy(version="1", texts=texts)).words("de")
    assert (words.text("preferences.version", version="1"), words.text("preferences.save")) == (
        "Fassung 1",
        "Merken",
    )
