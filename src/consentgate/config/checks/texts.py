"""Checks of what visitors read in place of the built-in texts: [texts.*].

The built-in English texts say which keys there are, and which {names} each text holds.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from ...core.policy import Policy
from ...pages.languages import canonical, fallbacks
from ...pages.texts import Library, Words
from ..problems import Fault, Path, did_you_mean, key_path, kind_of, quoted
from ..wording import built_in_base, english
from .languages import direction_faults, texts_language

# CLDR's plural forms. The first three may go without the number: "a month".
_FORMS = ("zero", "one", "two", "few", "many", "other")
_WITHOUT_NUMBER = frozenset(_FORMS[:3])

_REFUSING = {("banner", "reject"), ("preferences", "reject"), ("opt_out", "button")}
_BUTTONS = _REFUSING | {
    ("banner", "accept"),
    ("banner", "choose"),
    *(("preferences", key) for key in ("accept", "save", "withdraw", "back")),
}
# What the policy itself says, and what to say of a translation where there is nothing to translate.
_OWN = {
    "categories": ("there is no category", "write the id of one of [categories.*]"),
    "cookies": ("no rule has the name", "write the name as its rule has it, with the *"),
    "changes": ("no change has the version", "add [[changes]] with this version, and its text"),
}
_CATEGORY = ("title", "description")
_NAME = re.compile(r"\{([^{}]*)\}")


def text_faults(policy: Policy) -> Iterator[Fault]:
    """Yield what is wrong with the texts that the policy brings along."""
    if not policy.texts:
        return
    tables, library = {**english(), **_OWN}, Library(policy)
    seen: dict[str, Path] = {}
    for language, texts in policy.texts.items():
        place: Path = ("texts", language)
        if fault := texts_language(language, tables, place):
            yield fault
        elif not isinstance(texts, Mapping):
            yield _no_table(place, texts)
        else:
            if "direction" in texts:
                at: Path = (*place, "direction")
                yield from direction_faults(language, texts["direction"], at)
            yield from _tables(texts, place, policy)
            yield from _alike(texts, library.words(language), place)
        first = seen.setdefault(canonical(language), place)
        if first != place:
            message, remedy = f"{language!r} is the same language", "merge the two"
            yield replace(_fault("CG202", place, message, remedy), other=first)


def missing_texts(policy: Policy) -> Iterator[Fault]:
    """Yield a warning for each language that is not built in, and has not all texts here."""
    keys = [
        (section, key)
        for section, table in (english() if policy.texts else {}).items()
        if section not in _OWN
        for key in table
    ]
    for language, texts in policy.texts.items():
        if texts_language(language, _OWN, ("texts", language)):
            continue  # an error already
        behind = [tag for tag in fallbacks(language) if tag != language and tag in policy.texts]
        missing = [f"{section}.{key}" for section, key in keys if not _own(texts, section, key)]
        if missing and not behind and not built_in_base(language):
            shown = ", ".join(missing[:3]) + (" and others" if len(missing) > 3 else "")
            instead = built_in_base(policy.pages.language) or "en"
            yield Fault(
                code="CG511",
                path=("texts", language),
                message=(
                    f"{language!r} lacks {len(missing)} of {len(keys)} texts, and visitors read "
                    f"them in {instead!r}: {shown}"
                ),
                remedy="add them: pages/texts/en.toml in the package has them all in English",
                severity="warning",
            )


def _alike(texts: Mapping[str, object], words: Words, place: Path) -> Iterator[Fault]:
    """Find where nobody can tell accepting from refusing, because of a text of the policy."""
    for table in ("banner", "preferences"):
        own = [key for key in ("reject", "accept") if _own(texts, table, key)]
        accept, reject = (words.text(f"{table}.{key}").split() for key in ("accept", "reject"))
        if own and " ".join(accept).casefold() == " ".join(reject).casefold():
            message = f"accepting and refusing have the same words: {' '.join(reject)!r}"
            remedy = "say on each of the two buttons what it does"
            yield _fault("CG402", (*place, table, own[0]), message, remedy)


def _own(texts: object, section: str, key: str) -> object:
    table = texts.get(section) if isinstance(texts, Mapping) else None
    return table.get(key) if isinstance(table, Mapping) else None


# --- tables, keys and texts -----------------------------------------------------------------------


def _tables(texts: Mapping[str, object], place: Path, policy: Policy) -> Iterator[Fault]:
    known: dict[str, Collection[str]] = {
        # The necessary one is there for visitors, in the policy or not.
        "categories": [*(one.id for one in policy.categories), policy.necessary],
        "cookies": {rule.name: None for one in policy.categories for rule in one.rules},
        "changes": [one.version for one in policy.changes],
    }
    for section, table in texts.items():
        at: Path = (*place, section)
        if section == "direction":
            continue
        if section not in _OWN and section not in english():
            yield _unknown(at, ["direction", *english(), *_OWN], place)
        elif not isinstance(table, Mapping):
            yield _no_table(at, table)
        elif section in _OWN:
            for key, value in table.items():
                yield from _of_the_policy(section, key, value, (*at, key), known[section])
        else:
            for key, value in table.items():
                if key not in english()[section]:
                    yield _unknown((*at, key), english()[section], place)
                elif section == "durations":
                    yield from _forms(value, (*at, key), not built_in_base(str(place[1])))
                else:
                    names = _NAME.findall(english()[section][key])
                    yield from _text(value, (*at, key), names)


def _unknown(at: Path, known: Collection[str], place: Path) -> Fault:
    """Say of an unknown key where it belongs, or which was meant; `place`: the language's."""
    key = str(at[-1])
    homes = [
        f"[{key_path((*place, section))}]"
        for section, table in english().items()
        if key in table and section not in _OWN
    ]
    remedy = f"it belongs in {', or in '.join(homes)}" if homes else did_you_mean(key, known)
    remedy = remedy or f"known here: {', '.join(known)}"
    return _fault("CG101", at, f"unknown key {key!r}", remedy)


