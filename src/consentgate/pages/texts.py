"""What visitors read, in their language: built-in texts, and what a policy puts in their place.

Nothing in here raises for what a policy says: an override that is no text, or that has a name in
braces which its text does not know, counts as not there.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import NamedTuple

from ..core.policy import NECESSARY, Category, Change, Controller, Policy, Rule
from .languages import canonical, direction_of, fallbacks, html_tag, negotiate, same
from .plurals import plural

_FOLDER = Path(__file__).with_name("texts")
_NAME = re.compile(r"\{([a-z_]+)\}")
_BRACES = re.compile(r"\{([^{}]*)\}")  # whatever looks as if a name were meant
# As config.duration reads them; what has another form is shown as it stands.
_DURATION = re.compile(r"([0-9]{1,5}) ?(second|minute|hour|day|week|month|year)s?")
_COMMAS = {"ar": "، ", "fa": "، ", "ja": "、", "ps": "، ", "ur": "، ", "zh": "、"}


class Said(str):
    """A text. `language` is its BCP 47 tag, "" where it is that of the page."""

    language: str
    direction: str  # "ltr" or "rtl"

    def __new__(cls, text: str, language: str = "", direction: str = "ltr") -> Said:
        said = super().__new__(cls, text)
        said.language = language
        said.direction = direction
        return said


class Signed(NamedTuple):
    """A built-in language, and the native speaker who has read its texts ("": a draft)."""

    code: str
    name: str
    signed: str


@dataclass(frozen=True, slots=True)
class Layer:
    """Texts in one language, from one place, by "table.key"; `forms` are those of durations."""

    language: str
    built_in: bool
    direction: str
    texts: dict[str, str] = field(default_factory=dict)
    forms: dict[str, dict[str, str]] = field(default_factory=dict)


class Words:
    """One language: what a policy says in it, what is built in, and what stands in for the rest."""

    def __init__(self, language: str, home: str, layers: tuple[Layer, ...]) -> None:
        """Take layers, the first that knows a text being right; `home` is the policy's language."""
        self.language = html_tag(language)
        self.direction = _direction(language, layers)
        self._home = home
        self._layers = layers
        self._tag = language
        self._texts: dict[str, Said] = {}  # of all layers
        self._overrides: dict[str, Said] = {}  # of the policy, in this language or its own
        near = {*fallbacks(language), *fallbacks(home)}
        for layer in layers:
            for key, text in layer.texts.items():
                said = self._said(text, layer.language)
                self._texts.setdefault(key, said)
                if not layer.built_in and layer.language in near:
                    self._overrides.setdefault(key, said)

    def text(self, key: str, /, **values: object) -> Said:
        """Return the text of a key ("banner.title"), with these values for its names in braces."""
        said = self._texts[key]
        return _filled(said, values) if values else said

    def label(self, category: Category) -> Said:
        """Return the title of a category: the policy's, or the built-in one, or its readable id."""
        key = f"categories.{category.id}"
        if category.title and not self._is_standard(category, key):
            return self._overrides.get(key) or self._own(category.title)
        return self._texts.get(key) or self._own(category.label)

    def description(self, category: Category) -> Said:
        """Return what the policy says of a category."""
        key = f"descriptions.{category.id}"
        return self._overrides.get(key) or self._own(category.description)

    def purpose(self, rule: Rule) -> Said:
        """Return what the policy says a cookie is for."""
        return self._overrides.get(f"cookies.{rule.name}") or self._own(rule.purpose)

    def change(self, change: Change) -> Said:
        """Return what the policy says of a new version."""
        return self._overrides.get(f"changes.{change.version}") or self._own(change.text)

    def duration(self, rule: Rule) -> Said:
        """Return for how long a cookie is kept: "13 months" in words; as it stands, if unread."""
        text = rule.duration.strip().lower()
        if text == "session":
            return self.text("table.session")
        found = _DURATION.fullmatch(text)
        count = int(found[1]) if found else 0
        if found and count:
            for layer in self._layers:
                forms = layer.forms.get(found[2], {})
                form = forms.get(plural(layer.language, count)) or forms.get("other")
                if form:
                    return _filled(self._said(form, layer.language), {"count": count})
        return self._own(rule.duration)

    def provider(self, rule: Rule) -> Said:
        """Return whose cookie it is: who is named, or else "this site"."""
        if rule.provider:
            return Said(rule.provider, "", self.direction)
        return self.text("declaration.first_party")

    def is_third_party(self, rule: Rule, controller: Controller | None) -> bool:
        """Say if a cookie is that of somebody else than the controller, as far as is known.

        Visitors must be told whether third parties may have access (CJEU C-673/17, Planet49).
        """
        if rule.party:
            return rule.party == "third"
        provider, name = _plain(rule.provider), _plain(controller.name if controller else "")
        return bool(provider and name) and provider != name

    def listed(self, texts: Iterable[str]) -> Said:
        """Return texts one after the other, with the language's own comma."""
        comma = _COMMAS.get(self._tag.partition("-")[0], ", ")
        return Said(comma.join(_apart(text, self.direction) for text in texts), "", self.direction)

    def _is_standard(self, category: Category, key: str) -> bool:
        """Say if a title says what the built-in one says, so that its translations say it too."""
        if category.id == NECESSARY and category.title == built_in("en").texts.get(key):
            return True  # the core gives it to a category that the policy leaves out
        homes = (tag for tag in fallbacks(self._home) if tag in built_in_languages())
        return any(category.title == built_in(tag).texts.get(key) for tag in homes)

    def _own(self, text: str) -> Said:
        """Return a text of the policy, which is in the policy's language."""
        return self._said(text, self._home)

    def _said(self, text: str, language: str) -> Said:
        if not text or same(language, self._tag):
            return Said(text, "", self.direction)
        return Said(text, html_tag(language), _direction(language, self._layers))


