"""`consentgate demo`, run as people run it."""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

import consentgate
from consentgate.cli.demo import demo
from examples.shop_servers import EXAMPLES, bare_environment, stop

COMMAND = [sys.executable, "-m", "consentgate", "demo"]
PACKAGE = Path(consentgate.__file__).parent

COOKIES = """\
Cookie           Category      No choice   Reject    Accept    Withdraw
csrftoken        necessary     kept        kept      kept      kept
language         necessary     kept        kept      kept      kept
currency         necessary     kept        kept      kept      kept
session          necessary     kept        kept      kept      kept
basket           necessary     kept        kept      kept      kept
catalogue_view   preferences   dropped     dropped   kept      dropped
_ga              analytics     dropped     dropped   kept      dropped
_ga_SHOP1        analytics     dropped     dropped   kept      dropped
ab_test          analytics     dropped     dropped   kept      dropped
_fbp             marketing     dropped     dropped   kept      dropped
reco_id          marketing     dropped     dropped   kept      dropped
promo_popup      (unlisted)    dropped     dropped   dropped   dropped
"""
REASONS = """\
Category      Result    Reason
necessary     kept      strictly necessary: needs no consent
preferences   dropped   the visitor has not allowed preferences
preferences   kept      the visitor allows preferences
analytics     dropped   the visitor has not allowed analytics
analytics     kept      the visitor allows analytics
marketing     dropped   the visitor has not allowed marketing
marketing     kept      the visitor allows marketing
(unlisted)    dropped   no rule names it, and unknown cookies are blocked
"""


def run(*arguments: str, scratch: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the demo to its end, away from the checkout and without any setup."""
    return subprocess.run(
        [*COMMAND, *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        cwd=scratch,
        env={**bare_environment(scratch), **environ},
        check=False,
    )


def tables(output: str) -> str:
    """Return the printed tables without titles, rules and margins."""
    rows = [line.strip() for line in output.splitlines() if line.startswith("  ")]
    return "".join(f"{row}\n" for row in rows if row)


@pytest.mark.parametrize("columns", [80, 120])
def test_once_prints_what_became_of_every_cookie_and_why(columns: int, tmp_path: Path) -> None:
    """`demo --once` prints two tables that no usual terminal breaks, and ends well."""
    done = run("--once", "--port", "0", scratch=tmp_path, COLUMNS=str(columns))
    assert (done.returncode, done.stderr) == (0, "")
    assert tables(done.stdout) == COOKIES + REASONS
    assert (
        "Withdraw took off the device what was there:\n"
        "catalogue_view, _ga, _ga_SHOP1, ab_test, _fbp, reco_id\n"
    ) in done.stdout
    *printed, policy = done.stdout.splitlines()
    assert max(map(len, printed)) <= 80
    assert policy == f"The policy   {EXAMPLES / 'shop.toml'}"


def test_the_command_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Called from Python it prints the same, closes its sockets and gives control back."""
    for variable in ("CONSENTGATE_SECRET", "SHOP_SECRET"):
        monkeypatch.setenv(variable, secrets.token_urlsafe(48))
    result = CliRunner().invoke(demo, ["--once", "--port", "0"])
    assert (result.exit_code, tables(result.stdout)) == (0, COOKIES + REASONS)
    assert result.stderr == ""


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The demo, left running."""
    with (tmp_path / "output").open("wb") as output:
        process = subprocess.Popen(
            [*COMMAND, "--port", "0"],
            cwd=tmp_path,
            env=bare_environment(tmp_path),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    yield process
    stop(process)


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C cannot be sent to a process here")
def test_the_shop_stays_open_until_ctrl_c(serving: subprocess.Popen[bytes], tmp_path: Path) -> None:
    """After the tables the shop is served, gated, and Ctrl-C is a proper end without a word."""
    output = printed_before_it_waits(tmp_path / "output", serving)
    found = re.search(r"^The shop +(http://127\.0\.0\.1:\d+)/$", output, re.MULTILINE)
    assert found is not None, output
    assert f"Your choice  {found[1]}/_gate/\n" in output
    page = httpx.get(f"{found[1]}/", trust_env=False, timeout=10)
    assert [line.partition("=")[0] for line in page.headers.get_list("set-cookie")] == [
        "csrftoken",
        "language",
        "currency",
        "session",
    ]
    serving.send_signal(signal.SIGINT)
    assert serving.wait(10) == 0
    assert (tmp_path / "output").read_text("utf-8") == output


def printed_before_it_waits(output: Path, process: subprocess.Popen[bytes]) -> str:
    """Return what the demo has printed when it has printed its last line."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        text = output.read_text("utf-8")
        if text.endswith("Ctrl-C closes the shop.\n"):
            return text
        time.sleep(0.05)
    raise AssertionError(output.read_text("utf-8"))


def test_a_port_in_use_is_said_in_one_sentence(tmp_path: Path) -> None:
    """Where the port is taken the demo cannot run, and says how to choose another."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run("--once", "--port", str(port), scratch=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"Error: port {port} cannot be used ({os.strerror(errno.EADDRINUSE)}): choose another, "
        "for example --port 8001, or --port 0 for any\n"
    )


def test_a_useless_key_in_the_environment_is_said_not_thrown(tmp_path: Path) -> None:
    """A short CONSENTGATE_SECRET ends the demo with the configuration's own words."""
    done = run("--once", "--port", "0", scratch=tmp_path, CONSENTGATE_SECRET="short")
    assert (done.returncode, done.stdout) == (2, "")
    assert "CONSENTGATE_SECRET has 5 bytes; it needs 32" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_is_missing_is_named_as_pip_would_have_it(tmp_path: Path) -> None:
    """Without its packages the demo names them all at once in one command."""
    code = (
        "import sys; sys.modules['uvicorn'] = sys.modules['python_multipart'] = None; "
        "sys.argv[:] = ['consentgate', 'demo', '--once']; "
        "from consentgate.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=30,
        cwd=tmp_path,
        env=bare_environment(tmp_path),
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "Error: the demo needs what is not installed here: pip install python-multipart uvicorn\n"
    )


def test_an_installed_package_without_the_shop_says_where_the_demo_is(tmp_path: Path) -> None:
    """A package that lies in no checkout, and has no shop beside it, cannot run the demo."""
    shutil.copytree(PACKAGE, tmp_path / "consentgate")
    done = run("--once", "--port", "0", scratch=tmp_path, PYTHONPATH=str(tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (
        2,
        "",
        "Error: the demo shop is not installed here: run make demo in a checkout\n",
    )


def test_an_installed_package_runs_the_shop_that_lies_beside_it(tmp_path: Path) -> None:
    """As a wheel carries it: the example and its policy in the folder `shop` of the command."""
    package = tmp_path / "consentgate"
    shutil.copytree(PACKAGE, package)
    (package / "cli" / "shop").mkdir()
    for name in ("fastapi_shop.py", "shop.toml"):
        shutil.copy(EXAMPLES / name, package / "cli" / "shop" / name)
    done = run("--once", "--port", "0", scratch=tmp_path, PYTHONPATH=str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith(f"The policy   {package / 'cli' / 'shop' / 'shop.toml'}\n")
