"""What can be wrong with a file as a file, before anything in it is understood."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from config.samples import ENVIRON, EXAMPLE, EXAMPLE_POLICY, load, refusal
from consentgate import ConfigError, Policy, load_gate, load_policy
from consentgate.config import inspect
from consentgate.config.source import MAX_DEPTH, MAX_FILE_BYTES

ONE = "1 problem in the consentgate configuration\n"
VERSION = 'version = "1"\n'


def test_a_missing_file_is_one_problem(tmp_path: Path) -> None:
    """Not two: that a file which cannot be read has no version, or no key, is no news."""
    path = tmp_path / "nowhere.toml"
    with pytest.raises(ConfigError) as caught:
        load_gate(path, environ={})
    assert str(caught.value) == (
        f"{ONE}{path}: error[CG001] the file cannot be read: No such file or directory\n"
        "    help: check the path"
    )


def test_a_directory_cannot_be_read(tmp_path: Path) -> None:
    """It is told apart from a missing file by the system's own words."""
    with pytest.raises(ConfigError) as caught:
        load_policy(tmp_path)
    assert str(caught.value) == (
        f"{ONE}{tmp_path}: error[CG001] the file cannot be read: Is a directory\n"
        "    help: check the path"
    )


def test_a_path_with_a_nul_in_it_cannot_be_read() -> None:
    """No path can have one; the error is ours all the same."""
    with pytest.raises(ConfigError, match=r"error\[CG001\] the file cannot be read: embedded null"):
        load_policy("policy\0.toml")


def test_a_file_may_have_one_mebibyte(tmp_path: Path) -> None:
    """Up to the limit a file is read whole."""
    content = VERSION.encode() + b"#" * (MAX_FILE_BYTES - len(VERSION))
    assert (len(content), load(tmp_path, content)) == (1024 * 1024, Policy(version="1"))


def test_a_file_of_more_than_a_mebibyte_is_refused(tmp_path: Path) -> None:
    """One byte more is too much, whatever it is."""
    content = VERSION.encode() + b"#" * (MAX_FILE_BYTES - len(VERSION) + 1)
    assert refusal(tmp_path, content) == (
        f"{ONE}consentgate.toml: error[CG001] the file has more than 1 MiB\n"
        "    help: a policy is a few hundred lines"
    )


