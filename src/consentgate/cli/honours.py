"""Write `honours = […]` into a policy file, and leave everything else in it as it is.

Rule 1. Only the lines of the category itself are read and written anew: tomlkit, which keeps
        comments and layout, puts the tables of a whole file together where an array of tables
        (`[[cookies]]`) stands between them.
Rule 2. What will be written is read before it replaces the file; if it says anything else than
        was meant, nothing is written.
"""

from __future__ import annotations

import codecs
import os
import re
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from stat import S_IMODE, S_ISREG

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AbstractTable, AoT, Array, Table

from ..config import inspect
from ..config.locate import lines_of
from ..config.problems import quoted
from ..core.policy import Policy

Added = Mapping[str, Sequence[str]]


class CannotWrite(Exception):
    """The file cannot be written, or not so that nothing else changes; it is as it was."""


def write_honours(file: str, policy: Policy, added: Added) -> None:
    """Add revisions to what categories of a file honour; `policy` is what the file says now.

    Raises CannotWrite.
    """
    path = os.path.realpath(file)  # a link stays a link
    try:
        mode = os.stat(file).st_mode
        if not S_ISREG(mode):
            raise CannotWrite("it is no file")
        with open(path, "rb") as opened:
            raw = opened.read()
        mark = codecs.BOM_UTF8 if raw.startswith(codecs.BOM_UTF8) else b""
        text = raw[len(mark) :].decode()
        tomllib.loads(text)
        for id, revisions in added.items():
            text = with_honours(text, id, revisions)
        _put(path, mark + text.encode(), S_IMODE(mode), meant(policy, added))
    except OSError as error:
        raise CannotWrite(error.strerror or str(error)) from None
    except (TOMLKitError, ValueError, KeyError, TypeError):  # it changed meanwhile, say
        raise CannotWrite("it is not understood well enough") from None


def with_honours(text: str, id: str, revisions: Sequence[str]) -> str:
    """Return the text of a policy file in which a category honours these revisions too."""
    *lines, rest = text.split("\n")
    lines = [*(line + "\n" for line in lines), rest]
    start, end = _section(text, lines, id)
    part = "".join(lines[start:end])
    if start == end:  # no table of its own, and so far nothing but its id was needed
        gap = "" if not text.strip() else "\n" if text.endswith("\n") else "\n\n"
        listed = tomlkit.item(list(revisions)).as_string()
        added = f"{gap}[categories.{quoted(id)}]\nhonours = {listed}\n"
        return text + (added.replace("\n", "\r\n") if _has_crlf(text) else added)
    document = tomlkit.parse(part)
    if tomlkit.dumps(document) != part:
        raise ValueError(id)
    _add(document["categories"][id], revisions)
    done = tomlkit.dumps(document)
    if _has_crlf(part):
        done = re.sub("(?<!\r)\n", "\r\n", done)
    return "".join([*lines[:start], done, *lines[end:]])


def _section(text: str, lines: list[str], id: str) -> tuple[int, int]:
    """Return from where to where the table of a category stands; an empty span where it has none.

    A table without a header ([categories] with dotted keys, say) is a part of the whole.
    """
    places = lines_of(text)
    here = ("categories", id)
    if here not in places:
        return len(lines), len(lines)
    start = places[here]
    if not lines[start - 1].lstrip().startswith("["):
        return 0, len(lines)
    following = [line for path, line in places.items() if line > start and path[:2] != here]
    return start - 1, min(following, default=len(lines) + 1) - 1


def _add(table: object, revisions: Sequence[str]) -> None:
    if not isinstance(table, AbstractTable):
        raise TypeError(table)
    listed = table.get("honours")
    if isinstance(listed, Array):
        for revision in revisions:
            listed.append(revision)
        return
    item = tomlkit.item(list(revisions))
    keys = [key for key, value in table.value.body if key and not isinstance(value, (Table, AoT))]
    if isinstance(table, Table) and keys:
        # `add` would put it behind the comments that belong to what follows the table.
        table.value._insert_after(keys[-1], "honours", item)
    else:
        table.add("honours", item)


def _has_crlf(text: str) -> bool:
    return text.count("\n") == text.count("\r\n") > 0


def meant(policy: Policy, added: Added) -> Policy:
    """Return the policy in which categories honour these revisions too."""
    return replace(
        policy,
        categories=tuple(
            replace(one, honours=(*one.honours, *added.get(one.id, ())))
            for one in policy.categories
        ),
    )


def _put(path: str, raw: bytes, mode: int, meant: Policy) -> None:
    """Replace a file in one step, once the new one is known to say what is meant."""
    handle, beside = tempfile.mkstemp(dir=os.path.dirname(path), suffix=".toml")
    try:
        with open(handle, "wb") as opened:
            opened.write(raw)
            opened.flush()
            os.fsync(handle)
        os.chmod(beside, mode)
        policy, problems = inspect(beside)
        errors = any(problem.severity == "error" for problem in problems)
        if errors or _in_any_order(policy) != _in_any_order(meant):
            raise ValueError(path)
        os.replace(beside, path)
    except BaseException:
        os.unlink(beside)
        raise


def _in_any_order(policy: Policy) -> Policy:
    """A category with a new table of its own may have got another place."""
    return replace(policy, categories=tuple(sorted(policy.categories, key=lambda one: one.id)))
