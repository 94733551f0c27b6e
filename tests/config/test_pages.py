"""[pages] and [[changes]]; every mistake is in golden/pages.toml and golden/more_pages.toml."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from config.samples import ENVIRON, load
from consentgate import ConfigError, Policy, load_policy
from consentgate.config import gate_of, inspect
from consentgate.core.policy import Change, Pages

CHANGES = """\
version = "3"

[[changes]]
version = "2"
date = 2026-02-01
text = "Something new."

[[changes]]
version = "3"
date = "2026-03-01"
text = "Something newer."

[[changes]]
version = "1"
date = 2026-01-01
text = "The first."
"""


def said(folder: Path, text: str) -> list[str]:
    """Return every problem of a file with this text, as one line each."""
    (folder / "a.toml").write_text(text, "utf-8")
    _, problems = inspect(folder / "a.toml")
    return [
        f"{one.line} {one.severity}[{one.code}] {one.message} ({one.key}) | {one.remedy}"
        for one in problems
    ]


def test_templates_are_looked_for_beside_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever the app is started from, and however the file is named; a whole path stays."""
    folder = tmp_path / "own"
    folder.mkdir()
    text = 'version = "1"\n[pages]\ntemplates = "own"\n'
    assert load(folder, text.replace("own", "../own")).pages.templates == str(folder / "../own")
    assert load(folder, text.replace("own", str(folder))).pages.templates == str(folder)
    assert load(tmp_path, text).pages.templates == str(folder)
    monkeypatch.chdir(tmp_path)
    assert load_policy("consentgate.toml").pages.templates == "own"


def test_templates_of_a_policy_in_python_are_where_they_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As any other path in a program."""
    monkeypatch.chdir(tmp_path)
    policy = Policy(version="1", pages=Pages(templates="own"))
    with pytest.raises(ConfigError) as caught:
        gate_of(policy, environ=ENVIRON)
    assert [(one.code, one.key, one.message) for one in caught.value.problems] == [
        ("CG602", "pages.templates", "'own' does not exist")
    ]
    (tmp_path / "own").mkdir()
    assert gate_of(policy, environ=ENVIRON).policy is policy


def test_templates_are_tried_when_the_policy_is_loaded(tmp_path: Path) -> None:
    """A mistake is told with its file and line; without a way to refuse it is a dark pattern."""
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "notice.html").write_text("\n{{ words.nothing }}")
    (tmp_path / "own" / "banner.html").write_text('<button name="action" value="accept">')
    text = 'version = "1"\n[pages]\ntemplates = "own"\n'
    remedy = "compare it with the built-in one of that name, which says what it gets and must do"
    own = f"{tmp_path}/own/"
    assert said(tmp_path, text) == [
        f"3 error[CG402] {own}banner.html has no reject: each is a button with "
        f'name="action" and that value (pages.templates) | {remedy}',
        f"3 error[CG605] {own}notice.html:2 cannot be rendered: "
        "'consentgate.pages.texts.Words object' has no attribute 'nothing' (pages.templates) | "
        + remedy,
    ]


@pytest.mark.parametrize("language", ["en", "EN", "pt-BR", "nn", "zh-Hant-TW"])
def test_the_language_of_the_policy_is_one_that_there_are_texts_in(
    tmp_path: Path, language: str
) -> None:
    """Built in, or a variety of one that is."""
    text = f'version = "1"\n[pages]\nlanguage = "{language}"\n'
    assert load(tmp_path, text).pages == Pages(language=language)


def test_the_language_of_the_policy_may_have_its_texts_there(tmp_path: Path) -> None:
    """A policy in Basque brings the texts in Basque along."""
    text = 'version = "1"\n[pages]\nlanguage = "eu-ES"\n[texts.EU.banner]\nlabel = "x"\n'
    assert load(tmp_path, text).pages.language == "eu-ES"


def test_changes_stand_in_the_order_of_the_file(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is only doubted, and only when the file is checked."""
    assert said(tmp_path, CHANGES) == [
        "10 warning[CG513] this is newer than the change above it, and visitors read them so "
        "(changes[1].date) | put the newest [[changes]] first"
    ]
    with caplog.at_level(logging.DEBUG, "consentgate"):
        policy = load_policy(tmp_path / "a.toml")
    assert caplog.messages == []
    assert policy.changes == (
        Change(version="2", date="2026-02-01", text="Something new."),
        Change(version="3", date="2026-03-01", text="Something newer."),
        Change(version="1", date="2026-01-01", text="The first."),
    )


def test_a_version_without_its_change_is_doubted(tmp_path: Path) -> None:
    """Whoever tells of changes has forgotten one; whoever tells of none has forgotten nothing."""
    text = CHANGES.replace('version = "3"', 'version = "4"', 1).replace("02-01", "03-01")
    assert said(tmp_path, text) == [
        "1 warning[CG512] visitors are not told what changed with '4' (version) | add it to "
        "[[changes]], with version, date and text"
    ]
    assert said(tmp_path, 'version = "4"\n') == []
