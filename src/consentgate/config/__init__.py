"""Configuration: one TOML file -> Policy -> Gate, every mistake found at once.

source    a path -> text and TOML data
reader    TOML data -> Policy: known keys, right types (known, dark_patterns, values, records)
checks    Policy -> what it may not say, whoever wrote it
keys      the environment -> signing keys
locate    TOML text -> the line of every key
problems  how all that is said, and the table of codes
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import chain

from ..core.policy import Policy, Regions
from ..core.regions import Locate
from ..gate import Gate
from ..geo import NoDatabase, database_locator
from ..presets import necessary_rules
from .checks import (
    category_faults,
    doubts_about,
    fact_faults,
    law_faults,
    missing_texts,
    page_faults,
    region_faults,
    rule_faults,
    setting_faults,
    text_faults,
    third_party_faults,
    thoughts_on,
    thoughts_on_changes,
    thoughts_on_sources,
    type_faults,
)
from .keys import MAKE_ONE, read_keys
from .locate import line_of, lines_of
from .problems import ConfigError, Fault, Path, Problem, key_path
from .reader import Reader
from .source import read_source

__all__ = ["ConfigError", "Problem", "gate_of", "inspect", "load_gate", "load_policy"]

_log = logging.getLogger("consentgate")


def load_policy(path: str | os.PathLike[str]) -> Policy:
    """Read a policy file. Raises ConfigError with every problem found; logs every warning."""
    examined = _examine_file(os.fspath(path))
    examined.accept()
    return examined.policy


def load_gate(path: str | os.PathLike[str], *, environ: Mapping[str, str] | None = None) -> Gate:
    """Read a policy file and the signing keys it names. Raises ConfigError; logs every warning."""
    return _gate(_examine_file(os.fspath(path)), environ)


def gate_of(policy: Policy, *, environ: Mapping[str, str] | None = None) -> Gate:
    """Make a gate from a Policy built in Python. Raises ConfigError, as for a file."""
    examined = _Examined("Policy", policy)
    examined.faults += type_faults(policy) or _faults_of(policy)
    examined.find_key_variable(("secret_env",))
    return _gate(examined, environ)


def inspect(path: str | os.PathLike[str]) -> tuple[Policy, list[Problem]]:
    """Read a policy file as far as it can be read: the policy, and every problem and warning.

    Here are also the warnings that loading leaves out: what visitors must be told and are not.
    """
    examined = _examine_file(os.fspath(path), thoroughly=True)
    return examined.policy, examined.problems()


class _Examined:
    """A policy, as far as it could be made out, and what is wrong with it."""

    def __init__(self, file: str, policy: Policy, text: str = "") -> None:
        self.file = file
        self.policy = policy
        self.faults: list[Fault] = []
        # Where the name of the keys' variable stands; None where nobody knows which was meant.
        self.key_variable: Path | None = None
        self._text = text

    def find_key_variable(self, path: Path, misspelled: Iterable[Path] = ()) -> None:
        """Take `path` for the place of the variable's name, unless it, or a table around it, is at
        fault or misspelled."""
        unsure = {fault.path for fault in self.faults if fault.severity == "error"}
        unsure.update(misspelled)
        if not any(path[:end] in unsure for end in range(len(path) + 1)):
            self.key_variable = path

    def problems(self) -> list[Problem]:
        """Return every problem and warning with its line, in the order of the file."""
        lines = lines_of(self._text) if any(fault.path for fault in self.faults) else {}

        def problem(fault: Fault) -> Problem:
            message = fault.message
            if fault.other is not None:
                line = line_of(lines, fault.other)
                message += f"; the other is {key_path(fault.other)}"
                message += f" in line {line}" if line else ""
            return Problem(
                code=fault.code,
                key=key_path(fault.path),
                message=message,
                remedy=fault.remedy,
                file=self.file,
                # What is missing has no line of its own: the file's first stands for it.
                line=fault.line or line_of(lines, fault.path) or (1 if self._text else 0),
                severity=fault.severity,
            )

        return sorted(map(problem, self.faults), key=lambda one: one.line)

    def accept(self) -> None:
        """Raise ConfigError if there is an error; else log the warnings."""
        problems = self.problems()
        if errors := [problem for problem in problems if problem.severity == "error"]:
            raise ConfigError(errors)
        for problem in problems:
            _log.warning("%s", problem)


def _examine_file(file: str, *, thoroughly: bool = False) -> _Examined:
    source = read_source(file)
    if source.data is None:
        examined = _Examined(file, Policy(version=""))
        examined.faults += source.faults
        return examined
    reader = Reader(os.path.dirname(file))
    examined = _Examined(file, reader.policy(source.data), source.text)
    examined.faults += [*source.faults, *reader.faults]
    for rule, path in reader.orphans:
        examined.faults += rule_faults(rule, path)
    # What the reader could not take, or not find, stands at its default: that is no news.
    known = reader.meant | {one.path for one in reader.faults if one.severity == "error"}
    if not examined.policy.strict:  # of a category without a table it is said that it has none
        known |= {(*one.path, "description") for one in reader.faults if one.code == "CG503"}
    located = map(reader.located, _faults_of(examined.policy, thoroughly=thoroughly))
    examined.faults += [one for one in located if known.isdisjoint((one.path, one.other))]
    examined.find_key_variable(reader.path_of(("secret_env",)), reader.meant)
    if examined.key_variable is None:  # it may be the key itself, which nobody is to print
        examined.policy = replace(examined.policy, secret_env=Policy(version="").secret_env)
    return examined


def _faults_of(policy: Policy, *, thoroughly: bool = False) -> list[Fault]:
    """Return every fault and doubt about a policy whose values have the declared types."""
    return list(
        chain(
            setting_faults(policy),
            category_faults(policy.categories),
            law_faults(policy),
            region_faults(policy),
            page_faults(policy),
            text_faults(policy),
            third_party_faults(policy),
            doubts_about(policy),
            fact_faults(policy) if thoroughly or policy.strict else (),
            thoughts_on(policy) if thoroughly else (),
            thoughts_on_changes(policy) if thoroughly else (),
            thoughts_on_sources(policy) if thoroughly else (),
            missing_texts(policy) if thoroughly else (),
        )
    )


def _gate(examined: _Examined, environ: Mapping[str, str] | None) -> Gate:
    keys: list[bytes] = []
    if (place := examined.key_variable) is not None:
        variable = examined.policy.secret_env
        keys, wrong = read_keys(variable, os.environ if environ is None else environ)
        remedy = f"make a good one with: {MAKE_ONE}"
        examined.faults += [
            Fault(code=code, path=place, message=message, remedy=remedy) for code, message in wrong
        ]
    locate = _locate(examined)
    examined.accept()
    return Gate(examined.policy, keys, known=necessary_rules(), locate=locate)


def _locate(examined: _Examined) -> Locate | None:
    """Return what looks places up in the policy's database, if it names one."""
    regions = getattr(examined.policy, "regions", None)
    if not isinstance(regions, Regions) or not isinstance(regions.database, str):
        return None  # made in Python, of anything at all; that is said already
    if not regions.database:
        return None
    try:
        return database_locator(regions.database, regions.address)
    except NoDatabase as error:
        path: Path = ("regions", "database")
        message = f"the database cannot be used: {error}"
        fault = Fault(code="CG106", path=path, message=message, remedy=error.remedy)
        examined.faults.append(fault)
        return None
