"""How long `consentgate check` takes, as somebody at a terminal would measure it."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

import pytest

from cli.command import GOOD_KEY, POLICY, environment, process

LIMIT = 0.150  # seconds, from the start of the interpreter to its end
RUNS = 20  # the best counts: on a busy machine the others measure its neighbours


def large_policy(rules: int) -> str:
    """Return a policy of so many rules, each with all that a visitor is told of it."""
    names = [f"_shop_{number:05d}{'*' if number % 4 == 0 else ''}" for number in range(rules)]
    lines = [
        f'    {{ name = "{name}", provider = "Ours", purpose = "Views", duration = "30 days" }},'
        for name in names
    ]
    return "\n".join(['version = "1"', "[categories.analytics]", "cookies = [", *lines, "]"])


@pytest.mark.parametrize(
    ("text", "summary"),
    [
        (POLICY, "shop.toml is clean (5 rules, 3 categories)"),
        (large_policy(2000), "shop.toml is clean (2000 rules, 1 category)"),
    ],
    ids=["5 rules", "2000 rules"],
)
def test_a_check_takes_less_than_150_milliseconds(folder: Path, text: str, summary: str) -> None:
    """The whole process, start of Python included, is done before anybody feels it."""
    (folder / "shop.toml").write_text(text, "utf-8")
    # Python compiles what it imports once, on the first run, as on any machine it is installed on.
    env = environment(
        CONSENTGATE_SECRET=GOOD_KEY,
        PYTHONPYCACHEPREFIX=str(folder / "bytecode"),
    )
    assert process("check", "shop.toml", env=env).stdout == summary + "\n"
    took = []
    while len(took) < RUNS and min(took, default=1.0) >= LIMIT:
        start = perf_counter()
        process("check", "shop.toml", env=env)
        took.append(perf_counter() - start)
    assert min(took) < LIMIT, f"{min(took) * 1000:.0f} ms at best"
