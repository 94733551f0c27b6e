"""`consentgate explain`: the gate's own decision, in words."""

from __future__ import annotations

import secrets
import subprocess
import sys
from pathlib import Path
from time import time

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from cli.command import POLICY, environment, given, process, said
from consentgate import Gate, Policy, load_policy
from consentgate.core.gate import Forward
from consentgate.core.http import Request
from consentgate.core.token import ID_BYTES
from consentgate.presets import necessary_rules
from consentgate.testing import consent_cookie

NO_RULE = "no rule names it, and unknown cookies are blocked"


def explained(cookie: str, *options: str) -> tuple[int, str]:
    return said("explain", "--policy", "shop.toml", *options, "--", cookie)


def test_templates_that_lie_elsewhere_do_not_matter(folder: Path) -> None:
    """A copy of the file, from the history of the project say, is explained without them."""
    text = POLICY + '[pages]\ntemplates = "not/here"\n'
    (folder / "shop.toml").write_text(text, "utf-8")
    assert explained("_ga_SHOP1")[1].startswith("_ga_SHOP1   DROPPED\n")


# --- golden texts -------------------------------------------------------------------------------


@pytest.mark.parametrize("cookie", ["_ga_SHOP1", "  _ga_SHOP1 "])
def test_a_bare_name_is_explained(cookie: str) -> None:
    """A name alone is enough: the rule with its line, why, and how to let it out."""
    assert explained(cookie) == (
        1,
        "_ga_SHOP1   DROPPED\n"
        "  why             the visitor has not allowed analytics\n"
        "  category        analytics\n"
        '  rule            "_ga*" at shop.toml:10\n'
        "  browsers        could store it as _ga_SHOP1\n"
        "  to let it out   the visitor allows analytics (try --granted analytics)\n"
        "  once stored     the app does not see it; a page expires it: "
        "_ga_SHOP1=; Max-Age=0; Path=/ (and 1 more)\n",
    )


@pytest.mark.parametrize(
    "line",
    [
        "_fbp=fb.1.2; Path=/",
        "Set-Cookie: _fbp=fb.1.2; Path=/",
        "set-cookie:_fbp=fb.1.2; Path=/\r\n",
    ],
)
def test_a_whole_line_is_explained_as_it_came(line: str) -> None:
    """With the header's name or without, and with the line end that copying brings along."""
    assert explained(line, "--granted", "marketing") == (
        0,
        "_fbp   KEPT\n"
        "  why        the visitor allows marketing\n"
        "  category   marketing\n"
        '  rule       "_fbp" at shop.toml:17\n'
        "  browsers   could store it as _fbp\n"
        "  deletion   no\n",
    )


def test_the_line_of_a_rule_in_a_list_is_its_own() -> None:
    """Each name of a list has its own line."""
    assert '"_gid" at shop.toml:9\n' in explained("_gid")[1]


def test_a_name_known_without_being_listed_says_from_where() -> None:
    """A framework's own cookie is kept, and the framework is named."""
    status, text = explained("sessionid")
    assert status == 0
    assert text.splitlines()[:3] == [
        "sessionid   KEPT",
        "  why        strictly necessary: needs no consent",
        "  category   necessary",
    ]
    assert text.splitlines()[3].startswith('  rule       "sessionid", known from Django ')


def test_a_deletion_shows_what_is_sent_instead() -> None:
    """A deletion of a refused cookie leaves, in the gate's own form."""
    assert explained("Set-Cookie: _gid=; expires=Thu, 01-Jan-70 00:00:00 GMT; path=/") == (
        0,
        "_gid   REWRITTEN\n"
        "  why        a deletion always leaves; the visitor has not allowed analytics\n"
        "  category   analytics\n"
        '  rule       "_gid" at shop.toml:9\n'
        "  browsers   could store it as _gid\n"
        "  deletion   yes; sent as: _gid=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; "
        "Path=/\n",
    )


