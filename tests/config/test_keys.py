"""The signing key: found in the environment, and refused where it is none."""

from __future__ import annotations

import os
import secrets
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from config.samples import ENVIRON, EXAMPLE, GOOD_KEY
from consentgate import ConfigError, Policy, load_gate
from consentgate.config import gate_of, inspect
from consentgate.config.keys import MAKE_ONE, read_keys

HELP = f"    help: make a good one with: {MAKE_ONE}"
NEWER = "pT5Zk2mWc8Yb1Xv7Qn4Lr9Gj3Hd6Fs0a"


def refusal(policy: Policy, environ: dict[str, str]) -> str:
    with pytest.raises(ConfigError) as caught:
        gate_of(policy, environ=environ)
    return str(caught.value)


def test_a_good_key_is_taken_as_it_stands() -> None:
    """White space around it is no part of it."""
    assert read_keys("KEY", {"KEY": f" {GOOD_KEY}\n"}) == ([GOOD_KEY.encode()], [])


def test_several_keys_are_separated_by_commas() -> None:
    """Newest first, in the order written; empty places between commas are passed over."""
    keys = read_keys("KEY", {"KEY": f"{NEWER}, {GOOD_KEY},,"})
    assert keys == ([NEWER.encode(), GOOD_KEY.encode()], [])


@pytest.mark.parametrize("text", [None, "", "  ", ",", " , ,"])
def test_a_missing_key_is_told_with_the_command_that_makes_one(text: str | None) -> None:
    """The variable is named, and what to do about it."""
    environ = {} if text is None else {"CONSENTGATE_SECRET": text}
    assert refusal(Policy(version="1"), environ) == (
        "1 problem in the consentgate configuration\n"
        "Policy: error[CG301] the environment variable CONSENTGATE_SECRET holds no signing key "
        f"(secret_env)\n{HELP}"
    )


def test_a_short_key_is_told_with_its_length() -> None:
    """31 bytes are too few, 32 are enough; bytes are counted, not characters."""
    assert refusal(Policy(version="1", secret_env="KEY"), {"KEY": GOOD_KEY[1:]}) == (
        "1 problem in the consentgate configuration\n"
        f"Policy: error[CG302] KEY has 31 bytes; it needs 32 (secret_env)\n{HELP}"
    )
    umlauts = "äöüßÄÖÜéèêçñåøæœ"
    assert (len(umlauts), read_keys("KEY", {"KEY": umlauts})[1]) == (16, [])


def test_each_bad_key_of_several_is_told_by_its_number() -> None:
    """The good ones among them are not mentioned."""
    environ = {"KEY": f"short,{GOOD_KEY},{'x' * 40}"}
    assert read_keys("KEY", environ)[1] == [
        ("CG302", "key 1 of 3 in KEY has 5 bytes; it needs 32"),
        ("CG303", "key 3 of 3 in KEY looks like a placeholder, not like a random key"),
    ]


@pytest.mark.parametrize(
    "key",
    [
        "x" * 32,
        "0" * 64,
        "abcabcabcabcabcabcabcabcabcabcabcabc",
        "changeme" * 5,
        "CHANGE-ME-before-you-go-to-production-2026",
        "please-change-this-to-a-long-random-value",
        "django-insecure-5$k2!x9vq0@w8z7y6u4t3s1r",
        "<your secret key here: 32 bytes or more>",
        "replace_me_with_the_output_of_the_command",
        "this-is-a-placeholder-for-the-signing-key",
    ],
)
def test_a_placeholder_is_no_key(key: str) -> None:
    """What documents and templates write where a key should be is refused, however long."""
    assert [code for code, _ in read_keys("KEY", {"KEY": key})[1]] == ["CG303"]


def test_random_keys_are_never_taken_for_placeholders() -> None:
    """Every usual way to make one passes, a thousand times each."""
    for _ in range(1000):
        made = ",".join([secrets.token_urlsafe(48), secrets.token_hex(16), secrets.token_hex(32)])
        assert read_keys("KEY", {"KEY": made})[1] == []


