"""What visitors read: built in, overridden, filled in, and fallen back upon."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentgate.core.policy import Category, Change, Controller, Pages, Policy, Rule
from consentgate.pages.texts import Library, Said, Words, built_in, built_in_languages

ANALYTICS = Category(id="analytics", title="Numbers", description="Which pages are read.")
RULE = Rule(name="_ga*", category="analytics", purpose="Tells visitors apart.")


def words(asked: str, texts: dict[str, Any] | None = None, language: str = "en") -> Words:
    policy = Policy(version="1", pages=Pages(language=language), texts=texts or {})
    return Library(policy).words(asked, "")


def whole(said: Said) -> tuple[str, str, str]:
    return str(said), said.language, said.direction


def test_a_text_is_found_by_its_key_and_filled_in() -> None:
    """In the language of the page, which needs no mark."""
    german = words("de")
    assert (german.language, german.direction) == ("de", "ltr")
    assert whole(german.text("banner.accept")) == ("Alle akzeptieren", "", "ltr")
    version = german.text("preferences.version", version="2026-11")
    assert whole(version) == ("Version der Richtlinie: 2026-11", "", "ltr")
    assert whole(words("he").text("banner.label")) == ("פרטיות", "", "rtl")


def test_only_names_are_filled_in() -> None:
    """No attribute of a value can be asked for, and a value is not looked at again."""
    english = words("en", {"en": {"preferences": {"version": "{version} {version!r} {"}}})
    assert english.text("preferences.version", version="1") == "Policy version 1"
    assert words("en").text("preferences.version", version="{version}") == (
        "Policy version {version}"
    )
    assert words("en").text("preferences.version", other="1") == "Policy version {version}"
    assert words("en").text("preferences.version") == "Policy version {version}"


@pytest.mark.parametrize(
    "override",
    ["Version {vresion}", "{version.__class__}", "{version[0]}", "{0}", "{}", "", "  ", 7, None],
)
def test_an_override_that_is_broken_counts_as_not_there(override: object) -> None:
    """It is an error when the policy is loaded; no visitor gets to see it."""
    english = words("en", {"en": {"preferences": {"version": override}}})
    assert english.text("preferences.version", version="1") == "Policy version 1"


def test_an_override_stands_in_place_of_a_built_in_text() -> None:
    """In its language alone, the rest stays; earlier names of languages count as today's."""
    texts = {"de": {"banner": {"title": "Hallo"}}, "no": {"banner": {"title": "Hei"}}}
    assert [str(words(tag, texts).text("banner.title")) for tag in ("de", "nb", "no", "en")] == [
        "Hallo",
        "Hei",
        "Hei",
        "Your privacy",
    ]
    assert words("de", texts).text("banner.reject") == "Alle ablehnen"


def test_a_narrower_language_falls_back_on_the_wider() -> None:
    """Override, the wider override, the wider built-in text: all of them are one language."""
    texts = {
        "pt-br": {"banner": {"title": "A"}},
        "pt": {"banner": {"title": "B", "text": "C"}},
    }
    brazilian = words("pt-BR", texts)
    assert brazilian.language == "pt-BR"
    keys = ("banner.title", "banner.text", "banner.accept")
    assert [whole(brazilian.text(key)) for key in keys] == [
        ("A", "", "ltr"),
        ("C", "", "ltr"),
        ("Aceitar tudo", "", "ltr"),
    ]
    assert words("pt", texts).text("banner.title") == "B"


def test_a_language_of_the_policy_alone_falls_back_on_the_policy_s_own() -> None:
    """What is in another language says so, and in which direction it runs."""
    texts = {"fa": {"banner": {"title": "سلام"}}, "de": {"banner": {"text": "Hallo"}}}
    persian = words("fa", texts, "de")
    assert (persian.language, persian.direction) == ("fa", "rtl")
    keys = ("banner.title", "banner.text", "banner.accept")
    assert [whole(persian.text(key)) for key in keys] == [
        ("سلام", "", "rtl"),
        ("Hallo", "de", "ltr"),
        ("Alle akzeptieren", "de", "ltr"),
    ]
    only = words("fa", texts, "tlh")
    assert whole(only.text("banner.accept")) == ("Accept all", "en", "ltr")