def test_a_shorter_life_is_shown_without_the_value(tmp_path: Path) -> None:
    """What leaves in its place, but for name and value; and what would remove it."""
    file = tmp_path / "short.toml"
    file.write_text(
        'version = "1"\n[consent]\nsite = "https://www.shop.example"\n[categories.analytics]\n'
        'http_only = true\ncookies = [{ name = "_ga", duration = "1 day" }, "_gid"]\n'
    )
    status, text = said(
        "explain", "--policy", str(file), "--granted", "analytics", "_ga=s3cret; Max-Age=99999"
    )
    assert status == 0
    assert "s3cret" not in text
    assert text.splitlines()[:2] == [
        "_ga   SHORTENED",
        "  why           it would live longer than the published 1 day",
    ]
    assert text.splitlines()[-1] == "  leaves with   Max-Age=86400; HttpOnly"
    hardened = said("explain", "--policy", str(file), "--granted", "analytics", "_gid=1; Path=/")
    assert hardened[1].splitlines()[-1] == "  leaves with   Path=/; HttpOnly"
    refused = said("explain", "--policy", str(file), "_gid")
    assert refused[1].splitlines()[-1] == (
        "  once stored     the app does not see it; a page expires it: "
        "_gid=; Max-Age=0; Path=/ (and 3 more)"
    )


def test_a_deletion_that_may_leave_leaves_as_it_is() -> None:
    """What is allowed is not rewritten."""
    status, text = explained("basket=; Max-Age=0")
    assert status == 0
    assert text.endswith("  deletion   yes; it leaves as it is\n")


def test_an_unknown_name_says_what_to_add_where() -> None:
    """No rule: the file to change is named, and the one case in which that is not needed."""
    assert explained("colour=blue") == (
        1,
        "colour   DROPPED\n"
        f"  why             {NO_RULE}\n"
        "  browsers        could store it as colour\n"
        "  deletion        no\n"
        '  to let it out   add "colour" to the cookies of a category in shop.toml\n'
        "  note            names in the app's own settings (its session cookie, say) "
        "need no rule\n"
        "  once stored     the app does not see it; it stays where it is\n",
    )


def test_where_unknown_cookies_are_allowed_they_leave(folder: Path) -> None:
    """The policy may let unknown names out: that is the reason given."""
    (folder / "shop.toml").write_text('unknown = "allow"\n' + POLICY)
    assert explained("colour") == (
        0,
        "colour   KEPT\n"
        "  why        no rule names it, and unknown cookies are allowed\n"
        "  browsers   could store it as colour\n",
    )


def test_a_cookie_without_a_name_is_never_shown() -> None:
    """What stands for its name may be its value."""
    assert explained("Set-Cookie: hunter2; Path=/") == (
        1,
        "(no name)   DROPPED\n"
        f"  why             {NO_RULE}\n"
        "  browsers        could store it without a name, or take its value for the name\n"
        "  deletion        no\n"
        "  to let it out   give the cookie a name: NAME=VALUE\n",
    )


def test_a_line_that_is_empty_names_nothing() -> None:
    """An empty header value is a nameless cookie without a value."""
    assert explained("Set-Cookie:") == (
        1,
        "(no name)   DROPPED\n"
        f"  why             {NO_RULE}\n"
        "  browsers        could store it without a name\n"
        "  deletion        no\n"
        "  to let it out   give the cookie a name: NAME=VALUE\n",
    )


def test_a_control_byte_makes_a_line_unreadable() -> None:
    """Browsers differ over it, so it stays inside, whatever its name."""
    assert explained("basket=1\t2") == (
        1,
        "(unreadable)   DROPPED\n"
        "  why             it holds a control byte, so browsers differ on what they store\n"
        "  browsers        differ on what they store\n"
        "  deletion        no\n"
        "  to let it out   take the control byte (a tab, say) out of the line\n",
    )


def test_a_name_beyond_ascii_is_no_name_everywhere() -> None:
    """Some browser stops at the first such character, and finds no name."""
    assert explained("größe") == (
        1,
        "(no name)   DROPPED\n"
        f"  why             {NO_RULE}\n"
        "  browsers        could store it without a name, or take its value for the name\n"
        "  to let it out   write its name in ASCII: some browsers end a line at the first other "
        "sign\n",
    )


