"""Finding the line of every key, in whatever form TOML lets it be written."""

from __future__ import annotations

import tomllib
from datetime import date, datetime, time
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.samples import FULL
from consentgate.config.locate import line_of, lines_of

GOLDEN = sorted(Path(__file__).with_name("golden").glob("*.toml"))


class Writer:
    """Writes valid TOML in which every number, and every text, tells the line it stands on."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._keys = 0
        self.text = ""
        self.headers: dict[tuple[str | int, ...], int] = {}
        self._space()
        self._pairs()
        for _ in range(random.randrange(4)):
            random.choice((self._table, self._tables))()

    @property
    def line(self) -> int:
        return self.text.count("\n") + 1

    def _fresh(self) -> tuple[str, str]:
        """Return a key that is nowhere else, and how it is written."""
        self._keys += 1
        key = f"k{self._keys}"
        forms = [
            (key, key),
            (f"{key}-_9", f"{key}-_9"),
            (str(self._keys), str(self._keys)),
            (f"{key}.#[]= ", f'"{key}.#[]= "'),
            (f'{key}"é\nA', f'"{key}\\"é\\n\\u0041"'),
            (f"{key}\\]#", f"'{key}\\]#'"),
        ]
        return self._random.choice(forms)

    def _blank(self) -> None:
        self.text += self._random.choice(("", "", " ", "\t "))

    def _space(self) -> None:
        """Write what may stand between two statements, or between the members of a list."""
        for _ in range(self._random.randrange(3)):
            self.text += self._random.choice(
                ("\n", " ", "\r\n", '# a comment = ["x", {y = 1}]\n', "#\n", "\t# [t]\n")
            )

    def _dot(self) -> None:
        self._blank()
        self.text += "."
        self._blank()

    # --- statements -----------------------------------------------------------------------------

    def _table(self) -> None:
        first, second = self._fresh(), self._fresh()
        name, written = first
        self._header("[", written, "]", (name,))
        if self._random.random() < 0.5:
            self._header("[", f"{written} . {second[1]}", "]", (name, second[0]))

    def _tables(self) -> None:
        (name, written), (inner, inner_written) = self._fresh(), self._fresh()
        for number in range(self._random.randrange(1, 4)):
            self._header("[[", written, "]]", (name, number))
            if self._random.random() < 0.5:
                self._header("[", f"{written}.{inner_written}", "]", (name, number, inner))
            for again in range(self._random.randrange(3)):
                path = (name, number, f"{inner}s", again)
                self._header("[[", f'{written}."{inner_escaped(inner)}s"', "]]", path)

    def _header(self, start: str, name: str, end: str, path: tuple[str | int, ...]) -> None:
        self.headers[path] = self.line
        self.text += start
        self._blank()
        self.text += name
        self._blank()
        self.text += end + "\n"
        self._pairs()

    def _pairs(self) -> None:
        for _ in range(self._random.randrange(4)):
            self._space()
            self._blank()
            self._pair(0)
            self.text += self._random.choice(("\n", "  # end\n", "\r\n"))
        self._space()
        if not self.text.endswith("\n"):
            self.text += "\n"

    def _pair(self, depth: int) -> None:
        keys = [self._fresh() for _ in range(self._random.choice((1, 1, 1, 2, 3)))]
        for number, (_, written) in enumerate(keys):
            if number:
                self._dot()
            self.text += written
        self._blank()
        self.text += "="
        self._blank()
        self._value(depth)

    # --- values ---------------------------------------------------------------------------------

    def _value(self, depth: int) -> None:
        kinds = [self._plain, self._string, self._other]
        if depth < 3:
            kinds += [self._list, self._inline]
        self._random.choice(kinds)(depth)

    def _plain(self, depth: int) -> None:
        self.text += self._random.choice((f"{self.line}", f"{self.line}.5", f"+{self.line}"))

    def _string(self, depth: int) -> None:
        self.text += self._random.choice(
            (
                f'"{self.line} # ] }} \\" \\\\"',
                f"'{self.line} \" # ] \\'",
                f'"""{self.line} "" \n # ] = \\""" \'\'\'\n""""',
                f"'''{self.line} '' \n \" \"\"\" \\\n'''''",
                f'"""{self.line} \\\n   x"""',
            )
        )

    def _other(self, depth: int) -> None:
        self.text += self._random.choice(
            ("true", "1979-05-27 07:32:00Z", "1979-05-27", "07:32:00", "inf", "''", '""""""')
        )

    def _list(self, depth: int) -> None:
        self.text += "["
        for _ in range(self._random.randrange(4)):
            self._space()
            self._value(depth + 1)
            self._space()
            self.text += ","
        self._space()
        self.text += "]"

    def _inline(self, depth: int) -> None:
        self.text += "{"
        for number in range(self._random.randrange(3)):
            self.text += ", " if number else " "
            self._pair(depth + 1)
        self._blank()
        self.text += "}"


