"""Find the line of every key in a TOML text that is known to be valid.

tomllib says nothing of positions, so a second, much simpler reading finds them: only when there
is something to report, so that a good file pays nothing for it.
"""

from __future__ import annotations

import re
import tomllib

from .problems import Path

_SKIP = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BLANK = re.compile(r"[ \t]*")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}|'
    r"'''.*?'{3,5}|"
    r'"(?:[^"\\\n]|\\.)*"|'
    r"'[^'\n]*'",
    re.DOTALL,
)
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BARE_VALUE = re.compile(r"[^,\]}\n#]+")


def lines_of(text: str) -> dict[Path, int]:
    """Return the line, counted from 1, of every key, table and array element.

    A table that only other names imply (`a` in `a.b = 1` or `[a.b]`) stands where it is first
    implied; one with a header of its own stands there.
    """
    locator = _Locator(text)
    return locator.implied | locator.lines


def line_of(lines: dict[Path, int], path: Path) -> int:
    """Return the line of `path`, or of the nearest table around it; 0 for the file itself."""
    while path:
        if path in lines:
            return lines[path]
        path = path[:-1]
    return 0


class _Locator:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._counted = 0
        self._line = 1
        self._arrays: dict[Path, int] = {}
        self.lines: dict[Path, int] = {}
        self.implied: dict[Path, int] = {}
        table: Path = ()
        while self._skip(_SKIP) < len(text):
            if text.startswith("[", self._at):
                table = self._header()
            else:
                self._pair(table)

    def _skip(self, pattern: re.Pattern[str]) -> int:
        found = pattern.match(self._text, self._at)
        assert found is not None
        self._at = found.end()
        return self._at

    def _here(self) -> int:
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def _header(self) -> Path:
        many = self._text.startswith("[[", self._at)
        line = self._here()
        self._at += 2 if many else 1
        *outer, last = self._keys()
        self._at = self._text.index("]", self._at) + (2 if many else 1)
        path: Path = ()
        for key in outer:
            path = (*path, key)
            self.implied.setdefault(path, line)
            if path in self._arrays:
                path = (*path, self._arrays[path] - 1)
        path = (*path, last)
        if many:
            self.lines.setdefault(path, line)
            number = self._arrays.get(path, 0)
            self._arrays[path] = number + 1
            path = (*path, number)
        self.lines.setdefault(path, line)
        return path

    def _keys(self) -> list[str]:
        keys: list[str] = []
        while True:
            self._skip(_BLANK)
            keys.append(self._key())
            self._skip(_BLANK)
            if not self._text.startswith(".", self._at):
                return keys
            self._at += 1

    def _key(self) -> str:
        start = self._at
        if self._text[start] in "\"'":
            self._skip(_STRING)
            return str(next(iter(tomllib.loads(f"{self._text[start : self._at]} = 0"))))
        self._skip(_BARE_KEY)
        return self._text[start : self._at]

    def _pair(self, table: Path) -> None:
        line = self._here()
        path = table
        for key in self._keys():
            path = (*path, key)
            self.implied.setdefault(path, line)
        self.lines.setdefault(path, line)
        self._at += 1  # "="
        self._skip(_BLANK)
        self._value(path)

    def _value(self, path: Path) -> None:
        start = self._text[self._at]
        if start in "\"'":
            self._skip(_STRING)
        elif start == "[":
            self._members(path, "]")
        elif start == "{":
            self._members(path, "}")
        else:
            self._skip(_BARE_VALUE)

    def _members(self, path: Path, end: str) -> None:
        self._at += 1
        number = 0
        while True:
            self._skip(_SKIP)
            if self._text[self._at] == end:
                self._at += 1
                return
            if self._text[self._at] == ",":
                self._at += 1
            elif end == "}":
                self._pair(path)
            else:
                self.lines[(*path, number)] = self._here()
                self._value((*path, number))
                number += 1