class Library:
    """The words of a policy in every language that it, or this package, has texts in."""

    def __init__(self, policy: Policy) -> None:
        self._home = canonical(policy.pages.language) or "en"
        self._overrides = dict(_overrides(policy.texts))
        self._words: dict[str, Words] = {}  # not more than there are languages
        self.available = frozenset({*built_in_languages(), *self._overrides})

    def words(self, asked: str = "", accepts: str = "") -> Words:
        """Return the words of the language that fits best, see `languages.negotiate`."""
        language = negotiate(asked, accepts, self.available, self._home)
        if language not in self._words:
            self._words[language] = Words(language, self._home, tuple(self._layers(language)))
        return self._words[language]

    def _layers(self, language: str) -> Iterator[Layer]:
        """Yield the layers in which to look: the language, then the policy's, then English."""
        for tag in dict.fromkeys([*fallbacks(language), *fallbacks(self._home), "en"]):
            if tag in self._overrides:
                yield self._overrides[tag]
            if tag in built_in_languages():
                yield built_in(tag)


@cache
def built_in_languages() -> frozenset[str]:
    """Return the codes of the languages that this package has texts in."""
    return frozenset(path.stem for path in _FOLDER.glob("*.toml"))


@cache
def built_in(language: str) -> Layer:
    """Return the built-in texts of a language, read once."""
    return _layer(language, _read(language), built_in=True)


def languages_table() -> tuple[Signed, ...]:
    """Return every built-in language with its own name and who has signed its texts."""
    return tuple(
        Signed(code, str(table["language"]), str(table["signed"]))
        for code in sorted(built_in_languages())
        for table in [_read(code)]
    )


@cache
def _read(language: str) -> dict[str, object]:
    return tomllib.loads((_FOLDER / f"{language}.toml").read_text("utf-8"))


def _overrides(texts: Mapping[str, object]) -> Iterator[tuple[str, Layer]]:
    """Yield what a policy puts in the place of built-in texts, by language."""
    # A language under its earlier name comes first, so that its name of today has the last word.
    for tag in sorted(texts, key=lambda tag: canonical(tag) == tag):
        table = texts[tag]
        if isinstance(table, Mapping):
            language = canonical(tag)
            yield language, _layer(language, table, built_in=False)


def _layer(language: str, tables: Mapping[str, object], *, built_in: bool) -> Layer:
    direction = str(tables.get("direction", ""))
    layer = Layer(language, built_in, direction if direction in ("ltr", "rtl") else "")
    for name, table in tables.items():
        if not isinstance(table, Mapping):
            continue
        for key, value in table.items():
            if name == "durations":
                layer.forms[key] = _texts(value, {"count"})
            elif name == "categories" and isinstance(value, Mapping):
                of_category = _texts(value)
                layer.texts[f"categories.{key}"] = of_category.get("title", "")
                layer.texts[f"descriptions.{key}"] = of_category.get("description", "")
            else:
                layer.texts[f"{name}.{key}"] = value if isinstance(value, str) else ""
    for key in [key for key, text in layer.texts.items() if not _is_usable(key, text, built_in)]:
        del layer.texts[key]
    return layer


def _is_usable(key: str, text: str, built_in_too: bool) -> bool:
    """Say if there is a text, with no name in braces that the English one does not have."""
    if built_in_too:
        return bool(text)
    english = built_in("en").texts.get(key)
    return bool(text.strip()) and (english is None or _names(text) <= _names(english))


def _texts(table: object, names: set[str] | None = None) -> dict[str, str]:
    """Return the texts of a table, those left out that have other names in braces than these."""
    return {
        key: text
        for key, text in (table.items() if isinstance(table, Mapping) else ())
        if isinstance(text, str) and text.strip() and (names is None or _names(text) <= names)
    }


def _names(text: str) -> set[str]:
    return set(_BRACES.findall(text))


def _filled(said: Said, values: Mapping[str, object]) -> Said:
    """Put values in the place of names in braces.

    Not by str.format, in which a text could ask for attributes of what is put in.
    """

    def value(found: re.Match[str]) -> str:
        name = found[1]
        return _apart(str(values[name]), said.direction) if name in values else found[0]

    return Said(_NAME.sub(value, said), said.language, said.direction)


def _apart(value: str, direction: str) -> str:
    """Keep the order of a value's own letters within a text that runs from right to left.

    Unicode Standard Annex 9, section 2.7: first strong isolate, pop directional isolate.
    """
    if direction != "rtl" or value.isdigit():
        return value
    return f"\u2068{value}\u2069"


def _direction(language: str, layers: Iterable[Layer]) -> str:
    """Return the direction that the texts of a language name, or else the one it usually has."""
    named = (layer.direction for layer in layers if same(layer.language, language))
    return next(filter(None, named), "") or direction_of(language)


def _plain(name: str) -> str:
    """Return a name without what makes no difference."""
    return " ".join(name.casefold().split())
