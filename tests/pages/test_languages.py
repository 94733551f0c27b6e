"""Which language a visitor reads; and the page of the documentation that lists the languages.

The page is written anew with: cd tests && python -m pages.test_languages
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentgate.pages.languages import (
    canonical,
    direction_of,
    fallbacks,
    html_tag,
    negotiate,
    same,
)
from consentgate.pages.texts import built_in_languages, languages_table

PAGE = Path(__file__).parents[2] / "docs" / "languages.md"
BUILT_IN = built_in_languages()
MORE = BUILT_IN | {"pt-br", "zh-hant", "ca"}


def chosen(asked: str = "", accepts: str = "", default: str = "en") -> str:
    return negotiate(asked, accepts, MORE, default)


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        ("de", "de"),
        ("DE-at", "de"),
        ("de_CH", "de"),
        (" fr ", "fr"),
        ("de-Latn-CH-1996-x-old", "de"),
        ("pt-BR", "pt-br"),
        ("pt-PT", "pt"),
        ("ca-ES-valencia", "ca"),
        ("no", "nb"),
        ("no-NO", "nb"),
        ("nn-NO", "nb"),
        ("iw-IL", "he"),
        ("mo", "ro"),
        ("zh-CN", "zh"),
        ("zh-Hans-SG", "zh"),
        ("zh-TW", "zh-hant"),
        ("zh-HK", "zh-hant"),
        ("zh-Hant-MO", "zh-hant"),
        ("zh-cmn-Hant", "zh-hant"),
        ("cmn-Hans-CN", "zh"),
        ("xx", "sv"),
        ("", "sv"),
        ("*", "sv"),
        ("de;drop", "sv"),
        ("dé", "sv"),
        ("-", "sv"),
        ("d" * 300, "sv"),
    ],
)
def test_a_language_asked_for_by_name_comes_first(asked: str, language: str) -> None:
    """Cut down until there is one; a name of earlier days counts; nonsense counts as nothing."""
    assert chosen(asked, "sv") == language


def test_traditional_chinese_falls_back_on_simplified() -> None:
    """Where a policy brings no other."""
    assert [negotiate(tag, "", BUILT_IN, "en") for tag in ("zh-TW", "zh-Hant")] == ["zh", "zh"]


@pytest.mark.parametrize(
    ("accepts", "language"),
    [
        ("da, en-GB;q=0.8, en;q=0.7", "da"),
        ("en;q=0.7,fr;q=0.9", "fr"),
        ("fr;q=0.5,it;q=0.5", "fr"),
        ("xx,it;q=0.1", "it"),
        ("de-CH, fr;q=0.9", "de"),
        ("FR;Q=1.000", "fr"),
        ("fr ; q=0.8 , it;\tq=0.9", "it"),
        (",, ,it,", "it"),
        ("*", "pl"),
        ("*,fr;q=0.5", "pl"),
        ("xx,*;q=0.5,fr;q=0.1", "pl"),
        ("", "pl"),
        ("xx", "pl"),
        # q=0 excludes, what is narrower is not excluded by what is wider.
        ("fr;q=0,it;q=0.1", "it"),
        ("fr-CA,fr;q=0,it;q=0.1", "it"),
        ("pt;q=0,pt-BR", "pt-br"),
        ("pt-BR;q=0,pt", "pt"),
        ("pl;q=0,*", "en"),
        ("pl;q=0", "en"),
        ("pl;q=0,en;q=0", "pl"),
        ("*;q=0", "pl"),
        ("fr,*;q=0", "fr"),
        # Malformed entries are as if they were not there.
        ("fr;q=2,it;q=0.1", "it"),
        ("fr;q=0.1234,it", "it"),
        ("fr;q=,it;q=0.1", "it"),
        ("fr;level=1,it;q=0.1", "it"),
        ("fr-,it;q=0.1", "it"),
        ("fr it,da", "da"),
        ("fr\x00,da", "da"),
        ("١,da", "da"),
        ("fr;q=-1,da", "da"),
    ],
)
def test_then_the_header_by_its_weights(accepts: str, language: str) -> None:
    """RFC 9110, 12.5.4: the heaviest first; `*` is the default; q=0 excludes."""
    assert chosen("", accepts, "pl") == language


def test_then_the_default_and_then_english() -> None:
    """A default without texts is cut down, too; without any there is English."""
    assert [chosen("", "", default) for default in ("ca", "de-at", "tlh", "")] == [
        "ca",
        "de",
        "en",
        "en",
    ]
    assert negotiate("de", "fr", (), "it") == "en"


def test_of_a_long_header_only_the_beginning_is_read() -> None:
    """Fifty entries and 4 KiB; an entry that is cut counts as nothing."""
    assert chosen("", "xx," * 49 + "it,fr") == "it"
    assert chosen("", "xx," * 50 + "it") == "en"
    assert chosen("", "xx" + " " * 4091 + ",it,fr") == "en"
    assert chosen("", "it" + " " * 4091 + ",fr;q=0.5") == "it"
    assert chosen("", "it;q=0.9" + " " * 10_000_000) == "en"


@given(
    st.one_of(st.text(max_size=40), st.sampled_from(["de", "zh-tw", "no"])),
    st.one_of(
        st.text(max_size=200),
        st.text(alphabet="defrq=0.15;,-* \t", max_size=200),
        st.lists(
            st.sampled_from(["de", "de-at;q=0", "*;q=0", "*", "pt-br", "pt;q=0", "en;q=0", "x"])
        ).map(",".join),
    ),
    st.text(max_size=10),
)
def test_whatever_is_sent_gets_a_language_that_is_there(
    asked: str, accepts: str, default: str
) -> None:
    """No text raises."""
    assert negotiate(asked, accepts, MORE, default) in MORE
    assert negotiate(asked, accepts, {"fr"}, default) in {"fr", "en"}


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_tag_raises(one: str, other: str) -> None:
    """Whatever it is; and what has been made canonical stays as it is."""
    assert fallbacks(one)[0] == canonical(one)
    assert direction_of(one) in ("ltr", "rtl")
    assert same(one, one)
    assert same(one, other) == same(other, one)
    assert isinstance(html_tag(one), str)


def test_a_tag_is_written_as_the_standard_writes_it() -> None:
    """RFC 5646, 2.1.1: regions in capitals, scripts with one."""
    tags = ["de", "pt-br", "zh-hant-tw", "sr-latn", "no-no", "sl-rozaj", "de-x-ab", "es-419"]
    assert [html_tag(tag) for tag in tags] == [
        "de",
        "pt-BR",
        "zh-Hant-TW",
        "sr-Latn",
        "nb-NO",
        "sl-rozaj",
        "de-x-ab",
        "es-419",
    ]


def test_languages_are_the_same_where_they_are_read_aloud_alike() -> None:
    """English is English everywhere; the two writings of Chinese and of Norwegian are two."""
    pairs = [("en", "en-gb"), ("no", "nb"), ("zh", "zh-cn"), ("zh-tw", "zh-hant-hk")]
    assert [same(*pair) for pair in pairs] == [True] * 4
    pairs = [("en", "de"), ("nn", "nb"), ("zh", "zh-tw"), ("sr-latn", "sr-cyrl")]
    assert [same(*pair) for pair in pairs] == [False] * 4


def test_the_direction_follows_from_the_script_or_the_language() -> None:
    """A script that is named has the last word."""
    tags = ["fa", "ur-pk", "az-arab", "iw", "yi", "de", "az", "ar-latn", "zh-tw"]
    assert [tag for tag in tags if direction_of(tag) == "rtl"] == tags[:5]


def test_the_documentation_lists_every_language() -> None:
    """What people read is what is there."""
    assert PAGE.read_text("utf-8") == page()


# --- the page -----------------------------------------------------------------------------------


def page() -> str:
    table = languages_table()
    rows = "\n".join(
        f"| `{one.code}` | {one.name} | {one.signed or 'draft, made by machine'} |" for one in table
    )
    signed = sum(1 for one in table if one.signed)
    return f"""# Languages