def test_the_command_that_is_offered_makes_a_good_key() -> None:
    """It runs as it is printed, and what it prints is taken."""
    command = shlex.split(MAKE_ONE)
    assert command[0] == "python"
    made = subprocess.run(
        [sys.executable, *command[1:]], capture_output=True, text=True, check=True, timeout=30
    ).stdout
    assert (read_keys("KEY", {"KEY": made})[1], len(made.strip())) == ([], 64)


def test_a_key_of_any_bytes_is_taken() -> None:
    """The system's environment need not be UTF-8: the very bytes are the key."""
    raw = bytes(range(0x80, 0xA8))
    environ = {"KEY": raw.decode("utf-8", "surrogateescape")}
    assert read_keys("KEY", environ) == ([raw], [])


def test_no_message_shows_a_part_of_a_key() -> None:
    """Logs are read by many."""
    for key in ("hunter2-hunter2", "changeme-hunter2-hunter2-hunter2"):
        assert "hunter" not in refusal(Policy(version="1"), {"CONSENTGATE_SECRET": key})


def test_the_key_is_one_of_all_the_problems(tmp_path: Path) -> None:
    """A file's mistakes and a missing key are told together, the key at the line that names it."""
    path = tmp_path / "shop.toml"
    path.write_text('mode = "on"\n[consent]\nsecret_env = "SHOP_KEY"\nsecure = 1\n')
    with pytest.raises(ConfigError) as caught:
        load_gate(path, environ=ENVIRON)
    assert [(one.code, one.line, one.key) for one in caught.value.problems] == [
        ("CG103", 1, "version"),
        ("CG104", 1, "mode"),
        ("CG301", 3, "consent.secret_env"),
        ("CG102", 4, "consent.secure"),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "secret_env = 1",
        'secret_env = "not a variable"',
        'secret_emv = "SHOP_KEY"',
        'secret = "SHOP_KEY"',
        f'secret_env = "{NEWER}"',
    ],
)
def test_where_the_variable_is_in_doubt_no_key_is_missed(tmp_path: Path, line: str) -> None:
    """Which variable was meant is unknown: that the default one is empty would mislead."""
    path = tmp_path / "shop.toml"
    path.write_text(f'version = "1"\n[consent]\n{line}\n')
    with pytest.raises(ConfigError) as caught:
        load_gate(path, environ={})
    assert [one.line for one in caught.value.problems] == [3]


def test_a_key_in_the_place_of_a_variable_goes_no_further(tmp_path: Path) -> None:
    """The policy that `inspect` gives holds the default instead, so that nothing can print it."""
    path = tmp_path / "shop.toml"
    path.write_text(f'version = "1"\n[consent]\nsecret_env = "{NEWER}"\n')
    policy, problems = inspect(path)
    assert (policy, [one.code for one in problems]) == (Policy(version="1"), ["CG304"])
    assert NEWER not in str(problems)


def test_a_misspelled_consent_table_misses_no_key(tmp_path: Path) -> None:
    """The variable may be named in it."""
    path = tmp_path / "shop.toml"
    path.write_text('version = "1"\n[consnet]\nsecret_env = "SHOP_KEY"\n')
    with pytest.raises(ConfigError) as caught:
        load_gate(path, environ={})
    assert [one.code for one in caught.value.problems] == ["CG101"]


def test_without_an_environ_the_process_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys come from os.environ unless another mapping is handed in."""
    (tmp_path / "shop.toml").write_text(EXAMPLE)
    monkeypatch.setitem(os.environ, "CONSENTGATE_SECRET", GOOD_KEY)
    assert load_gate(tmp_path / "shop.toml").policy.version == "2026-11"
    monkeypatch.delitem(os.environ, "CONSENTGATE_SECRET")
    with pytest.raises(ConfigError, match="CG301"):
        load_gate(tmp_path / "shop.toml")
