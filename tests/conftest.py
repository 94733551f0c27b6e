"""Fixtures for everybody, and the switch that turns a skipped test into a failure."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from consentgate.core.gate import Gate
from consentgate.core.policy import Policy
from core import samples

# Set where everything must run (.ci/run): a test that is skipped has tested nothing.
NO_SKIPS = "CONSENTGATE_NO_SKIPS"

# "ci" gives the same verdict for the same tree; "long" looks for what nobody has seen yet.
settings.register_profile(
    "ci", deadline=None, max_examples=100, derandomize=True, database=None, print_blob=True
)
settings.register_profile(
    "long",
    deadline=None,
    max_examples=5000,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

# Where several processes share the work (`make test`), each takes one file after another, in this
# order. What takes longest comes first, so that none of them has nothing to do at the end.
LONGEST = (
    "journeys",
    "guard",
    "web",
    "tags",
    "browsers",
    "property",
    "proxies",
    "config",
    "examples",
)

_skipped = pytest.StashKey[list[str]]()


@pytest.fixture
def key() -> bytes:
    """The signing key of the tests."""
    return samples.KEY


@pytest.fixture
def policy() -> Policy:
    """A small policy: necessary, analytics and marketing."""
    return samples.POLICY


@pytest.fixture
def gate() -> Gate:
    """The gate of that policy."""
    return samples.make_gate()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_skipped] = []
    config.pluginmanager.register(_Skips(config.stash[_skipped]), "consentgate-skips")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        items.sort(key=_place)


def _place(item: pytest.Item) -> int:
    folder = item.path.parent.name
    return LONGEST.index(folder) if folder in LONGEST else len(LONGEST)


class _Skips:
    """Notes every skipped test, and every module that was skipped whole."""

    def __init__(self, names: list[str]) -> None:
        self._names = names

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._note(report)

    def _note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail"):
            self._names.append(report.nodeid)

    # A module that is skipped whole is known where it was collected alone: pytest-xdist does not
    # report it to the process that sums up.
    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        told: list[str] = getattr(node, "workeroutput", {}).get(NO_SKIPS, [])
        self._names.extend(name for name in told if name not in self._names)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if (output := getattr(session.config, "workeroutput", None)) is not None:
        output[NO_SKIPS] = session.config.stash[_skipped]
    if os.environ.get(NO_SKIPS) and session.config.stash[_skipped] and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if os.environ.get(NO_SKIPS) and (names := config.stash[_skipped]):
        terminalreporter.section(f"skipped, though {NO_SKIPS} is set", red=True)
        for name in names:
            terminalreporter.line(name)