def test_what_is_written_otherwise_is_another_language() -> None:
    """Simplified Chinese on a page in traditional says so."""
    chinese = words("zh-TW", {"zh-hant": {"banner": {"title": "您的隱私"}}})
    assert chinese.language == "zh-Hant"
    assert whole(chinese.text("banner.title")) == ("您的隱私", "", "ltr")
    assert whole(chinese.text("banner.accept")) == ("全部同意", "zh", "ltr")


def test_a_policy_can_name_the_direction_of_a_language() -> None:
    """Where its code does not tell."""
    sorani = words("ku", {"ku": {"direction": "rtl", "banner": {"title": "x"}}})
    assert (sorani.direction, sorani.text("banner.title").direction) == ("rtl", "rtl")
    assert words("ku", {"ku": {"direction": "up", "banner": {"title": "x"}}}).direction == "ltr"


# --- the policy's own texts ---------------------------------------------------------------------


def test_the_policy_s_own_texts_are_marked_where_the_page_is_in_another_language() -> None:
    """They are in the language that the policy says it is written in."""
    change = Change(version="2", date="2026-11-01", text="More of it.")
    arabic = words("ar")
    said = [
        arabic.label(ANALYTICS),
        arabic.description(ANALYTICS),
        arabic.purpose(RULE),
        arabic.change(change),
    ]
    assert [whole(one) for one in said] == [
        ("Numbers", "en", "ltr"),
        ("Which pages are read.", "en", "ltr"),
        ("Tells visitors apart.", "en", "ltr"),
        ("More of it.", "en", "ltr"),
    ]
    assert whole(arabic.description(Category(id="x"))) == ("", "", "rtl")
    assert whole(words("en", language="en-gb").label(ANALYTICS)) == ("Numbers", "", "ltr")
    assert whole(words("ar", language="ar-eg").label(ANALYTICS)) == ("Numbers", "", "rtl")


def test_overrides_translate_the_policy_s_own_texts() -> None:
    """By the category's id, the rule's name, the change's version."""
    texts = {
        "de": {
            "categories": {"analytics": {"title": "Zahlen", "description": "Was man liest."}},
            "cookies": {"_ga*": "Unterscheidet Besucher."},
            "changes": {"2026.11": "Mehr davon."},
        }
    }
    german = words("de-CH", texts)
    said = [
        german.label(ANALYTICS),
        german.description(ANALYTICS),
        german.purpose(RULE),
        german.change(Change(version="2026.11", text="More of it.")),
    ]
    assert [whole(one) for one in said] == [
        ("Zahlen", "", "ltr"),
        ("Was man liest.", "", "ltr"),
        ("Unterscheidet Besucher.", "", "ltr"),
        ("Mehr davon.", "", "ltr"),
    ]


def test_elsewhere_an_override_in_the_policy_s_language_stands_for_its_text() -> None:
    """As it does on pages in that language; those in other languages do not."""
    texts = {
        "en": {"categories": {"analytics": "Figures"}, "cookies": {"_ga*": "Counts."}},
        "de": {"categories": {"analytics": {"description": "Was man liest."}}},
    }
    french = words("fr", texts)
    assert [whole(french.label(ANALYTICS)), whole(french.purpose(RULE))] == [
        ("Figures", "en", "ltr"),
        ("Counts.", "en", "ltr"),
    ]
    assert whole(french.description(ANALYTICS)) == ("Which pages are read.", "en", "ltr")
    assert words("en", texts).label(ANALYTICS) == "Figures"
    # English stands in for what is built in, never for what a policy in another language says.
    assert whole(words("fr", texts, "it").label(ANALYTICS)) == ("Numbers", "it", "ltr")