def test_several_readings_of_a_name_are_all_shown() -> None:
    """Safari takes a semicolon between quotation marks for a part of the name."""
    text = explained('a=1"; b"=2')[1]
    assert "  browsers        could store it as a\n" in text


@pytest.mark.parametrize("name", ["gate", "__Host-gate"])
def test_the_gates_own_cookie_is_not_for_apps(name: str) -> None:
    """An app that sets it is told what it can do."""
    assert explained(name) == (
        1,
        f"{name}   DROPPED\n"
        "  why             only the gate itself sets its own cookie\n"
        f"  browsers        could store it as {name}\n"
        "  to let it out   give it another name, or change [consent] cookie in shop.toml\n"
        "  once stored     the app sees it\n",
    )


def test_in_report_mode_it_says_what_would_be_done(folder: Path) -> None:
    """Nothing is dropped then, so it ends with 0."""
    (folder / "shop.toml").write_text('mode = "report"\n' + POLICY)
    status, text = explained("_gid")
    assert status == 0
    assert text.startswith('_gid   would be DROPPED; mode = "report" lets it leave as it is\n')
    status, text = explained("_gid=; Max-Age=0")
    assert status == 0
    assert text.startswith('_gid   would be REWRITTEN; mode = "report" lets it leave as it is\n')
    assert text.endswith("  deletion   yes; it leaves as it is\n")


@pytest.mark.skipif(not Path("/dev/stdin").exists(), reason="there is no /dev/stdin here")
def test_a_policy_from_a_pipe_has_no_lines() -> None:
    """A pipe can be read only once, so a rule is then named without its line."""
    done = subprocess.run(
        [sys.executable, "-m", "consentgate", "explain", "_gid", "--policy", "/dev/stdin"],
        env=environment(),
        input=POLICY,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert '  rule            "_gid" at /dev/stdin\n' in done.stdout


# --- what the visitor allows --------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        ("--granted", "analytics", "--granted", "marketing"),
        ("--granted", "analytics,marketing"),
        ("--granted", " marketing , analytics,", "--granted", "necessary"),
    ],
)
def test_grants_may_be_repeated_and_separated_by_commas(options: tuple[str, ...]) -> None:
    """Every way of writing two categories grants both."""
    for name in ("_ga", "_fbp"):
        assert explained(name, *options)[0] == 0


def test_an_unknown_category_cannot_be_granted() -> None:
    """One sentence with the ids that exist."""
    assert explained("_ga", "--granted", "analitics") == (
        2,
        "Error: no category 'analitics' in the policy; it has: necessary, analytics, marketing\n",
    )


# --- what cannot be explained -------------------------------------------------------------------


@pytest.mark.parametrize("cookie", ["", "   ", "\n"])
def test_nothing_cannot_be_explained(cookie: str) -> None:
    """An empty argument is a mistake of whoever typed it."""
    status, text = explained(cookie)
    assert status == 2
    assert text.endswith("Error: Name a cookie, or give a whole Set-Cookie line in quotes.\n")


def test_without_a_policy_it_says_how_to_name_one() -> None:
    """The default name is looked for in this folder."""
    assert said("explain", "_ga") == (
        2,
        "Error: consentgate.toml: the file cannot be read: No such file or directory; "
        "name the policy with --policy FILE\n",
    )


@pytest.mark.parametrize(
    ("spoilt", "count"), [("a = 1\n", "1 error"), ("a = 1\nb = 1\n", "2 errors")]
)
def test_a_policy_with_errors_explains_nothing(folder: Path, spoilt: str, count: str) -> None:
    """The gate would not start with it: the command that shows the errors is named."""
    (folder / "shop.toml").write_text(spoilt + POLICY)
    assert explained("_ga") == (
        2,
        f"Error: shop.toml has {count}; see: consentgate check shop.toml\n",
    )


def test_no_signing_key_is_needed() -> None:
    """Nothing is signed, so it works on any machine."""
    done = process("explain", "basket", "--policy", "shop.toml")
    assert (done.returncode, done.stdout.splitlines()[0], done.stderr) == (0, "basket   KEPT", "")


