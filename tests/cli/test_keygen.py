"""`consentgate keygen`: one good key."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from cli.command import environment, given, process
from consentgate.config.keys import read_keys


def test_it_prints_one_good_key_and_nothing_else() -> None:
    """What a script reads is the key alone, and the gate takes it as it is."""
    done = process("keygen")
    key = done.stdout.removesuffix("\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert read_keys("KEY", {"KEY": key}) == ([key.encode()], [])
    assert len(key) == 64


def test_no_two_keys_are_alike() -> None:
    """Every run makes another key."""
    keys = {given("keygen").stdout for _ in range(5)}
    assert len(keys) == 5


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="there are no pseudo-terminals here")
def test_a_person_is_told_how_to_set_and_how_to_change_it() -> None:
    """The hint goes to a terminal, never into the pipe that takes the key."""
    ours, theirs = os.openpty()
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        done = subprocess.run(
            [sys.executable, "-m", "consentgate", "keygen"],
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=theirs,
            timeout=60,
            check=True,
        )
        os.close(theirs)
        hint = terminal.read(4096).decode().replace("\r\n", "\n")
    assert len(done.stdout) == 65
    assert hint == (
        "Give it to the app as the environment variable CONSENTGATE_SECRET; keep it out of files "
        "you commit.\n"
        "To replace a key, write the new one in front of the old one, with a comma between. "
        "Remove the old\n"
        "one after six months, when the choices it signed have lapsed.\n"
    )