@pytest.mark.parametrize(
    ("category", "language", "said"),
    [
        # Without a title the built-in one, or else the id made readable, in the policy's language.
        (Category(id="analytics"), "en", ("Mesure d’audience", "", "ltr")),
        (Category(id="social_media"), "en", ("Social media", "en", "ltr")),
        # A title that is the built-in one means no more than it.
        (Category(id="analytics", title="Analytics"), "en-gb", ("Mesure d’audience", "", "ltr")),
        (Category(id="analytics", title="Analyse"), "de", ("Mesure d’audience", "", "ltr")),
        (Category(id="analytics", title="Analytics"), "de", ("Analytics", "de", "ltr")),
        # The core calls it so, whatever language the policy is in.
        (
            Category(id="necessary", title="Strictly necessary", always=True),
            "de",
            ("Strictement nécessaire", "", "ltr"),
        ),
        (Category(id="necessary", title="Needed"), "en", ("Needed", "en", "ltr")),
    ],
)
def test_a_title_that_says_nothing_of_its_own_is_translated(
    category: Category, language: str, said: tuple[str, str, str]
) -> None:
    """One that a policy has chosen is not."""
    assert whole(words("fr", language=language).label(category)) == said


# --- durations, providers, lists ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "duration", "said"),
    [
        ("en", "13 months", "13 months"),
        ("en", "1 year", "1 year"),
        ("de", "13 months", "13 Monate"),
        ("de", " 1 Month ", "1 Monat"),
        ("de", "24hours", "24 Stunden"),
        ("de", "session", "bis der Browser geschlossen wird"),
        ("de", "", ""),
        ("pl", "2 years", "2 lata"),
        ("pl", "12 months", "12 miesięcy"),
        ("uk", "21 days", "21 день"),
        ("lv", "30 days", "30 dienu"),
        ("sl", "2 months", "2 meseca"),
        ("ro", "20 days", "20 de zile"),
        ("ga", "7 years", "7 mbliana"),
        ("ar", "2 years", "سنتان"),
        ("ar", "13 months", "13 شهرًا"),
        ("he", "1 day", "יום אחד"),
        ("ja", "6 months", "6か月"),
    ],
)
def test_a_duration_is_put_into_words(language: str, duration: str, said: str) -> None:
    """In the plural form that its number has."""
    rule = Rule(name="x", category="analytics", duration=duration)
    assert words(language).duration(rule) == said


def test_a_duration_that_cannot_be_read_stands_as_it_is() -> None:
    """In the policy's language; so does one of no length."""
    for duration in ("a while", "0 days", "1.5 years", "100000 days"):
        rule = Rule(name="x", category="analytics", duration=duration)
        assert whole(words("de").duration(rule)) == (duration, "en", "ltr")


def test_a_policy_brings_the_durations_of_its_own_languages() -> None:
    """By the forms that it names, "other" for those that it does not; or there is another word."""
    days = {"one": "{count} dia", "other": "{count} dies", "many": "{cuont} dies"}
    texts = {"ca": {"durations": {"day": days, "week": "setmana", "month": {"one": "{x}"}}}}
    catalan = words("ca", texts)
    durations = ("1 day", "2 days", "2 weeks", "1 month")
    rules = [Rule(name="x", category="y", duration=duration) for duration in durations]
    assert [whole(catalan.duration(rule)) for rule in rules] == [
        ("1 dia", "", "ltr"),
        ("2 dies", "", "ltr"),
        ("2 weeks", "en", "ltr"),
        ("1 month", "en", "ltr"),
    ]
    russian = {"day": {"one": "{count} день", "few": "{count} дня", "many": "{count} дней"}}
    said = words("ru", {"ru": {"durations": russian}})
    rules = [Rule(name="x", category="y", duration=f"{count} days") for count in (21, 22, 25)]
    assert [str(said.duration(rule)) for rule in rules] == ["21 день", "22 дня", "25 дней"]


