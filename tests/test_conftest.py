"""The test suite's own switch: CONSENTGATE_NO_SKIPS."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent

SAMPLE = """
import pytest

def test_that_runs() -> None:
    pass

@pytest.mark.skip(reason="no browser here")
def test_that_is_skipped() -> None:
    pass

@pytest.mark.xfail(strict=True)
def test_that_is_known_to_fail() -> None:
    raise AssertionError
"""


def run(folder: Path, environ: dict[str, str], *options: str) -> subprocess.CompletedProcess[str]:
    own = ("CONSENTGATE_", "PYTEST_")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(own)}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, str(folder)],
        cwd=folder,
        env={**kept, "PYTHONPATH": str(TESTS), **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(TESTS / "conftest.py", tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_sample.py").write_text(SAMPLE)
    return tmp_path


ALONE_AND_SHARED = pytest.mark.parametrize("options", [(), ("-n2",)], ids=["alone", "shared"])


def test_a_skipped_test_passes_on_a_newcomers_machine(folder: Path) -> None:
    """Without the switch a skip is a skip."""
    assert run(folder, {}).returncode == 0


@ALONE_AND_SHARED
def test_a_skipped_test_fails_the_session_where_everything_must_run(
    folder: Path, options: tuple[str, ...]
) -> None:
    """With the switch a skip fails the session, and only what was skipped is named."""
    done = run(folder, {"CONSENTGATE_NO_SKIPS": "1"}, *options)
    section = done.stdout.partition("skipped, though CONSENTGATE_NO_SKIPS is set")[2]
    assert done.returncode == 1
    assert "test_sample.py::test_that_is_skipped\n" in section
    assert "test_that_runs" not in section
    assert "test_that_is_known_to_fail" not in section


@ALONE_AND_SHARED
def test_a_module_that_is_skipped_whole_fails_the_session_too(
    folder: Path, options: tuple[str, ...]
) -> None:
    """A module that skips itself while it is collected is named like a test."""
    (folder / "test_sample.py").write_text('import pytest\npytest.importorskip("no_such_module")\n')
    (folder / "test_other.py").write_text("def test_that_runs() -> None:\n    pass\n")
    done = run(folder, {"CONSENTGATE_NO_SKIPS": "1"}, *options)
    assert done.returncode == 1
    assert done.stdout.count("\ntest_sample.py\n") == 1
