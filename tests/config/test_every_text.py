"""What an operator reads when a file is refused: whole texts, kept beside the files.

After a change that is meant, write the texts anew (in tests/: `python -m config.test_every_text`),
and read every one of them.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from config.samples import ENVIRON
from consentgate import ConfigError, load_gate
from consentgate.config import problems

GOLDEN = Path(__file__).with_name("golden")
FILES = sorted(path.name for path in GOLDEN.glob("*.toml"))
CONFIG = Path(problems.__file__).parent


def text_for(name: str) -> str:
    try:
        load_gate(name, environ=ENVIRON)
    except ConfigError as error:
        return f"{error}\n"
    return "accepted\n"


@pytest.mark.parametrize("name", FILES)
def test_a_bad_file_is_refused_in_these_words(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every problem at once, each with file, line, code, key path and remedy."""
    monkeypatch.chdir(GOLDEN)
    assert text_for(name) == (GOLDEN / name).with_suffix(".txt").read_text("utf-8")


@pytest.mark.parametrize("name", FILES)
def test_no_problem_is_told_twice(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No two problems of a file have the same code at the same key, ties with several aside."""
    monkeypatch.chdir(GOLDEN)
    with pytest.raises(ConfigError) as caught:
        load_gate(name, environ=ENVIRON)
    found = [
        (one.code, one.key, one.message if one.code == "CG202" else "")
        for one in caught.value.problems
    ]
    assert sorted(found) == sorted(set(found))


def test_the_texts_hold_no_secret() -> None:
    """Nothing that could be a key or a password is ever printed."""
    shown = "".join(path.read_text("utf-8") for path in GOLDEN.glob("*.txt"))
    assert not re.search("hunter2|0vXo9|k3jQ5Tn2b8", shown)


def test_every_code_stands_in_the_table_once() -> None:
    """The docstring of `problems` explains each code that the package can give, and no other."""
    assert problems.__doc__ is not None
    listed = re.findall(r"^    (CG\d{3})  [A-Z].*\.$", problems.__doc__, re.MULTILINE)
    sources = "".join(
        path.read_text("utf-8") for path in CONFIG.rglob("*.py") if path.name != "problems.py"
    )
    assert listed == sorted(set(re.findall(r'"(CG\d{3})"', sources)))


if __name__ == "__main__":
    import os

    os.chdir(GOLDEN)
    for file in FILES:
        Path(file).with_suffix(".txt").write_text(text_for(file), "utf-8")
