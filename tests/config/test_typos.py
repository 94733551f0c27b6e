"""A typo in a key is never silently ignored."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from config.samples import FULL, beside_templates, load
from consentgate import ConfigError, load_gate
from consentgate.config import inspect

# All that a slip of the finger puts into a key. Not "#", which takes the line out of the file:
# that is a change of the file, and no typo.
LETTERS = string.ascii_letters + string.digits + "_-. \"'=[]{},:;/\\\n\té"

# Keys, and the names of tables but for the ids of categories and the languages, which are the
# operator's own.
KEYS = [
    match.span("key")
    for match in re.finditer(
        r"(?:^\[{0,2}(?:texts\.de\.)?|\{ |, )(?P<key>[a-z_]+)(?=(?:\.[a-z]+)?\]| = )",
        FULL,
        re.MULTILINE,
    )
]


def slips(word: str) -> Iterator[str]:
    """Yield every word that one slip makes: a letter lost, doubled, wrong, or two exchanged."""
    for at in range(len(word) + 1):
        yield word[:at] + word[at + 1 :]
        for letter in LETTERS:
            yield word[:at] + letter + word[at:]
            yield word[:at] + letter + word[at + 1 :]
        yield word[:at] + word[at : at + 2][::-1] + word[at + 2 :]


def all_slips() -> list[tuple[int, int, str]]:
    return [
        (start, end, slip)
        for start, end in KEYS
        for slip in slips(FULL[start:end])
        if slip != FULL[start:end]
    ]


def test_the_keys_to_mutate_are_those_of_the_file() -> None:
    """The law would hold of nothing if no key were found."""
    words = [FULL[start:end] for start, end in KEYS]
    assert (len(words), len(set(words)), len(all_slips()) > 10_000) == (133, 92, True)


def test_a_typo_in_a_key_is_refused_or_means_the_same(tmp_path: Path) -> None:
    """A thousand one-letter slips in the keys of a good file: an error, or an equal policy."""
    good = load(beside_templates(tmp_path).parent, FULL)
    refused = 0
    for start, end, slip in Random(20261101).sample(all_slips(), 1000):
        text = FULL[:start] + slip + FULL[end:]
        try:
            policy = load(tmp_path, text)
        except ConfigError:
            refused += 1
        else:
            assert policy == good, f"{FULL[start:end]!r} became {slip!r}"
    assert refused > 900


@pytest.mark.parametrize("lost", [0, 1])
def test_a_lost_or_exchanged_letter_is_answered_with_the_right_key(
    tmp_path: Path, lost: int
) -> None:
    """For each key of the file, at its very line, the key that was meant is suggested."""
    for start, end in KEYS:
        key = FULL[start:end]
        at = len(key) // 2
        slip = key[:at] + (key[at + 1 :] if lost else key[at : at + 2][::-1] + key[at + 2 :])
        if slip == key:
            continue
        (tmp_path / "typo.toml").write_text(FULL[:start] + slip + FULL[end:], "utf-8")
        _, problems = inspect(tmp_path / "typo.toml")
        line = FULL.count("\n", 0, start) + 1
        first = next(one for one in problems if one.code in ("CG101", "CG003"))
        assert (first.line, first.message, first.remedy) == (
            line,
            f"unknown key {slip!r}",
            f"did you mean {key!r}?",
        )


@pytest.mark.parametrize(
    ("text", "key", "remedy"),
    [
        ('prefix = "/x"', "prefix", "it belongs in [consent]"),
        ('title = "Shop"', "title", "it belongs in a [categories.…] table"),
        ('provider = "x"', "provider", "it belongs in the table of one cookie"),
        ('category = "x"', "category", "it belongs in a [[cookies]] table"),
        (
            "[consent]\nunknown = 'allow'",
            "consent.unknown",
            "it belongs at the top of the file, before the first [table]",
        ),
        (
            "[categories.a]\ncookies = [{ name = 'x', category = 'a' }]",
            "categories.a.cookies[0].category",
            "it belongs in a [[cookies]] table",
        ),
        ("[[cookie]]\nname = 'x'", "cookie", "did you mean 'cookies'?"),
        (
            "[[cookies]]\nname = 'x'\ncategory = 'a'\nsession = true",
            "cookies[0].session",
            "known here: name, category, provider, purpose, duration, party, recipients, sliding, "
            "domain, path, partitioned",
        ),
        ('language = "de"', "language", "it belongs in [pages]"),
        ('report_uri = "/r"', "report_uri", "it belongs in [csp]"),
        ('vendors = ["google"]', "vendors", "it belongs in [consent_mode]"),
        ('indexed_db = ["x"]', "indexed_db", "it belongs in a [categories.…] table"),
        (
            "[consent]\nguard = 'off'",
            "consent.guard",
            "it belongs at the top of the file, before the first [table]",
        ),
        ('[csp]\nmode = "report"\nreport = "/r"', "csp.report", "did you mean 'report_uri'?"),
        (
            '[banner]\ntitle = "Choose"',
            "banner.title",
            "it belongs in [texts.en.banner], and so for other languages",
        ),
        (
            '[opt_out]\ntitle = "Opt out"',
            "opt_out",
            "it belongs in [texts.en], as [texts.en.opt_out], and so for other languages",
        ),
        (
            '[[changes]]\nversion = "1"\ndate = 2026-11-01\ntext = "x"\ntitle = "x"',
            "changes[0].title",
            "known here: version, date, text",
        ),
        ('Mode = "report"', "Mode", "did you mean 'mode'?"),
        ("[consent]\nsame-site = 'lax'", "consent.same-site", "did you mean 'same_site'?"),
        ("[consent]\nSecret_Env = 'A'", "consent.Secret_Env", "did you mean 'secret_env'?"),
        ('same_site = "lax"', "same_site", "it belongs in a [categories.…] table, or in [consent]"),
        ('domain = "x"', "domain", "it belongs in the table of one cookie, or in [consent]"),
        (
            "xyzzy = 1",
            "xyzzy",
            "known here: version, mode, unknown, guard, unknown_storage, hide, expire_unknown, "
            "strict, consent, controller, regions, gpc, banner, categories, cookies, flows, pages, "
            "csp, consent_mode, texts, changes",
        ),
    ],
)
def test_a_key_in_the_wrong_place_is_sent_to_the_right_one(
    tmp_path: Path, text: str, key: str, remedy: str
) -> None:
    """Where a key is known elsewhere, that is more help than the nearest key that is known here."""
    (tmp_path / "typo.toml").write_text(f'version = "1"\n{text}\n')
    _, problems = inspect(tmp_path / "typo.toml")
    errors = [one for one in problems if one.severity == "error"]
    assert [(one.code, one.key, one.remedy) for one in errors] == [("CG101", key, remedy)]


def test_a_key_below_the_wrong_table_is_not_missed_as_well(tmp_path: Path) -> None:
    """TOML gives every key to the table above it: that is one mistake, told once."""
    (tmp_path / "typo.toml").write_text('secret_env = "KEY"\n[consent]\nversion = "1"\n')
    with pytest.raises(ConfigError) as caught:
        load_gate(tmp_path / "typo.toml", environ={})
    assert [(one.code, one.line, one.remedy) for one in caught.value.problems] == [
        ("CG101", 1, "it belongs in [consent]"),
        ("CG101", 3, "it belongs at the top of the file, before the first [table]"),
    ]