What visitors read comes in {len(table)} languages: the 24 official ones of the European Union, and
eight more. So far {signed} of them {"is" if signed == 1 else "are"} signed. The others were
drafted by machine, and are drafts until a native speaker has read them: read a draft, or have it
read, before you rely on it.

| code | language | signed by |
|---|---|---|
{rows}

## How one is chosen

1. The language in `?lang=`, where an address has it. The script asks for that of the page it is on.
2. The browser's `Accept-Language`, by its weights; what has `q=0` is not used.
3. `language` in `[pages]`, which is also the language your own texts are taken to be in.
4. English.

`de-AT` finds `de`; `no` and `nn` find `nb`, `iw` finds `he`; `zh-TW`, `zh-HK` and `zh-Hant` find
`zh-hant` where your policy has it, or else `zh`.

## Your own words

Any text can be replaced, by language and table. The tables and their keys are those of
[`en.toml`](../src/consentgate/pages/texts/en.toml); names in braces stay as they are.

```toml
[texts.de.banner]
title = "Ihre Daten bei uns"
accept = "Alles annehmen"
reject = "Alles ablehnen"
```

Titles, descriptions and purposes are in your policy in one language. This says them in another:

```toml
[texts.de.categories.analytics]
title = "Statistik"
description = "Zeigt uns, welche Seiten gelesen werden."

[texts.de.cookies]
"_ga*" = "Unterscheidet Besucher."

[texts.de.changes]
"2026-11" = "Ein neuer Dienst für Statistik."
```

What a language lacks is shown in another one and marked as such, so that screen readers read it
aloud in the right voice. A category called `necessary`, `preferences`, `analytics` or `marketing`
that has no title, or the built-in one, is translated without your doing.

## Another language

Your policy may bring one: `[texts.ca]`, `[texts.pt-br]`, `[texts.zh-hant]`. What it leaves out
comes from the wider language (`pt` for `pt-br`), then from that of your policy, then from English.

To add one to the package, copy `en.toml` under the language's code, translate it, and leave
`signed` empty unless it is your own language. Durations need each plural form that the language
has for whole numbers; where they are not those of English, `pages/plurals.py` needs a rule, from
CLDR. The tests find what is missing.

## From right to left

Arabic and Hebrew are written from right to left, and the pages with them. For a language of your
own that follows from its code (`fa`, `ur`, `az-arab`), or from `direction = "rtl"` in its table:

```toml
[texts.ku]
direction = "rtl"
```

## Signing a language

If a language is your mother tongue: read its file in `src/consentgate/pages/texts/`, correct what
you would not say that way, and check that to refuse sounds as easy as to accept. Then put your name
into `signed`, take out the line that calls it a draft, write this page anew, and send the change:

```
cd tests && python -m pages.test_languages
```
"""


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