def inner_escaped(key: str) -> str:
    return key.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def paths_in(value: Any, path: tuple[str | int, ...] = ()) -> dict[tuple[str | int, ...], Any]:
    """Return every path in TOML data with what is there."""
    members: Any = ()
    if isinstance(value, dict):
        members = value.items()
    elif isinstance(value, list):
        members = enumerate(value)
    found = {path: value} if path else {}
    for key, member in members:
        found |= paths_in(member, (*path, key))
    return found


def told_by(value: Any) -> int | None:
    """Return the line that a value says it stands on, if it says one."""
    if isinstance(value, (bool, date, datetime, time, dict, list)) or value in ("", float("inf")):
        return None
    return int(value.split()[0]) if isinstance(value, str) else int(value)


@given(st.randoms(use_true_random=False))
def test_every_value_is_found_on_its_line(random: Random) -> None:
    """Whatever the form of keys and values: each stands where it says, and no path is missed."""
    writer = Writer(random)
    data = paths_in(tomllib.loads(writer.text))
    lines = lines_of(writer.text)
    told = {path: line for path, value in data.items() if (line := told_by(value)) is not None}
    assert lines.keys() == data.keys()
    assert {path: lines[path] for path in told} == told
    assert {path: lines[path] for path in writer.headers} == writer.headers


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.name)
def test_every_key_of_a_real_file_is_found(path: Path) -> None:
    """The bad files of the other tests, as far as they are TOML: no path is missed."""
    text = path.read_text("utf-8")
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    assert lines_of(text).keys() == paths_in(data).keys()


def test_each_key_of_the_example_is_found_where_it_stands() -> None:
    """A whole, ordinary file: the line found for a key is one on which it is written."""
    written = FULL.splitlines()
    for path, line in lines_of(FULL).items():
        last = next(part for part in reversed(path) if isinstance(part, str))
        assert last in written[line - 1], path


def test_every_form_of_a_key_has_its_line() -> None:
    """One of each, written out."""
    text = """\
a = 1
b.c = [
  1,
  { d = 2, "e.f" = [
    3 ] },
]
[g]
'h' = '''
]'''
b . i = 4
[[j]]
k = 5
[[j]]
[j.l]
m = 6
[n.o]
[n]
"""
    assert lines_of(text) == {
        ("a",): 1,
        ("b",): 2,
        ("b", "c"): 2,
        ("b", "c", 0): 3,
        ("b", "c", 1): 4,
        ("b", "c", 1, "d"): 4,
        ("b", "c", 1, "e.f"): 4,
        ("b", "c", 1, "e.f", 0): 5,
        ("g",): 7,
        ("g", "h"): 8,
        ("g", "b"): 10,
        ("g", "b", "i"): 10,
        ("j",): 11,
        ("j", 0): 11,
        ("j", 0, "k"): 12,
        ("j", 1): 13,
        ("j", 1, "l"): 14,
        ("j", 1, "l", "m"): 15,
        ("n",): 17,
        ("n", "o"): 16,
    }


def test_what_is_missing_is_looked_for_in_the_table_around_it() -> None:
    """The nearest thing that is there; 0 where that is the file itself."""
    lines = lines_of("a = 1\n[b]\n[[b.c]]\n")
    assert [
        line_of(lines, ("b", "c", 0, "name")),
        line_of(lines, ("b", "x", "y")),
        line_of(lines, ("z",)),
        line_of(lines, ()),
    ] == [3, 2, 0, 0]
