"""`consentgate diff`: who is asked again under another policy, why, and what keeps a yes valid."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import assume
from hypothesis import given as for_all
from hypothesis import strategies as st

from cli.command import given, said
from consentgate import Gate, Policy, load_policy
from consentgate.cli.changes import Kind, differences
from consentgate.cli.honours import CannotWrite, with_honours, write_honours
from consentgate.cli.outcome import compare
from consentgate.core.http import Request
from consentgate.core.policy import Category, Rule
from consentgate.core.revision import revision_of, told_of
from consentgate.core.ties import ties
from consentgate.testing import consent_cookie

KEYS = [b"a-signing-key-of-the-tests-0123456789-ABCDEF"]
NOW = 1_790_000_000

OLD = """\
version = "1"

[categories.analytics]  # reviewed in May
title = "Analytics"
description = "Which pages are used."
cookies = [
    "_gid",  # Google's
    { name = "_ga*", provider = "Google", purpose = "Visits", duration = "13 months" },
]
local_storage = ["ajs_*"]

# What pays for all this.
[categories.marketing]
description = "Ads."
cookies = ["_fbp"]
"""
NARROWER = OLD.replace("13 months", "90 days")
WIDER = OLD.replace('"_fbp"', '"_fbp", "_gcl"')


def changed(new: str, *options: str, old: str = OLD) -> tuple[int, str]:
    """Write both files and compare them, with the revisions as <was> and <is>."""
    Path("old.toml").write_text(old, "utf-8")
    Path("new.toml").write_text(new, "utf-8")
    status, text = said("diff", "old.toml", "new.toml", *options)
    for file, sign in (("old.toml", "was"), ("new.toml", "is")):
        for category in load_policy(file).categories:
            text = text.replace(revision_of(category), f"<{sign}>")
    return status, text


def revision(text: str, id: str) -> str:
    Path("revision.toml").write_text(text, "utf-8")
    category = load_policy("revision.toml").category(id)
    assert category is not None
    return revision_of(category)


# --- who is asked -------------------------------------------------------------------------------


def test_the_same_file_asks_nobody() -> None:
    """Neither does one whose lines only stand in another order, or on other lines."""
    head, analytics, marketing = OLD.partition("\n[")[0], *OLD.partition("\n[")[2].split("\n#")
    other = f"{head}\n#{marketing}\n[{analytics}"
    expected = (
        "marketing   unchanged: nobody is asked\n"
        "analytics   unchanged: nobody is asked\n"
        "nobody is asked again\n"
    )
    assert changed(other) == (0, expected)


def test_only_who_said_yes_to_what_changed_is_asked() -> None:
    """Every difference is named and classed, and what to do about it is said."""
    new = NARROWER.replace('    "_gid",  # Google\'s\n', "").replace("used.", "used most.")
    assert changed(new) == (
        1,
        "analytics   changed (<was> -> <is>): who said yes is asked again\n"
        '  narrower   cookie "_ga*": duration "90 days", before "13 months"\n'
        '  narrower   cookie "_gid" removed\n'
        '  wording    description "Which pages are used most.", before "Which pages are used."\n'
        "  note       whoever accepts this states that the texts are only corrected, "
        "and ask for no more\n"
        "marketing   unchanged: nobody is asked\n"
        "    help: so that the yes already given stays valid: --accept\n"
        "asked again: who said yes to analytics\n",
    )


def test_what_widened_has_no_help() -> None:
    """Who agreed to less must be asked; only what did not widen can be accepted."""
    assert changed(WIDER.replace("13 months", "90 days")) == (
        1,
        "analytics   changed (<was> -> <is>): who said yes is asked again\n"
        '  narrower   cookie "_ga*": duration "90 days", before "13 months"\n'
        "marketing   changed (<was> -> <is>): who said yes is asked again\n"
        '  wider      cookie "_gcl" added\n'
        "    help: so that the yes already given stays valid: --accept --only analytics\n"
        "asked again: who said yes to analytics, marketing\n",
    )


def test_everybody_is_asked_about_a_new_category_and_nobody_about_a_gone_one() -> None:
    """Nobody has said anything of what is new."""
    assert changed(OLD.replace("[categories.marketing]", "[categories.ads]")) == (
        1,
        "analytics   unchanged: nobody is asked\n"
        "ads         new: everybody is asked\n"
        "marketing   gone: nobody is asked\n"
        "asked again: everybody about ads\n",
    )


def test_a_category_that_becomes_always_on_overrules_a_no() -> None:
    """Nobody is asked then, but that is worth a finding."""
    assert changed(OLD.replace('description = "Ads."', "always = true")) == (
        1,
        "analytics   unchanged: nobody is asked\n"
        "marketing   always on now: nobody is asked, and a no counts no longer\n"
        "  finding    its cookies are now set for those who refused them, too\n"
        "nobody is asked again (1 finding)\n",
    )


def test_a_category_that_was_always_on_has_not_been_asked_about() -> None:
    """It is off until it is allowed."""
    old = OLD.replace('description = "Ads."', "always = true")
    assert changed(OLD, old=old) == (
        1,
        "analytics   unchanged: nobody is asked\n"
        "marketing   no longer always on, so off until allowed: everybody is asked\n"
        "asked again: everybody about marketing\n",
    )


def test_categories_that_are_always_on_are_passed_over() -> None:
    """Nobody is asked about them, whatever they say."""
    necessary = '\n[categories.necessary]\nalways = true\ncookies = ["basket"]\n'
    assert changed(OLD + necessary.replace("basket", "sid"), old=OLD + necessary)[0] == 0


def test_an_honoured_revision_asks_nobody() -> None:
    """The line that --accept writes may as well be written by hand, in capitals too."""
    line = f'honours = ["{revision(OLD, "analytics").upper()}"]\n'
    assert changed(NARROWER.replace("title", line + "title")) == (
        0,
        "analytics   changed (<was> -> <is>), honoured: nobody is asked\n"
        '  narrower   cookie "_ga*": duration "90 days", before "13 months"\n'
        "marketing   unchanged: nobody is asked\n"
        "nobody is asked again\n",
    )


def test_to_honour_a_yes_to_less_is_a_finding() -> None:
    """Nobody is asked, but somebody should be."""
    line = f'honours = ["{revision(OLD, "marketing")}"]\n'
    assert changed(WIDER + line) == (
        1,
        "analytics   unchanged: nobody is asked\n"
        "marketing   changed (<was> -> <is>), honoured: nobody is asked\n"
        '  wider      cookie "_gcl" added\n'
        "  finding    a yes to <was> stays valid, but it was given to less\n"
        "nobody is asked again (1 finding)\n",
    )


def test_who_loses_an_earlier_honour_is_asked() -> None:
    """A yes that was honoured until now and no longer is has lapsed, though nothing changed."""
    assert changed(OLD, old=OLD + 'honours = ["9f3c", "1a2b"]\n') == (
        1,
        "analytics   unchanged: nobody is asked\n"
        "marketing   unchanged: who said yes to 9f3c, 1a2b is asked again\n"
        "asked again: who said yes to marketing\n",
    )


def test_settings_that_ask_again_are_named() -> None:
    """Another consent cookie loses every choice; a shorter time asks sooner."""
    new = OLD + '[consent]\ncookie = "other"\naccepted_for = "90 days"\nrefused_for = "91 days"\n'
    status, text = changed(new)
    assert status == 1
    assert text.splitlines()[:3] == [
        "the choice is kept in __Host-other, before in __Host-gate: everybody is asked",
        "accepted_for is 90 days, before 182 days: who said yes is asked again sooner",
        "refused_for is 91 days, before 182 days: who said no is asked again sooner",
    ]
    assert text.splitlines()[-1] == "asked again: others for their choice's age or cookie"


def test_nothing_in_a_file_moves_the_cursor() -> None:
    """Texts of a file are printed without control characters."""
    text = changed(OLD.replace('"Ads."', '"A\\u001b[2Jb"'))[1]
    assert '  wording    description "A?[2Jb", before "Ads."\n' in text


@pytest.mark.parametrize("broken", ["old.toml", "new.toml"])
def test_a_file_with_errors_cannot_be_compared(folder: Path, broken: str) -> None:
    """Status 2, and where to read the errors."""
    for name in ("old.toml", "new.toml"):
        (folder / name).write_text(OLD + ("x = 1\n" if name == broken else ""))
    assert said("diff", "old.toml", "new.toml") == (
        2,
        f"Error: {broken} has 1 error; see: consentgate check {broken}\n",
    )


def test_a_missing_file_cannot_be_compared() -> None:
    """Status 2, and the reason."""
    assert said("diff", "shop.toml", "nowhere.toml") == (
        2,
        "Error: nowhere.toml: the file cannot be read: No such file or directory\n",
    )


def test_json_says_the_same_for_programs() -> None:
    """One object, with every category and every difference."""
    status, text = changed(WIDER.replace("Ads", "Adverts"), "--format", "json")
    assert status == 1
    nothing = {"asked": "nobody", "lost": [], "acceptable": False, "finding": None}
    stays = {"status": "unchanged", "old": "<was>", "new": "<was>", "differences": []}
    assert json.loads(text) == {
        "old": "old.toml",
        "new": "new.toml",
        "settings": [],
        "accepted": {},
        "refused": [],
        "categories": [
            {"id": "analytics", **nothing, **stays},
            {
                **nothing,
                "id": "marketing",
                "status": "changed",
                "asked": "yes",
                "old": "<was>",
                "new": "<is>",
                "lost": ["<was>"],
                "differences": [
                    {"kind": "wider", "text": 'cookie "_gcl" added', "stated": False},
                    {
                        "kind": "wording",
                        "text": 'description "Adverts.", before "Ads."',
                        "stated": True,
                    },
                ],
            },
        ],
    }


# --- wider, narrower, wording -------------------------------------------------------------------


def told(*rules: Rule, **more: object) -> Category:
    return replace(Category(id="x", rules=rules), **more)  # type: ignore[arg-type]


def cookie(name: str, seconds: int | None = None, **more: object) -> Rule:
    duration = "" if seconds is None else f"{seconds} seconds"
    rule = Rule(name=name, category="x", seconds=seconds, duration=duration)
    return replace(rule, **more)  # type: ignore[arg-type]


CASES = {
    "a title": (told(title="A"), told(title="B"), ['wording title "B", before "A"']),
    "a first title": (told(), told(title="B"), ['wording title "B", before not told']),
    "sale": (told(), told(sale_or_sharing=True), ["wider counts as sale or sharing"]),
    "no sale": (
        told(sale_or_sharing=True),
        told(),
        ["narrower no longer counts as sale or sharing"],
    ),
    "storage": (
        told(local_storage=("a*", "c"), session_storage=("s",)),
        told(local_storage=("a*b*", "d"), session_storage=("s*",)),
        [
            'wider local_storage key "d" added',
            'wider session_storage key "s*" added',
            'narrower local_storage key "a*" removed',
            'narrower local_storage key "c" removed',
            'narrower session_storage key "s" removed',
            'wording local_storage key "a*b*" named, before covered by "a*"',
        ],
    ),
    "facts of what is stored": (
        told(local_storage=("a", cookie("b*", 9, purpose="B"), "c")),
        told(
            local_storage=(
                cookie("a", provider="A", purpose="Why"),
                cookie("bb", purpose="B", recipients=("R",)),
                cookie("c"),
            )
        ),
        [
            'wider local_storage key "a": provider "A", before not told',
            'wider local_storage key "bb": duration "9 seconds" no longer told',
            'wider local_storage key "bb": recipient "R" added',
            'narrower local_storage key "b*" removed',
            'wording local_storage key "a": purpose "Why", before not told',
            'wording local_storage key "bb" named, before covered by "b*"',
        ],
    ),
    "databases and caches": (
        told(indexed_db=("a*",), sources=("https://a.example",)),
        told(indexed_db=("ab", "c"), cache_storage=("d",)),
        [
            'wider indexed_db database "c" added',
            'wider cache_storage cache "d" added',
            'narrower indexed_db database "a*" removed',
            'wording indexed_db database "ab" named, before covered by "a*"',
        ],
    ),
    "a provider": (
        told(cookie("a"), cookie("b", provider="B"), cookie("c", provider="C")),
        told(cookie("a", provider="A"), cookie("b", provider="X"), cookie("c")),
        [
            'wider cookie "a": provider "A", before not told',
            'wider cookie "b": provider "X", before "B"',
            'narrower cookie "c": provider "C" no longer told',
        ],
    ),
    "a purpose": (
        told(cookie("a", purpose="To  count")),
        told(cookie("a", purpose="To sell")),
        ['wording cookie "a": purpose "To sell", before "To count"'],
    ),
    "a duration": (
        told(cookie("a", 60), cookie("b", 60), cookie("c"), cookie("d", 0)),
        told(cookie("a", 61), cookie("b"), cookie("c", 60), cookie("d", 1)),
        [
            'wider cookie "a": duration "61 seconds", before "60 seconds"',
            'wider cookie "b": duration "60 seconds" no longer told',
            'wider cookie "d": duration "1 seconds", before "0 seconds"',
            'narrower cookie "c": duration "60 seconds", before not told',
        ],
    ),
    "the same duration": (
        told(cookie("a", 60)),
        told(cookie("a", 60, duration="1 minute")),
        ['wording cookie "a": duration "1 minute", before "60 seconds"'],
    ),
    "recipients": (
        told(cookie("a", recipients=("X", "Y")), cookie("b", recipients=("X",))),
        told(cookie("a", recipients=("Y", "Z")), cookie("b", recipients=("X", "X"))),
        [
            'wider cookie "a": recipient "Z" added',
            'narrower cookie "a": recipient "X" removed',
            'wording cookie "b": recipients repeated',
        ],
    ),
    "a name that a pattern covered": (
        told(cookie("a*", 60)),
        told(cookie("a*", 60), cookie("ab", 90), cookie("ac*", 30)),
        [
            'wider cookie "ab", before "a*": duration "90 seconds", before "60 seconds"',
            'narrower cookie "ac*", before "a*": duration "30 seconds", before "60 seconds"',
            'wording cookie "ab" named, before covered by "a*"',
            'wording cookie "ac*" named, before covered by "a*"',
        ],
    ),
    "a wider pattern": (
        told(cookie("ab*")),
        told(cookie("a*")),
        [
            'wider cookie "a*" added',
            'wording cookie "ab*" no longer named, but covered by "a*"',
        ],
    ),
    "an exception that goes": (
        told(cookie("a*", 90), cookie("ab", 60), cookie("*c", 30, provider="C")),
        told(cookie("a*", 90)),
        [
            'wider cookie "a*", before "ab": duration "90 seconds", before "60 seconds"',
            'narrower cookie "*c" removed',
            'wording cookie "ab" no longer named, but covered by "a*"',
        ],
    ),
    "an exception to what two patterns match": (
        told(cookie("a*", 90), cookie("*cc", 30)),
        told(cookie("a*", 90)),
        [
            'wider cookie "a*", before "*cc": duration "90 seconds", before "30 seconds"',
            'narrower cookie "*cc" removed',
        ],
    ),
    "an exception that stays": (
        told(cookie("a*", 90), cookie("ab*", 60)),
        told(cookie("a*", 90), cookie("ab*", 60), cookie("abc*", 60)),
        ['wording cookie "abc*" named, before covered by "ab*"'],
    ),
    "another prefix": (
        told(cookie("sid*", 90), cookie("__Host-*", 60)),
        told(cookie("sid", 90), cookie("__Host-*", 60)),
        [
            'wider cookie "sid", before "__Host-*": duration "90 seconds", before "60 seconds"',
            'narrower cookie "sid*" removed',
            'wording cookie "sid" named, before covered by "sid*"',
        ],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_every_difference_has_its_kind(case: str) -> None:
    """The widest come first."""
    old, new, expected = CASES[case]
    assert [f"{one.kind} {one.text}" for one in differences(old, new, {})] == expected


def test_a_cookie_that_moves_says_where() -> None:
    """For the category that loses it it is narrower; for the other one it is new."""
    new = OLD.replace('    "_gid",  # Google\'s\n', "").replace('"_fbp"', '"_fbp", "_gid"')
    text = changed(new)[1]
    assert '  narrower   cookie "_gid" moved to marketing\n' in text
    assert '  wider      cookie "_gid" added\n' in text
    home = {"_gid": Category(id="necessary", always=True)}
    assert [one.text for one in differences(told(cookie("_gid")), told(), home)] == [
        'cookie "_gid" moved to necessary, which needs no consent'
    ]


# --- --accept -----------------------------------------------------------------------------------


def accepted(new: str, *options: str, old: str = OLD) -> str:
    """Accept a change, which must ask nobody then, and return what the file says."""
    assert changed(new, "--accept", *options, old=old)[0] == 0
    return Path("new.toml").read_bytes().decode()


def test_accepting_writes_one_line_and_nothing_else() -> None:
    """Comments, order and blank lines stay as they are."""
    was = revision(OLD, "analytics")
    text = accepted(NARROWER)
    assert text == NARROWER.replace(
        'local_storage = ["ajs_*"]\n', f'local_storage = ["ajs_*"]\nhonours = ["{was}"]\n'
    )


def test_accepting_says_what_it_wrote_and_twice_is_once() -> None:
    """The second time there is nothing left to accept."""
    first = changed(NARROWER, "--accept")
    done = Path("new.toml").read_bytes()
    expected = (
        "analytics   changed (<was> -> <is>), honoured: nobody is asked\n"
        '  narrower   cookie "_ga*": duration "90 days", before "13 months"\n'
        "marketing   unchanged: nobody is asked\n"
    )
    assert first == (
        0,
        f"{expected}accepted: analytics honours <was>, written to new.toml\n"
        "nobody is asked again\n",
    )
    assert changed(done.decode(), "--accept") == (0, f"{expected}nobody is asked again\n")
    assert Path("new.toml").read_bytes() == done


def test_accepting_is_refused_where_something_widened() -> None:
    """Nothing at all is written then, not even what could have been."""
    new = WIDER.replace("13 months", "90 days")
    assert changed(new, "--accept") == (
        1,
        "analytics   changed (<was> -> <is>): who said yes is asked again\n"
        '  narrower   cookie "_ga*": duration "90 days", before "13 months"\n'
        "marketing   changed (<was> -> <is>): who said yes is asked again\n"
        '  wider      cookie "_gcl" added\n'
        "refused: marketing asks for more than was agreed to; nothing was written\n"
        "asked again: who said yes to analytics, marketing\n",
    )
    assert Path("new.toml").read_text() == new


def test_a_refusal_ends_with_one_though_all_is_honoured() -> None:
    """The line written by hand makes no yes to less a yes to more."""
    new = WIDER + f'honours = ["{revision(OLD, "marketing")}"]\n'
    status, text = changed(new, "--accept", "--format", "json")
    assert status == 1
    assert json.loads(text)["refused"] == ["marketing"]
    assert Path("new.toml").read_text() == new


def test_one_category_can_be_accepted_alone() -> None:
    """What widened elsewhere is asked about and does not stand in the way."""
    new = WIDER.replace("13 months", "90 days")
    status, text = changed(new, "--accept", "--only", "analytics", "--format", "json")
    assert status == 1
    said = json.loads(text)
    assert (said["accepted"], said["refused"]) == ({"analytics": ["<was>"]}, [])
    assert [one["asked"] for one in said["categories"]] == ["nobody", "yes"]


def test_only_what_is_asked_about_can_be_accepted() -> None:
    """Another id cannot run, and --only without --accept is a slip."""
    assert changed(NARROWER, "--accept", "--only", "ads") == (
        2,
        "Error: nothing is asked about 'ads' in new.toml; it asks about: analytics, marketing\n",
    )
    status, text = changed(NARROWER, "--only", "analytics")
    assert status == 2
    assert text.endswith("Error: --only says what to --accept: give both.\n")


def test_what_was_honoured_before_stays_honoured() -> None:
    """Those who said yes to an earlier text agreed to no less; nothing is listed twice."""
    line = 'honours = [\n    "9f3c",  # in spring\n]\n'
    old = OLD.replace("title", 'honours = ["9F3C", "1a2b"]\ntitle')
    was = revision(OLD, "analytics")
    assert accepted(NARROWER.replace("title", f"{line}title"), old=old) == NARROWER.replace(
        "title", f'{line[:-2]}    "{was}",\n    "1a2b",\n]\ntitle'
    )


def test_its_own_revision_is_never_listed() -> None:
    """Who goes back to an earlier text honours it by having it."""
    now = revision(NARROWER, "analytics")
    old = OLD.replace("title", f'honours = ["{now}", "1a2b"]\ntitle')
    text = accepted(NARROWER, old=old)
    assert tomllib.loads(text)["categories"]["analytics"]["honours"] == [
        revision(OLD, "analytics"),
        "1a2b",
    ]


def test_a_category_without_a_table_gets_one() -> None:
    """One that only [[cookies]] name has nowhere else to say what it honours."""
    long = '[[cookies]]\nname = "_p"\ncategory = "partners"\nduration = "2 days"\n'
    old, new = OLD + long, OLD + long.replace("2 days", "1 day")
    was = revision(old, "partners")
    assert accepted(new, old=old) == f'{new}\n[categories.partners]\nhonours = ["{was}"]\n'


def test_tables_that_lie_apart_stay_where_they_are() -> None:
    """An array of tables between two categories moves neither."""
    long = '# of analytics\n[[cookies]]\nname = "_hj"\ncategory = "analytics"\n\n# What pays'
    old, new = OLD.replace("# What pays", long), NARROWER.replace("# What pays", long)
    line = f'honours = ["{revision(old, "analytics")}"]\n'
    assert accepted(new, old=old) == new.replace("\n\n# of", f"\n{line}\n# of")


FORMS = {
    "[categories.a]": '[categories.a]\nhonours = ["9f3c"]\n',
    "[categories.a]\r\n\r\n[categories.b]\r\n": (
        '[categories.a]\r\nhonours = ["9f3c"]\r\n\r\n[categories.b]\r\n'
    ),
    '[categories.a]\ntitle = "A"\n\n# why\n[categories.a.exemption]\nkind = "x"\n': (
        '[categories.a]\ntitle = "A"\nhonours = ["9f3c"]\n\n# why\n'
        '[categories.a.exemption]\nkind = "x"\n'
    ),
    "[categories]\na.title = 'A'\nb.title = 'B'\n": (
        "[categories]\na.title = 'A'\na.honours = [\"9f3c\"]\nb.title = 'B'\n"
    ),
    '[categories]\na = { honours = ["0000"] } # a\n': (
        '[categories]\na = { honours = ["0000", "9f3c"] } # a\n'
    ),
    "": '[categories.a]\nhonours = ["9f3c"]\n',
    "x = 1\r\n": 'x = 1\r\n\r\n[categories.a]\r\nhonours = ["9f3c"]\r\n',
    "x = 1": 'x = 1\n\n[categories.a]\nhonours = ["9f3c"]\n',
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_table_takes_the_line(form: str) -> None:
    """With a header or without, at the end of a file, with the line ends of Windows."""
    assert with_honours(form, "a", ["9f3c"]) == FORMS[form]


def test_mode_and_link_stay(folder: Path) -> None:
    """The file is replaced, its permissions are not; a link stays a link; nothing is left over."""
    changed(NARROWER)
    os.rename("new.toml", "real.toml")
    os.chmod("real.toml", 0o640)
    os.symlink("real.toml", "link.toml")
    names = set(os.listdir(folder)) - {"revision.toml"}
    assert said("diff", "old.toml", "link.toml", "--accept")[0] == 0
    assert os.stat("real.toml").st_mode & 0o777 == 0o640
    assert os.path.islink("link.toml")
    assert "honours" in Path("real.toml").read_text()
    assert set(os.listdir(folder)) - {"revision.toml"} == names


def test_a_byte_order_mark_stays() -> None:
    """It is worth a warning elsewhere, and no reason to write nothing."""
    mark = "\N{ZERO WIDTH NO-BREAK SPACE}"
    text = accepted(mark + NARROWER)
    assert text.startswith(f'{mark}version = "1"\n')
    assert "honours" in text


APART = 'categories.a.cookies = [{ name = "c", duration = "2 days" }]\n'


@pytest.mark.parametrize(
    "rest",
    [
        '[categories.b]\n[[cookies]]\nname = "d"\ncategory = "a"\n[categories.c]\n',
        'categories.b.title = "B"\ncategories.a.title = "A"\n',
    ],
)
def test_what_cannot_be_written_safely_is_left_as_it_is(folder: Path, rest: str) -> None:
    """A form in which other lines would move is for the operator to edit: status 2."""
    old = f'version = "1"\n{APART}{rest}'
    new = old.replace("2 days", "1 day")
    assert changed(new, "--accept", old=old) == (
        2,
        "Error: new.toml cannot be written: it is not understood well enough; it is as it was. "
        "By hand:\n  a: add <was> to honours\n",
    )
    assert Path("new.toml").read_text() == new
    assert not [name for name in os.listdir(folder) if name.startswith("tmp")]


def test_what_is_no_file_is_not_replaced() -> None:
    """A pipe can be read, once, but not be written."""
    changed(NARROWER)
    read, write = os.pipe()
    os.write(write, NARROWER.encode())
    os.close(write)
    status, text = said("diff", "old.toml", f"/dev/fd/{read}", "--accept")
    os.close(read)
    assert status == 2
    assert "cannot be written: it is no file; it is as it was" in text


@pytest.mark.parametrize("text", [WIDER, OLD + "always = true\n", "[categories", "\0", None])
def test_a_file_that_changed_meanwhile_is_left_as_it_is(folder: Path, text: str | None) -> None:
    """What was compared is no longer what would be written."""
    file = folder / "new.toml"
    file.write_text(NARROWER)
    policy = load_policy(file)
    file.unlink() if text is None else file.write_text(text)
    with pytest.raises(CannotWrite):
        write_honours("new.toml", policy, {"analytics": ["9f3c"]})
    assert (file.read_text() if file.exists() else None) == text
    assert set(os.listdir(folder)) <= {"new.toml", "shop.toml"}


def test_a_comparison_alone_writes_nothing() -> None:
    """Without --accept both files are only read."""
    changed(NARROWER)
    assert Path("new.toml").read_text() == NARROWER


def test_colour_tells_the_kinds_apart() -> None:
    """At a terminal what is wider is red."""
    changed(WIDER)
    assert "\x1b[31mwider   \x1b[0m" in given("diff", "old.toml", "new.toml", color=True).output


# --- laws ---------------------------------------------------------------------------------------

_NAMES = st.one_of(
    st.text("ab*", min_size=1, max_size=4).filter(lambda name: "**" not in name),
    st.sampled_from(["__Host-*", "__Host-ab", "__Host-a*", "a.0", "*.0", "b*.0"]),
)
_SECONDS = st.sampled_from([None, 0, 60, 120])
_RULES = st.builds(
    cookie,
    _NAMES,
    _SECONDS,
    provider=st.sampled_from(["", "P", "Q"]),
    recipients=st.sampled_from([(), ("R",), ("R", "S")]),
)


@st.composite
def _changes(draw: st.DrawFn) -> tuple[Category, Category]:
    """Return a category before and after a change, mostly one that takes away."""
    rules = draw(st.lists(_RULES, max_size=5, unique_by=lambda rule: rule.name))
    fewer = [rule for rule in rules if draw(st.booleans())]
    if fewer and draw(st.booleans()):
        at = draw(st.integers(0, len(fewer) - 1))
        fewer[at] = cookie(fewer[at].name, draw(_SECONDS))
    if rules and draw(st.booleans()):  # the facts of one, under another name
        fewer.append(replace(draw(st.sampled_from(rules)), name=draw(_NAMES)))
    fewer = list({rule.name: rule for rule in fewer}.values())
    assume(not ties(rules) and not ties(fewer))
    old, new = (
        told(
            *some,
            title=draw(st.sampled_from(["A", "B"])),
            sale_or_sharing=draw(st.booleans()),
            local_storage=tuple(draw(st.lists(_NAMES, max_size=1))),
        )
        for some in (rules, fewer)
    )
    return old, new


def policy_of(category: Category) -> Policy:
    return Policy(version="1", categories=(category,))


@for_all(_changes())
def test_a_policy_compared_with_itself_asks_nobody(change: tuple[Category, Category]) -> None:
    """Whatever it says."""
    (outcome,) = compare(policy_of(change[0]), policy_of(change[0]))
    assert (outcome.status, outcome.asked, outcome.differences) == ("unchanged", "nobody", ())


@for_all(_changes())
def test_what_is_shown_of_a_change_is_what_makes_the_revision(
    change: tuple[Category, Category],
) -> None:
    """No new text without a difference, and no difference without a new text."""
    old, new = change
    assert bool(differences(old, new, {})) == (told_of(old) != told_of(new))


_SENT = [*"ab", "ab", "ba", "aa", "aba", "bab", "abba", "a.0", "ab.0", "bb.0", "abC1"]


def _decided(category: Category) -> Iterator[tuple[str, Rule | None]]:
    """Yield names of cookies, each with the rule under which it leaves, if it does."""
    judge = Gate(policy_of(category), KEYS).judge
    by_name = {rule.name: rule for rule in category.rules}
    for name in [*_SENT, *(f"__Host-{name}" for name in _SENT)]:
        line = f"{name}=1; Secure; Path=/".encode()
        decision, sent, _ = judge.judge(line, frozenset({"x"}), NOW)
        yield name, by_name[decision.rule] if sent is not None and decision.rule else None


@for_all(_changes())
def test_what_is_not_wider_lets_no_more_out_than_before(change: tuple[Category, Category]) -> None:
    """Whatever leaves was named before, as lasting at least as long, of and for no fewer."""
    old, new = (replace(one, sale_or_sharing=False, local_storage=()) for one in change)
    if any(one.kind is Kind.WIDER for one in differences(old, new, {})):
        return
    for (name, now), (_, was) in zip(_decided(new), _decided(old), strict=True):
        if now is not None:
            assert was is not None, name
            assert was.seconds is None or (now.seconds is not None and now.seconds <= was.seconds)
            assert now.provider in ("", was.provider)
            assert set(now.recipients) <= set(was.recipients)


@st.composite
def _narrowed(draw: st.DrawFn) -> tuple[str, str]:
    """Return the texts of two files, of which the second asks for no more than the first."""
    old, new = ['version = "1"'], ['version = "1"  # the file']
    for id in draw(st.lists(st.sampled_from("abcd"), min_size=1, unique=True)):
        honours = draw(st.sampled_from(["", 'honours = ["0123"] # since May\n']))
        seconds = draw(st.integers(1, 9))
        fewer = draw(st.integers(1, seconds))
        old.append(f'[categories.{id}]\n{honours}description = "x"')
        new.append(f"# of {id}\n[categories.{id}] # head")
        new.append(f'description = "{draw(st.sampled_from("xy"))}" # text\n{honours}')
        entry = '[[cookies]]\nname = "{0}{1}"\ncategory = "{0}"\nduration = "{2} days"'
        for number in range(draw(st.integers(1, 2))):
            old.append(entry.format(id, number, seconds))
            if number == 0:
                new.append(entry.format(id, number, fewer) + " # long")
    return "\n".join(old) + "\n", "\n".join(new) + "\n"


@for_all(_narrowed(), st.frozensets(st.sampled_from("abcd")))
def test_an_accepted_change_leaves_every_choice_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, files: tuple[str, str], granted: frozenset[str]
) -> None:
    """NEW allows and refuses each visitor what OLD did, and all comments stay."""
    folder = tmp_path_factory.getbasetemp()
    paths = [folder / "old.toml", folder / "new.toml"]
    for path, text in zip(paths, files, strict=True):
        path.write_text(text)
    status, output = said("diff", *map(str, paths), "--accept")
    assert status == 0, output
    before, after = (Gate(load_policy(path), KEYS) for path in paths)
    granted &= before.site.optional
    ((name, value),) = consent_cookie(before, *granted, secure=True, decided_at=NOW).items()
    headers = [(b"cookie", f"{name}={value}".encode()), (b"host", b"shop.example")]
    request = Request("GET", "/", "", "https", headers)
    visits = [gate.admit(request, NOW, bytes).visit for gate in (before, after)]
    assert visits[1].granted == visits[0].granted == granted | {"necessary"}
    assert not visits[1].needs_choice
    kept = [line for line in paths[1].read_text().split("\n") if "honours" not in line]
    assert kept == [line for line in files[1].split("\n") if "honours" not in line]
