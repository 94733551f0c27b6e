"""`consentgate check`: what it prints of a policy file, and how it ends."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from cli.command import GOOD_KEY, POLICY, given, process, said
from consentgate.cli.problems import marked, one_line, shown
from consentgate.config import Problem

BROKEN = """\
version = "2026-11"
modus = "report"

[consent]
site = "https://shop.example/home"

[categories.necessary]
always = "yes"
cookies = ["basket", "visits"]

[categories.analytics]
cookies = [
    { name = "_ga*", provider = "Google", purpose = "Visits", duration = "a year" },
    { name = "visits", provider = "Us", purpose = "Visits", duration = "session" },
]
description = "Which pages are used."
[[cookies]]
name = "_fbp"
category = "analitics"
[controller]
name = "The shop"
contact = "privacy@shop.example"
"""

BROKEN_TEXT = """\
shop.toml:2: error[CG101] unknown key 'modus' (modus)
  2 | modus = "report"
    | ^^^^^
    help: did you mean 'mode'?

shop.toml:5: error[CG104] 'https://shop.example/home' is not an origin (consent.site)
  5 | site = "https://shop.example/home"
    |         ^^^^^^^^^^^^^^^^^^^^^^^^^
    help: write scheme and host only, for example "https://shop.example"

shop.toml:8: error[CG102] must be true or false, not text (categories.necessary.always)
  8 | always = "yes"
    | ^^^^^^
    help: write always = true or always = false, without quotes

shop.toml:13: error[CG205] 'a year' is not a duration (categories.analytics.cookies[0].duration)
  13 |     { name = "_ga*", provider = "Google", purpose = "Visits", duration = "a year" },
     |                                                                           ^^^^^^
    help: write "session", or a number and a unit: "13 months", "90 days"

shop.toml:14: error[CG202] 'visits' is named twice; \
the other is categories.necessary.cookies[1] in line 9 (categories.analytics.cookies[1])
  14 |     { name = "visits", provider = "Us", purpose = "Visits", duration = "session" },
     |               ^^^^^^
    help: remove one of the two

shop.toml:19: error[CG204] there is no category 'analitics' (cookies[0].category)
  19 | category = "analitics"
     |             ^^^^^^^^^
    help: did you mean 'analytics'?