def test_a_byte_order_mark_is_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Some editors write one: the file is read without it, and a line in the log says so."""
    with caplog.at_level(logging.WARNING, "consentgate"):
        assert load(tmp_path, b"\xef\xbb\xbf" + EXAMPLE.encode()) == EXAMPLE_POLICY
    assert [record.getMessage() for record in caplog.records if "CG004" in record.getMessage()] == [
        f"{tmp_path / 'consentgate.toml'}:1: warning[CG004] the file begins with a byte order mark"
        "\n    help: save it as UTF-8 without one"
    ]


def test_a_byte_order_mark_alone_is_an_empty_policy(tmp_path: Path) -> None:
    """Nothing is left when it is taken away, and nothing has no version."""
    assert refusal(tmp_path, b"\xef\xbb\xbf") == refusal(tmp_path, b"")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (EXAMPLE.encode("utf-16"), "consentgate.toml: error[CG002] the file is UTF-16, not UTF-8"),
        (
            EXAMPLE.encode("utf-16-le"),
            "consentgate.toml:1: error[CG002] the file holds a NUL byte, so it is not UTF-8 text",
        ),
        (
            b'version = "1"\n# caf\xe9\n',
            "consentgate.toml:2: error[CG002] the file is not UTF-8: byte 0xe9",
        ),
        (
            b'version = "1"\n\n\0',
            "consentgate.toml:3: error[CG002] the file holds a NUL byte, so it is not UTF-8 text",
        ),
    ],
    ids=["UTF-16", "UTF-16 without a mark", "Latin-1", "NUL"],
)
def test_what_is_not_utf_8_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    """TOML is UTF-8 and nothing else; the line of the first bad byte is told."""
    assert refusal(tmp_path, content) == f"{ONE}{message}\n    help: save it as UTF-8"


@pytest.mark.parametrize("depth", [MAX_DEPTH, 300, 5_000])
@pytest.mark.parametrize(
    ("before", "after"), [("[", "]"), ("{a=", "}")], ids=["lists", "inline tables"]
)
def test_deep_nesting_is_refused(tmp_path: Path, depth: int, before: str, after: str) -> None:
    """However deep, it is one problem, and never a RecursionError."""
    assert refusal(tmp_path, f"x = {before * depth}1{after * depth}") == (
        f"{ONE}consentgate.toml: error[CG003] the file is nested too deeply\n"
        "    help: a policy needs five levels"
    )


def test_deep_dotted_keys_are_refused(tmp_path: Path) -> None:
    """Tables in tables can be written without a bracket."""
    assert "nested too deeply" in refusal(tmp_path, ".".join(["a"] * 200) + " = 1")
    assert "nested too deeply" in refusal(tmp_path, f"[{'.'.join(['a'] * 200)}]\nb = 1")


@pytest.mark.parametrize(
    ("text", "line", "message", "remedy"),
    [
        ("version = 2026-11\n", 1, "expected newline or end of document", "text in quotes"),
        ("version = yes\n", 1, "invalid value", "text stands in quotes"),
        ('version: "1"\n', 1, "expected '=' after a key", 'write key = "value"'),
        ('version = "1"\nversion = "2"\n', 2, "a key is given twice", "is written once"),
        ('version = "1"\nversion = "2"', 2, "a key is given twice", "is written once"),
        ("[consent]\n[consent]\n", 2, "[consent] is given twice", "is written once"),
        ('consent = "x"\n[consent]\n', 2, "[consent] is given twice|a key is", "is written once"),
        ("[[cookies]]\n[cookies]\n", 2, "[cookies] is given twice", "is written once"),
        ('version = "1\n', 1, "illegal character '\\n'", "close the text on its line"),
        ('version = """1\n\n', 1, "it ends too early", "text with the quote"),
        ('x = ["a"\n\n\n', 1, "it ends too early|unclosed array", "]"),
        ('x = ["a" "b"]\n', 1, "unclosed array", "commas between the members"),
        ('version = "C:\\path"\n', 1, "unescaped '\\' in a string", "two backslashes"),
        ('x = [\n{ name = "a"\n}]\n', 2, "unclosed inline table", "on one line"),
        (f"version = {'1' * 5000}\n", 0, "holds a number that is too long", "holds no numbers"),
        ("= 1\n", 1, "invalid statement", "must be valid TOML 1.0"),
    ],
)
def test_invalid_toml_is_told_with_line_and_remedy(
    tmp_path: Path, text: str, line: int, message: str, remedy: str
) -> None:
    """tomllib finds one mistake; we say where it is and what most likely helps."""
    (tmp_path / "consentgate.toml").write_text(text)
    _, problems = inspect(tmp_path / "consentgate.toml")
    assert [(one.code, one.line) for one in problems] == [("CG003", line)]
    assert any(part in problems[0].message for part in message.split("|"))
    assert remedy in problems[0].remedy


def test_windows_line_ends_are_line_ends(tmp_path: Path) -> None:
    """Lines are counted the same, and the file means the same."""
    assert load(tmp_path, EXAMPLE.replace("\n", "\r\n")) == EXAMPLE_POLICY
    text = 'version = "1"\n\n[consent]\nsecure = 1\n'
    assert refusal(tmp_path, text.replace("\n", "\r\n")) == refusal(tmp_path, text)


def test_the_path_may_be_text_or_a_path(tmp_path: Path) -> None:
    """Both kinds are read alike."""
    (tmp_path / "a.toml").write_text(EXAMPLE)
    path = tmp_path / "a.toml"
    assert load_policy(path) == load_policy(str(path)) == EXAMPLE_POLICY
    assert load_gate(str(path), environ=ENVIRON).policy == EXAMPLE_POLICY
