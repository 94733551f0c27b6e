"""The command as tests give it: inside this process, or as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping

from click.testing import CliRunner, Result

from consentgate.cli.commands import consentgate

GOOD_KEY = "a-signing-key-of-the-tests-0123456789-ABCDEF"
SECRET = "CONSENTGATE_SECRET"

POLICY = """\
version = "2026-11"

[categories.necessary]
always = true
cookies = ["basket"]

[categories.analytics]
cookies = [
    { name = "_gid", provider = "Google", purpose = "Visits", duration = "400 days" },
    { name = "_ga*", provider = "Google", purpose = "Visits", duration = "13 months" },
]
description = "Which pages are used."
[categories.marketing]
cookies = [{ name = "ab_*", provider = "Ours", purpose = "Designs", duration = "400 days" }]
description = "What may interest you."
[[cookies]]
name = "_fbp"
category = "marketing"
provider = "Meta"
purpose = "Ads"
duration = "400 days"

[controller]
name = "The shop"
contact = "privacy@shop.example"
"""


def given(*arguments: str, key: str | None = GOOD_KEY, color: bool = False, **env: str) -> Result:
    """Run the command in this process; `key` is the signing key of its environment."""
    return CliRunner().invoke(
        consentgate,
        arguments,
        prog_name="consentgate",
        env={SECRET: key, "NO_COLOR": None, "TERM": "xterm", **env},
        color=color,
        catch_exceptions=False,
    )


def said(*arguments: str, key: str | None = GOOD_KEY) -> tuple[int, str]:
    """Run the command; return its status and all it printed."""
    result = given(*arguments, key=key)
    return result.exit_code, result.output


def environment(**more: str) -> dict[str, str]:
    """Return an environment for a process of its own: no key, no coverage, bytecode kept."""
    barred = ("COV", "CONSENTGATE", "PYTHONDONTWRITEBYTECODE", "NO_COLOR")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(barred)}
    return {**kept, **more}


def process(
    *arguments: str, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command as `python -m consentgate`."""
    return subprocess.run(
        [sys.executable, "-m", "consentgate", *arguments],
        env=dict(environment() if env is None else env),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
