"""What can be wrong with a configuration, and how it is said.

A code is stable, has one meaning, and is never given to another.

    The file
    CG001  The file cannot be read: it is missing, a directory, closed to us, or over 1 MiB.
    CG002  The file is not UTF-8 text.
    CG003  The file is not valid TOML, or its tables are nested too deeply.
    CG004  Warning: the file begins with a byte order mark.

    Keys and values
    CG101  No such key is known there.
    CG102  The value is of the wrong type.
    CG103  Something that must be there is missing.
    CG104  The value is of the right type, but its key cannot have it.
    CG105  The necessary category asks for consent.
    CG106  The database of places cannot be used.

    Rules and categories
    CG201  No cookie and no storage key can have this name.
    CG202  Two rules name the same thing, and neither is more specific.
    CG203  A pattern takes in everything, so that nothing would be gated.
    CG204  A cookie belongs to a category that does not exist, or stands in another one's list.
    CG205  The duration cannot be read, or is not the number of seconds that the rule says.
    CG206  The ids of two categories cannot be told apart in the consent cookie.
    CG207  There are more categories, or longer ids, than a cookie can carry.

    Signing keys
    CG301  The environment holds no signing key.
    CG302  A signing key is too short.
    CG303  A signing key is a placeholder, not a random key.
    CG304  A signing key stands in the file.

    The law
    CG401  An optional category is granted before the visitor says so.
    CG402  Refusing is harder than accepting.
    CG403  Refusing is remembered for less time than accepting.
    CG404  There is no way back from a choice.
    CG405  A category is exempt from consent, but does not meet the conditions.
    CG406  A profile is laxer than the law that was read for one of its places.
    CG407  A profile does not say on what it rests.

    Allowed, but probably not meant
    CG501  Warning: a pattern takes over names that frameworks need.
    CG502  Warning: cookies that no rule names leave without consent.
    CG503  Warning: a category is named by a cookie, but has no table of its own.
    CG504  Warning: a setting may change a cookie that people need.
    CG505  Warning: refused cookies are not hidden from the app.
    CG506  Warning: a setting has no effect beside another one.
    CG507  Warning: a known tracker is called strictly necessary.
    CG508  Warning, or an error with strict = true: visitors are not told what they must be told.
    CG509  Warning: nothing says which region a visitor is in.
    CG510  Warning: an opt-out concerns everything optional, for nothing is marked as sold.
    CG511  Warning: a language that is not built in lacks texts.
    CG512  Warning: visitors are not told what changed with this version of the policy.
    CG513  Warning: the newest change does not come first.
    CG514  Warning: sources of third parties are named, but browsers are not told.
    CG515  Warning: browsers are told, but a category names no sources.
    CG516  Warning: tags send requests before the visitor agrees.

    What visitors read
    CG601  A language has no such tag, or there are no texts in it.
    CG602  The folder of templates cannot be used.
    CG603  A text has no words, or other names in braces than it needs.
    CG604  A text is for a category, a cookie or a version that the policy does not have.
    CG605  A template of the site cannot be rendered.
    CG606  Browsers are told to load nothing from third parties, for no source is named.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Path = tuple[str | int, ...]

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A problem that knows its place in a tree of keys, but not yet its file and line.

    `other` is the second place of a problem that lies between two. `line` is for problems that
    no key is to blame for.
    """

    code: str
    path: Path
    message: str
    remedy: str
    severity: str = "error"
    other: Path | None = None
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One mistake: where it is, what it is, and what to do about it.

    `code` is stable (CGnnn). `line` counts from 1; 0 where no line of the file is to blame.
    `severity` is "error" or "warning".
    """

    code: str
    key: str
    message: str
    remedy: str
    file: str
    line: int = 0
    severity: str = "error"

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        key = f" ({self.key})" if self.key else ""
        return f"{where}: {self.severity}[{self.code}] {self.message}{key}\n    help: {self.remedy}"


class ConfigError(ValueError):
    """A configuration that cannot be used: every problem at once, in `problems`."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        title = f"{count} problem{'' if count == 1 else 's'} in the consentgate configuration"
        super().__init__("\n".join([title, *map(str, self.problems)]))

    def __reduce__(self) -> tuple[type[ConfigError], tuple[tuple[Problem, ...]]]:
        # Made again from its problems: servers hand start-up errors from one process to another.
        return type(self), (self.problems,)


def key_path(path: Path) -> str:
    """Write a path as TOML people write it: `categories.analytics.cookies[1].name`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + quoted(part)
    return text


def quoted(key: str) -> str:
    """Write a key as it must stand in a file: bare where it can, else in quotes, on one line."""
    if _BARE_KEY.fullmatch(key):
        return key
    return json.dumps(key, ensure_ascii=not key.isprintable())


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the one of the known words that was most likely meant, or ""."""
    from difflib import get_close_matches  # a file without mistakes pays nothing for it

    near = get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)
    return near[0] if near else ""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return the question whether the nearest of the known words was meant, or ""."""
    near = nearest(word, known)
    return f"did you mean {near!r}?" if near else ""


def kind_of(value: object) -> str:
    """Say in plain words what sort of value this is."""
    if value is None:
        return "None"
    names: dict[type, str] = {
        bool: "true or false",
        int: "a number",
        float: "a number",
        str: "text",
        bytes: "bytes",
        list: "a list",
        tuple: "a tuple",
        dict: "a table",
    }
    for kind, name in names.items():
        if isinstance(value, kind):
            return name
    return f"a {type(value).__name__}"  # a date, a time, and in Python anything at all