def test_colour_is_for_terminals_that_want_it() -> None:
    """The verdict has a colour on a terminal, and none where NO_COLOR is set."""
    arguments = ("explain", "_ga", "--policy", "shop.toml")
    assert "\x1b[31m\x1b[1mDROPPED\x1b[0m" in given(*arguments, color=True).output
    assert "\x1b" not in given(*arguments, color=True, NO_COLOR="1").output


# --- it agrees with the gate --------------------------------------------------------------------

_NAMES = st.sampled_from(
    ["_ga", "_ga_X1", "_gid", "_fbp", "basket", "sessionid", "__Host-basket", "gate", "other", ""]
)
_NAME = _NAMES | st.text(st.characters(codec="utf-8"), max_size=12)
_ATTRIBUTE = st.sampled_from(
    [
        "Path=/",
        "Max-Age=0",
        "max-age=-1",
        "Max-Age=60",
        "Expires=Thu, 01 Jan 1970 00:00:00 GMT",
        "Expires=Fri, 01 Jan 2100 00:00:00 GMT",
        "Domain=shop.example",
        'Path="/;a"',
        "Secure",
        "HttpOnly",
    ]
)
_LINE = st.builds(
    lambda name, equals, value, attributes: "; ".join([name + equals + value, *attributes]),
    _NAME,
    st.sampled_from(["=", "=", "=", ""]),
    st.text(st.characters(codec="utf-8"), max_size=8),
    st.lists(_ATTRIBUTE, max_size=3),
) | st.text(st.characters(codec="utf-8"), max_size=40)


def sent_by_the_gate(policy: Policy, granted: frozenset[str], line: bytes) -> list[bytes]:
    """Return what a real gate sends of one Set-Cookie line to a visitor with this consent."""
    now = time()
    gate = Gate(policy, [secrets.token_bytes(32)], known=necessary_rules())
    cookie = "; ".join("=".join(one) for one in consent_cookie(gate, *granted).items())
    request = Request("GET", "/", headers=((b"host", b"testserver"), (b"cookie", cookie.encode())))
    step = gate.begin(request, now, lambda: b"0" * ID_BYTES)
    assert isinstance(step, Forward)
    finish = step.finish([(b"set-cookie", line)], now)
    return [value for name, value in finish.headers if name == b"set-cookie"]


@for_all(
    line=_LINE,
    granted=st.frozensets(st.sampled_from(["analytics", "marketing"])),
    mode=st.sampled_from(["enforce", "enforce", "report"]),
)
def test_it_never_disagrees_with_the_gate(
    tmp_path_factory: pytest.TempPathFactory, line: str, granted: frozenset[str], mode: str
) -> None:
    """Whatever the line, what is explained is what the gate does."""
    path = tmp_path_factory.getbasetemp() / f"{mode}.toml"
    path.write_text(f'mode = "{mode}"\n{POLICY}')
    line = line.rstrip("\r\n").lstrip(" \t")  # as a header's value stands on the wire
    result = given(
        *("explain", "--policy", str(path), "--granted", ",".join(granted)),
        *("--", f"Set-Cookie: {line}"),
    )
    raw = line.encode()
    sent = sent_by_the_gate(load_policy(path), granted, raw)
    verdict = "DROPPED" if not sent else "KEPT" if sent == [raw] else "REWRITTEN"
    first, *rows = result.stdout.split("\n")
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert result.exit_code == (1 if verdict == "DROPPED" else 0)
    if mode == "report":
        assert sent == [raw]
        assert first.endswith(("   KEPT", " lets it leave as it is"))
    else:
        assert first.endswith(f"   {verdict}")
        instead = [row.partition("sent as: ")[2] for row in rows if "   yes; sent as: " in row]
        assert instead == ([one.decode() for one in sent] if verdict == "REWRITTEN" else [])