@pytest.mark.parametrize(
    ("provider", "controller", "party", "third", "said"),
    [
        ("", Controller(name="Shop Ltd"), "", False, "diese Website"),
        ("", None, "", False, "diese Website"),
        ("Shop Ltd", Controller(name="Shop Ltd"), "", False, "Shop Ltd"),
        (" shop  LTD", Controller(name="Shop Ltd"), "", False, " shop  LTD"),
        ("Google", Controller(name="Shop Ltd"), "", True, "Google"),
        ("Our brand", Controller(name="Shop Ltd"), "first", False, "Our brand"),
        ("Google", None, "", False, "Google"),
        ("Google", Controller(), "", False, "Google"),
        ("Google", None, "third", True, "Google"),
        ("", None, "third", True, "diese Website"),
    ],
)
def test_a_third_party_is_whoever_is_not_the_controller(
    provider: str, controller: Controller | None, party: str, third: bool, said: str
) -> None:
    """Unless the policy says otherwise; where no controller is named, nobody can tell."""
    rule = Rule(name="x", category="analytics", provider=provider, party=party)
    german = words("de")
    assert german.is_third_party(rule, controller) is third
    assert whole(german.provider(rule)) == (said, "", "ltr")


def test_lists_have_the_comma_of_the_language() -> None:
    """One after each but the last."""
    assert [str(words(tag).listed(["a", "b", "c"])) for tag in ("de", "ar", "ja", "zh")] == [
        "a, b, c",
        "\u2068a\u2069، \u2068b\u2069، \u2068c\u2069",
        "a、b、c",
        "a、b、c",
    ]
    assert words("de").listed([]) == ""


def test_what_is_put_into_a_text_from_right_to_left_keeps_its_own_order() -> None:
    """A version such as "2026-11" would else be read from its end; a number alone would not."""
    assert (
        words("ar").text("preferences.version", version="2026-11").endswith("\u20682026-11\u2069")
    )
    assert "(7)" in words("ar").text("table.stored", count="7")
    assert words("de").text("preferences.version", version="2026-11").endswith("2026-11")


# --- the library --------------------------------------------------------------------------------


def test_a_library_chooses_and_remembers() -> None:
    """By name, then by the header, then the policy's own language; one object for each language."""
    policy = Policy(version="1", pages=Pages(language="it"), texts={"ca": {"banner": {}}})
    library = Library(policy)
    assert library.words("fr", "de").language == "fr"
    assert library.words("", "de-AT, fr").language == "de"
    assert library.words().language == "it"
    assert library.words("ca").language == "ca"
    assert library.words("fr-BE", "") is library.words("xx", "fr")
    assert library.available == built_in_languages() | {"ca"}


@pytest.mark.parametrize("language", sorted(built_in_languages()))
def test_every_built_in_language_has_every_text_of_its_own(language: str) -> None:
    """None falls back on another language."""
    one = words(language)
    assert {one.text(key).language for key in built_in("en").texts} == {""}


jsonlike = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=12)),
    lambda inner: st.dictionaries(
        st.one_of(
            st.text(max_size=6),
            st.sampled_from(["de", "banner", "title", "categories", "durations", "day", "other"]),
        ),
        inner,
        max_size=4,
    ),
    max_leaves=12,
)


@given(
    st.dictionaries(st.one_of(st.sampled_from(["de", "ca", "zh-tw"]), st.text()), jsonlike),
    st.text(max_size=12),
    st.text(max_size=12),
    st.sampled_from(["de", "ca", "zh-tw", "fr"]),
)
def test_no_policy_makes_words_raise(
    texts: dict[str, Any], language: str, duration: str, asked: str
) -> None:
    """Whatever Python may have put into it; and each text of the English ones is there."""
    found = words(asked, texts, language)
    for key in built_in("en").texts:
        assert found.text(key, count="1", category="x")
    rule = Rule(name="title", category="day", duration=duration)
    assert isinstance(found.duration(rule), Said)
    assert isinstance(found.label(Category(id="day")), Said)
    assert isinstance(found.purpose(rule), Said)