def _of_the_policy(
    section: str, key: str, value: object, at: Path, known: Collection[str]
) -> Iterator[Fault]:
    """Check a translation of what the policy itself says."""
    missing, remedy = _OWN[section]
    if key not in known:
        if section != "changes":  # there each is like the next
            remedy = did_you_mean(key, known) or remedy
        yield _fault("CG604", at, f"{missing} {key!r}", remedy)
    elif section == "categories" and isinstance(value, Mapping):
        for field, text in value.items():
            if field in _CATEGORY:
                yield from _text(text, (*at, field))
            else:
                remedy = did_you_mean(field, _CATEGORY) or f"known here: {', '.join(_CATEGORY)}"
                yield _fault("CG101", (*at, field), f"unknown key {field!r}", remedy)
    else:
        yield from _text(value, at)


def _forms(value: object, at: Path, new: bool) -> Iterator[Fault]:
    """Check the plural forms of a duration; `new`: nothing is built in that would stand behind."""
    if not isinstance(value, Mapping):
        remedy = f'write {at[-1]} = {{ one = "…", other = "{{count}} …" }}'
        yield _fault("CG102", at, f"must be a table, not {kind_of(value)}", remedy)
        return
    for form, text in value.items():
        if form in _FORMS:
            # Of some languages the singular goes without the number.
            needed = form not in _WITHOUT_NUMBER
            yield from _text(text, (*at, form), ["count"], needed)
        else:
            remedy = did_you_mean(form, _FORMS) or f"known here: {', '.join(_FORMS)}"
            yield _fault("CG101", (*at, form), f"unknown key {form!r}", remedy)
    if new and "other" not in value:
        message = "the form for all other numbers is missing"
        yield _fault("CG103", (*at, "other"), message, 'add other = "{count} …"')


def _text(
    text: object, at: Path, names: Collection[str] | None = None, needed: bool = True
) -> Iterator[Fault]:
    """Check one text. `names` are those that stand in braces; None: it may hold any braces."""
    button = at[2:] in _BUTTONS
    if not isinstance(text, str):
        yield _no_text(at, text, f'write {quoted(str(at[-1]))} = "…"')
    elif not any(map(str.isalnum if button else _is_seen, text)):
        remedy = "write what it is to say, or leave it out"
        if at[2:] in _REFUSING:
            message = "the button with which to refuse has no words (GDPR article 7(3))"
            yield _fault("CG402", at, message, remedy)
        else:
            message = "the button has no words" if button else "the text is empty"
            yield _fault("CG603", at, message, remedy)
    elif names is not None:
        found = _NAME.findall(text)
        missing = [name for name in names if needed and name not in found]
        unknown = [name for name in found if name not in names]
        if missing:
            remedy = f"write {_braced(missing)} where it belongs; it is filled in for visitors"
            yield _fault("CG603", at, f"the text lacks {_braced(missing)}", remedy)
        elif unknown:
            remedy = (
                f"it may hold {_braced(names)}"
                if names
                else "leave it out: nothing is filled in here"
            )
            yield _fault("CG603", at, f"{_braced(unknown)} stands for nothing here", remedy)


def _is_seen(sign: str) -> bool:
    return sign.isprintable() and not sign.isspace()


def _braced(names: Collection[str]) -> str:
    return " and ".join(f"{{{name}}}" for name in dict.fromkeys(names))


def _no_text(at: Path, value: object, remedy: str) -> Fault:
    return _fault("CG102", at, f"must be text, not {kind_of(value)}", remedy)


def _no_table(at: Path, value: object) -> Fault:
    remedy = f"write [{key_path(at)}] on a line of its own, and its keys below"
    return _fault("CG102", at, f"must be a table, not {kind_of(value)}", remedy)


def _fault(code: str, place: Path, message: str, remedy: str) -> Fault:
    return Fault(code=code, path=place, message=message, remedy=remedy)
