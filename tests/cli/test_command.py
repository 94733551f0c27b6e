"""The command as a whole: how it starts, what it says of itself, and what it loads."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cli.command import GOOD_KEY, POLICY, environment, given, process, said
from consentgate import __version__
from consentgate.cli import main


def test_it_says_its_version() -> None:
    """`--version` prints the name and the version."""
    assert said("--version") == (0, f"consentgate {__version__}\n")


def test_it_runs_as_a_module_and_calls_itself_by_its_own_name() -> None:
    """`python -m consentgate` is the command, under the same name."""
    done = process("check", "--nonsense")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Usage: consentgate check [OPTIONS] [FILE]\n")


def test_help_names_every_command_with_what_it_is_for() -> None:
    """`--help` lists the commands in the order in which one needs them."""
    result = given("--help")
    commands = result.output.partition("Commands:\n")[2].splitlines()
    assert result.exit_code == 0
    assert [line.split()[0] for line in commands] == ["check", "explain", "diff", "keygen", "demo"]
    assert all(len(line.split()) > 3 for line in commands)


def test_an_unknown_command_cannot_run() -> None:
    """A command that does not exist ends with 2 and says so."""
    status, text = said("chekc")
    assert status == 2
    assert "No such command 'chekc'" in text


def without(*modules: str, command: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process in which these modules are not installed."""
    code = (
        "import sys\n"
        f"sys.modules.update(dict.fromkeys({modules!r}))\n"
        "from consentgate.cli import main\n"
        "main()\n"
    )
    return subprocess.run(
        [sys.executable, "-c", code, *command.split()],
        env=environment(CONSENTGATE_SECRET=GOOD_KEY),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_without_the_extra_it_says_what_to_install() -> None:
    """Where click is missing, one sentence names the extra: no traceback."""
    done = without("click", command="check shop.toml")
    assert (done.returncode, done.stdout, done.stderr) == (
        2,
        "",
        'The consentgate command needs click: pip install "consentgate[cli]"\n',
    )


def test_what_only_the_demo_needs_costs_the_others_nothing() -> None:
    """`check` runs where rich, FastAPI, uvicorn and httpx are missing."""
    done = without("rich", "fastapi", "httpx", "uvicorn", command="check shop.toml")
    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        "shop.toml is clean (5 rules, 3 categories)\n",
        "",
    )


def test_the_console_script_ends_with_the_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`main` is what the script calls: it reads sys.argv and leaves by SystemExit."""
    monkeypatch.setattr(sys, "argv", ["/usr/bin/anything", "check", "nowhere.toml"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("nowhere.toml: error[CG001] ")


def test_a_check_loads_nothing_that_it_does_not_need() -> None:
    """Checking a good file imports no web framework, no shell, no rich and no demo."""
    code = (
        "import sys\n"
        "from consentgate.cli import main\n"
        "try:\n"
        "    main()\n"
        "except SystemExit:\n"
        "    pass\n"
        "heavy = {'rich', 'difflib', 'starlette', 'werkzeug', 'asyncio', 'fastapi', 'httpx',\n"
        "         'consentgate.asgi', 'consentgate.wsgi', 'consentgate.cli.demo'}\n"
        "print(sorted(heavy.intersection(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "check", "shop.toml"],
        env=environment(CONSENTGATE_SECRET=GOOD_KEY),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("shop.toml is clean (5 rules, 3 categories)\n[]\n", "")


def test_a_terminal_that_cannot_show_a_character_gets_an_escape(folder: Path) -> None:
    """Where the output's encoding lacks a letter it is escaped, and nothing breaks."""
    (folder / "Ω.toml").write_text(POLICY)
    env = environment(CONSENTGATE_SECRET=GOOD_KEY, PYTHONIOENCODING="latin-1")
    done = process("check", "Ω.toml", env=env)
    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        "\\u03a9.toml is clean (5 rules, 3 categories)\n",
        "",
    )