6 errors in shop.toml (4 rules, 2 categories)
"""


def test_a_good_file_is_clean() -> None:
    """One line, status 0."""
    assert said("check", "shop.toml") == (0, "shop.toml is clean (5 rules, 3 categories)\n")


def test_the_file_may_be_left_out(folder: Path) -> None:
    """Without a name it is consentgate.toml, the name that the documents use."""
    (folder / "consentgate.toml").write_text(POLICY)
    assert said("check") == (0, "consentgate.toml is clean (5 rules, 3 categories)\n")


def test_every_mistake_is_shown_with_its_line_and_what_to_do(folder: Path) -> None:
    """All at once, in the order of the file, each marked in its line; a summary comes last."""
    (folder / "shop.toml").write_text(BROKEN)
    assert said("check", "shop.toml") == (1, BROKEN_TEXT)


def test_a_file_that_is_no_toml_is_shown_where_it_breaks(folder: Path) -> None:
    """There is no policy to count then: the summary has only the error."""
    (folder / "shop.toml").write_text('version = "1"\n  cookies: none\n')
    status, text = said("check", "shop.toml")
    head, *rest = text.splitlines()
    assert status == 1
    assert head.startswith("shop.toml:2: error[CG003] ")
    assert rest[:2] == ["  2 |   cookies: none", "    |   ^^^^^^^^^^^^^"]
    assert rest[-1] == "1 error in shop.toml"


def test_a_missing_file_cannot_be_checked() -> None:
    """Status 2, and the reason on stderr: there was nothing to check."""
    result = given("check", "nowhere.toml")
    assert (result.exit_code, result.stdout, result.stderr) == (
        2,
        "",
        "nowhere.toml: error[CG001] the file cannot be read: No such file or directory\n"
        "    help: check the path\n",
    )


def test_a_folder_is_no_file(folder: Path) -> None:
    """A folder cannot be checked either."""
    status, text = said("check", str(folder))
    assert status == 2
    assert "Is a directory" in text


def test_a_warning_is_shown_but_does_not_fail(folder: Path) -> None:
    """Warnings end with 0, and with 1 under --strict."""
    (folder / "shop.toml").write_text('unknown = "allow"\n' + POLICY)
    text = (
        "shop.toml:1: warning[CG502] cookies that no rule names leave without consent (unknown)\n"
        '  1 | unknown = "allow"\n'
        "    | ^^^^^^^\n"
        '    help: name them, then write unknown = "block"\n'
        "\n"
        "1 warning in shop.toml (5 rules, 3 categories)\n"
    )
    assert said("check", "shop.toml") == (0, text)
    assert said("check", "--strict", "shop.toml") == (1, text)


def test_what_visitors_are_not_told_is_a_warning(folder: Path) -> None:
    """A check says more than a start does; strict = true in the file makes it an error."""
    text = POLICY.replace('contact = "privacy@shop.example"\n', "")
    warned = (
        "shop.toml:23: {}[CG508] the controller lacks a contact or an address "
        "(GDPR article 13(1)(a)) (controller)\n"
        "  23 | [controller]\n"
        "     |  ^^^^^^^^^^\n"
        '    help: write contact = "…" or address = "…"\n'
        "\n"
        "1 {} in shop.toml (5 rules, 3 categories)\n"
    )
    (folder / "shop.toml").write_text(text, "utf-8")
    assert said("check", "shop.toml") == (0, warned.format("warning", "warning"))
    (folder / "shop.toml").write_text(text.replace("\n\n", "\nstrict = true\n", 1), "utf-8")
    assert said("check", "shop.toml") == (1, warned.format("error", "error"))


def test_a_tracker_called_necessary_fails_under_strict_only(folder: Path) -> None:
    """A new release may know more trackers: that stops a check, and never a shop."""
    (folder / "shop.toml").write_text(POLICY.replace('["basket"]', '["basket", "_hp2_id.*"]'))
    status, text = said("check", "shop.toml")
    assert status == 0
    assert text.startswith("shop.toml:5: warning[CG507] '_hp2_id.*' is no strictly necessary")
    assert said("check", "--strict", "shop.toml") == (1, text)


# --- the signing key ----------------------------------------------------------------------------


def test_a_missing_key_is_only_a_note_where_the_app_is_built() -> None:
    """A build machine often has no secret: that is said, and fails nothing."""
    assert said("check", "shop.toml", key=None) == (
        0,
        "shop.toml: note[CG301] the environment variable CONSENTGATE_SECRET holds no signing key "
        "(consent.secret_env)\n"
        "    help: make a good one with: consentgate keygen\n"
        "\n"
        "shop.toml is clean (5 rules, 3 categories)\n",
    )


def test_a_weak_key_is_a_warning() -> None:
    """A key that is there but short is worth a warning, and is not shown."""
    assert said("check", "shop.toml", key="hunter2") == (
        0,
        "shop.toml: warning[CG302] CONSENTGATE_SECRET has 7 bytes; it needs 32 "
        "(consent.secret_env)\n"
        "    help: make a good one with: consentgate keygen\n"
        "\n"
        "1 warning in shop.toml (5 rules, 3 categories)\n",
    )


@pytest.mark.parametrize(("key", "code"), [(None, "CG301"), ("hunter2", "CG302")])
def test_strict_asks_for_a_good_key(key: str | None, code: str) -> None:
    """--strict is for the machine that serves: without a good key it ends with 1."""
    status, text = said("check", "shop.toml", "--strict", key=key)
    assert status == 1
    assert text.startswith(f"shop.toml: error[{code}] ")
    assert text.endswith("\n1 error in shop.toml (5 rules, 3 categories)\n")


def test_the_key_is_looked_for_in_the_variable_that_the_file_names(folder: Path) -> None:
    """`secret_env` decides which variable holds the key."""
    (folder / "shop.toml").write_text(POLICY + '\n[consent]\nsecret_env = "SHOP_KEY"\n')
    result = given("check", "--strict", "shop.toml", key=None, SHOP_KEY=GOOD_KEY)
    assert (result.exit_code, result.output) == (0, "shop.toml is clean (5 rules, 3 categories)\n")


def test_no_key_is_looked_for_in_a_file_that_cannot_be_read(folder: Path) -> None:
    """A file without a policy names no variable."""
    (folder / "shop.toml").write_text("version")
    assert "CG301" not in said("check", "shop.toml", key=None)[1]


# --- for programs -------------------------------------------------------------------------------


def test_json_says_the_same_for_programs(folder: Path) -> None:
    """One object with the counts and every problem; the status is that of the text form."""
    (folder / "shop.toml").write_text('modus = "report"\n' + POLICY)
    status, text = said("check", "shop.toml", "--format", "json", key=None)
    assert status == 1
    assert json.loads(text) == {
        "file": "shop.toml",
        "version": "2026-11",
        "rules": 5,
        "categories": ["necessary", "analytics", "marketing"],
        "errors": 1,
        "warnings": 0,
        "problems": [
            {
                "code": "CG101",
                "severity": "error",
                "line": 1,
                "key": "modus",
                "message": "unknown key 'modus'",
                "help": "did you mean 'mode'?",
            },
            {
                "code": "CG301",
                "severity": "note",
                "line": None,
                "key": "consent.secret_env",
                "message": "the environment variable CONSENTGATE_SECRET holds no signing key",
                "help": "make a good one with: consentgate keygen",
            },
        ],
    }


def test_json_of_a_missing_file_is_json_too() -> None:
    """A program reads one object on stdout whatever happened."""
    result = given("check", "nowhere.toml", "--format", "json")
    assert result.exit_code == 2
    assert [one["code"] for one in json.loads(result.stdout)["problems"]] == ["CG001"]
    assert result.stderr == ""


# --- how a problem is shown ---------------------------------------------------------------------


def problem(message: str, key: str = "", line: int = 1, code: str = "CG104") -> Problem:
    return Problem(
        code=code, key=key, message=message, remedy="mend it", file="shop.toml", line=line
    )


@pytest.mark.parametrize(
    ("line", "message", "key", "expected"),
    [
        ('mode = "mode"', "unknown key 'mode'", "mode", "^^^^"),
        ('mode = "mdoe"', "mode cannot be 'mdoe'", "mode", "        ^^^^"),
        ('cookies = ["a", "b", "a"]', "'a' is named twice", "cookies[2]", " " * 22 + "^"),
        ("  secure = 1", "must be true or false, not a number", "consent.secure", "  ^^^^^^"),
        ("[categories.stats]", "the cookie has no name", "categories.stats.name", "^" * 18),
        ("[categories.stats]", "two of a kind", "categories.stats", " " * 12 + "^" * 5),
        ("a-mode = 1", "must be text", "mode", "^^^^^^^^^^"),
        ("  secure = 1", "must be 'true' or 'false'", "consent.secure", "  ^^^^^^"),
        ("", "the file ends here", "", "^"),
    ],
)
def test_a_problem_is_marked_where_it_lies(
    line: str, message: str, key: str, expected: str
) -> None:
    """The value it speaks of, else the key, else the whole line is marked."""
    text = shown(problem(message, key), [line])
    assert text.splitlines()[2].removeprefix("    | ") == expected


def test_what_toml_itself_refuses_is_marked_whole() -> None:
    """tomllib quotes signs such as '=', which are not what is wrong."""
    assert marked(problem("expected '='", code="CG003"), '  "=" 1') == (2, 7)


def test_a_long_line_is_cut_to_what_matters() -> None:
    """Around the marker some hundred characters are shown, however long the line is."""
    names = ", ".join(f'"cookie_{number:03d}"' for number in range(100))
    lines = shown(problem("'cookie_050' is named twice"), [f"cookies = [{names}]"]).splitlines()
    assert lines[1:3] == [
        '  1 | …, "cookie_048", "cookie_049", "cookie_050", '
        '"cookie_051", "cookie_052", "cookie_053", "cookie_…',
        "    |                                 ^^^^^^^^^^",
    ]


def test_the_beginning_of_a_long_line_is_kept_where_it_matters() -> None:
    """Nothing is cut from the left where the marker stands near the beginning."""
    lines = shown(problem("too much", "purpose"), ["purpose = " + "x" * 200]).splitlines()
    assert lines[1:3] == [f"  1 | purpose = {'x' * 85}…", "    | ^^^^^^^"]


def test_a_problem_without_a_line_in_the_file_is_shown_without_one() -> None:
    """Line 0, and a line that the file has lost meanwhile, show no source."""
    for line in (0, 7):
        assert "|" not in shown(problem("it is wrong", line=line), ["one line"])


def test_nothing_in_a_file_moves_the_cursor() -> None:
    """A tab becomes one space, so that the marker stands right; other control characters a mark."""
    assert one_line("a\tb\x1b[2Jc\u202ed") == "a b?[2Jc?d"


# --- colour -------------------------------------------------------------------------------------


def test_colour_is_for_terminals_that_want_it(folder: Path) -> None:
    """A terminal gets colour; a pipe, NO_COLOR and a dumb terminal get none."""
    (folder / "shop.toml").write_text('unknown = "allow"\n' + POLICY)
    plain = given("check", "shop.toml").output
    coloured = given("check", "shop.toml", color=True).output
    assert "\x1b[33m\x1b[1mwarning[CG502]\x1b[0m" in coloured
    assert coloured != plain
    assert given("check", "shop.toml", color=True, NO_COLOR="1").output == plain
    assert given("check", "shop.toml", color=True, TERM="dumb").output == plain


def test_a_file_name_of_any_bytes_can_be_checked(folder: Path) -> None:
    """A name that is not UTF-8 is escaped where it is printed."""
    try:
        (folder / os.fsdecode(b"shop\xff.toml")).write_text(POLICY)
    except OSError:  # some systems take only UTF-8 for a name
        return
    done = process("check", os.fsdecode(b"shop\xff.toml"))
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == "shop\\udcff.toml is clean (5 rules, 3 categories)"
