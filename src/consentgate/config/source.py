"""From a path to TOML data: everything that can be wrong with a file as a file."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from .problems import Fault

# A policy of 2,000 rules has some 200 KiB.
MAX_FILE_BYTES = 1024 * 1024
# A policy needs five levels: categories, one of them, its cookies, one of them, its facts.
MAX_DEPTH = 32

_BOM = b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_AT = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)")
_QUOTED = re.compile(r"'([^']*)'")
# How what tomllib says begins (its words may change between versions), and what helps.
_REMEDIES = {
    "Invalid value": 'text stands in quotes: key = "value"',
    "Expected newline or end of document": "write one key = value on a line, and text in quotes",
    "Expected '=' after a key": 'write key = "value"; a key with a space in it stands in quotes',
    "Cannot ": "each key and each table is written once: remove one of the two, or merge them",
    "Illegal character '\\n'": "close the text on its line, or open it with three quotes",
    "Unescaped '\\'": "write two backslashes, or put the text in single quotes",
    "Unclosed array": "put commas between the members of a list, and ] at its end",
    "Unclosed inline table": "keep an inline table on one line: { name = …, purpose = … }",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What a file holds. `data` is None where it could not be read; `faults` then says why."""

    text: str = ""
    data: dict[str, Any] | None = None
    faults: tuple[Fault, ...] = ()


def read_source(file: str) -> Source:
    """Read a file. Whatever is in it, nothing is raised."""
    try:
        with FilePath(file).open("rb") as opened:
            raw = opened.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        return _fault("CG001", f"cannot be read: {error.strerror or error}", "check the path")
    except ValueError as error:  # a path with a NUL in it
        return _fault("CG001", f"cannot be read: {error}", "check the path")
    if len(raw) > MAX_FILE_BYTES:
        return _fault("CG001", "has more than 1 MiB", "a policy is a few hundred lines")
    return _parse(raw)


def _parse(raw: bytes) -> Source:
    save_it = "save it as UTF-8"
    if raw.startswith(_UTF_16):
        return _fault("CG002", "is UTF-16, not UTF-8", save_it)
    faults: tuple[Fault, ...] = ()
    if raw.startswith(_BOM):
        raw = raw[len(_BOM) :]
        faults = (
            Fault(
                code="CG004",
                path=(),
                line=1,
                message="the file begins with a byte order mark",
                remedy="save it as UTF-8 without one",
                severity="warning",
            ),
        )
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        return _fault("CG002", f"is not UTF-8: byte 0x{raw[error.start]:02x}", save_it, line)
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        return _fault("CG002", "holds a NUL byte, so it is not UTF-8 text", save_it, line)
    too_deep = _fault("CG003", "is nested too deeply", "a policy needs five levels")
    try:
        data = tomllib.loads(text)
    except RecursionError:
        return too_deep
    except ValueError as error:
        return _invalid(text, str(error))
    if _is_deep(data):
        return too_deep
    return Source(text=text, data=data, faults=faults)


def _invalid(text: str, said: str) -> Source:
    """Return what tomllib said, with the line apart and a remedy added."""
    found = _AT.search(said)
    if found is None:  # tomllib leaves a number of 5,000 digits to int(), which says no line
        return _fault("CG003", "holds a number that is too long", "a policy holds no numbers")
    said = _AT.sub("", said)
    # At the end of the document: the last line that has anything on it.
    line = int(found[1]) if found[1] else text.rstrip().count("\n") + 1
    remedy = next(
        (help for start, help in _REMEDIES.items() if said.startswith(start)),
        "the file must be valid TOML 1.0",
    )
    if said == "Cannot overwrite a value":
        said = "a key is given twice"
    elif said.startswith("Cannot declare") and said.endswith("twice"):
        said = f"[{'.'.join(_QUOTED.findall(said))}] is given twice"
    elif found[1] is None:
        said = "it ends too early"
        remedy = "close a list with ], a table with }, and text with the quote it begins with"
    message = f"is not valid TOML: {said[:1].lower()}{said[1:]}"
    return _fault("CG003", message, remedy, line)


def _is_deep(data: dict[str, Any]) -> bool:
    level: list[Any] = [data]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for one in level
            for child in (one.values() if isinstance(one, dict) else one)
            if isinstance(child, (dict, list))
        ]
        if not level:
            return False
    return True


def _fault(code: str, message: str, remedy: str, line: int = 0) -> Source:
    fault = Fault(code=code, path=(), message=f"the file {message}", remedy=remedy, line=line)
    return Source(faults=(fault,))