@for_all(
    name=_NAME,
    before=st.text(st.characters(codec="utf-8"), max_size=5),
    after=st.text(st.characters(codec="utf-8"), max_size=5),
    equals=st.sampled_from(["=", "=", "= ", "==", ""]),
    attributes=st.lists(_ATTRIBUTE, max_size=3),
)
def test_it_never_prints_a_value(
    tmp_path_factory: pytest.TempPathFactory,
    name: str,
    before: str,
    after: str,
    equals: str,
    attributes: list[str],
) -> None:
    """Whatever stands around it, the value of a cookie is not shown."""
    path = tmp_path_factory.getbasetemp() / "values.toml"
    path.write_text(POLICY)
    name = name if equals else ""
    before = before if equals else before.replace("=", "")
    line = "; ".join([f"{name}{equals}{before}hunter2{after}", *attributes])
    result = given("explain", "--policy", str(path), "--", f"Set-Cookie: {line}")
    assert result.exit_code in (0, 1)
    assert "hunter2" not in result.output


# --- where, and on which page -------------------------------------------------------------------

WORLDWIDE = """\
version = "1"

[regions]
country = "CF-IPCountry"

[categories.necessary]
always = true

[categories.analytics]
cookies = ["_ga"]

[categories.marketing]
sale_or_sharing = true
cookies = ["_fbp"]

[[flows]]
paths = ["/checkout/*"]
cookies = ["_fbp"]
"""


def told(tmp_path: Path, cookie: str, *options: str) -> tuple[int, dict[str, str]]:
    """The exit status, the verdict, and every row by its label."""
    file = tmp_path / "world.toml"
    file.write_text(WORLDWIDE)
    code, text = said("explain", "--policy", str(file), *options, "--", cookie)
    first, *rows = text.splitlines()
    pairs = [row.strip().split("   ", 1) for row in rows if "   " in row.strip()]
    return code, {"": first.split()[-1]} | {label: value.strip() for label, value in pairs}


def test_a_place_is_explained_with_what_its_rule_rests_on(tmp_path: Path) -> None:
    """The law, where it is written, and the day it was read."""
    code, rows = told(tmp_path, "_ga", "--region", "us-ca")
    assert (code, rows[""], rows["basis"]) == (0, "KEPT", "opt-out not exercised")
    assert rows["why"] == "analytics needs no consent here, and the visitor has not opted out of it"
    assert rows["region"].startswith("US-CA: opt-out (statute: ")
    assert rows["region"].endswith("; read 2026-11-24)")
    code, rows = told(tmp_path, "_ga", "--region", "DE")
    assert (code, rows[""]) == (1, "DROPPED")
    assert rows["region"].startswith("DE: opt-in (statute: ")


def test_a_place_without_a_profile_is_where_the_law_is_strictest(tmp_path: Path) -> None:
    """So are the United States without a state, of all their states."""
    assert told(tmp_path, "_ga", "--region", "XX")[1]["region"] == (
        "unknown: opt-in (no profile of its own, so the strictest)"
    )
    assert told(tmp_path, "_ga", "--region", "US")[1]["region"] == (
        "US: opt-out (no profile of its own, so the strictest)"
    )
    nowhere = "the policy has no [regions], so everybody is asked for consent"
    assert nowhere in explained("_ga", "--region", "FR")[1]


def test_a_signal_is_explained(tmp_path: Path) -> None:
    """It goes before a yes."""
    code, rows = told(tmp_path, "_fbp", "--gpc", "--granted", "marketing", "--region", "US-CA")
    assert (code, rows[""]) == (1, "DROPPED")
    assert rows["signal"] == "Global Privacy Control: applied"


def test_a_flow_is_explained(tmp_path: Path) -> None:
    """On its paths the cookie leaves whatever the visitor said, and elsewhere it stays hidden."""
    code, rows = told(tmp_path, "_fbp", "--path", "/checkout/pay")
    assert (code, rows[""], rows["why"]) == (0, "KEPT", "strictly necessary on /checkout/*")
    assert rows["basis"] == "strictly necessary in this flow"
    code, rows = told(tmp_path, "_fbp")
    assert (code, rows[""]) == (1, "DROPPED")
    assert rows["once stored"] == "the app does not see it; it stays where it is"


def test_no_place_is_made_up() -> None:
    """A name of a country is no code."""
    code, text = said("explain", "--policy", "shop.toml", "--region", "France", "--", "_ga")
    assert (code, text) == (
        2,
        'Error: no place has the code \'France\'; write one such as "FR" or "US-CA"\n',
    )
