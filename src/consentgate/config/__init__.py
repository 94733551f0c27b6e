"""Configuration: one TOML file -> Policy -> Gate, every mistake found at once."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path as FilePath

from ..core.gate import Gate
from ..core.matcher import Matcher, ties
from ..core.policy import Policy
from ..presets import necessary_rules
from .keys import MAKE_ONE, read_keys
from .locate import line_of, lines_of
from .problems import ConfigError, Problem
from .reader import Reader

__all__ = ["ConfigError", "Problem", "gate_of", "inspect", "load_gate", "load_policy"]

# A policy of 2,000 rules has some 200 KiB.
MAX_FILE_BYTES = 1024 * 1024
_AT_LINE = re.compile(r" \(at line (\d+), column \d+\)")


def load_policy(path: str | os.PathLike[str]) -> Policy:
    """Read a policy file. Raises ConfigError with every problem found."""
    policy, problems = inspect(path)
    return _unless(problems, policy)


def load_gate(path: str | os.PathLike[str], *, environ: Mapping[str, str] | None = None) -> Gate:
    """Read a policy file and the signing keys it names. Raises ConfigError."""
    policy, problems = inspect(path)
    return _gate(policy, problems, os.fspath(path), environ)


def gate_of(policy: Policy, *, environ: Mapping[str, str] | None = None) -> Gate:
    """Make a gate from a Policy built in Python. Raises ConfigError."""
    problems = [
        Problem(
            code="CG202",
            key="",
            file="Policy",
            remedy="make one of them longer",
            message=f"the rules {one.name!r} and {two.name!r} tie over {name!r}",
        )
        for one, two, name in ties(
            rule for category in policy.categories for rule in category.rules
        )
    ]
    return _gate(policy, problems, "Policy", environ)


def inspect(path: str | os.PathLike[str]) -> tuple[Policy, list[Problem]]:
    """Read a policy file as far as it can be read: the policy, and every problem and warning."""
    file = os.fspath(path)
    text, problems = _read(file)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _AT_LINE.search(str(error))
        problems.append(
            Problem(
                code="CG003",
                key="",
                file=file,
                line=int(found[1]) if found else 0,
                message=_AT_LINE.sub("", str(error)),
                remedy="the file must be valid TOML 1.0",
            )
        )
        return Policy(version=""), problems
    except RecursionError:
        problems.append(
            Problem(
                code="CG003",
                key="",
                file=file,
                message="tables are nested too deeply",
                remedy="a policy needs four levels",
            )
        )
        return Policy(version=""), problems
    reader = Reader(file)
    policy = reader.policy(data) if not problems or text else Policy(version="")
    _warn(policy, reader)
    lines = lines_of(text) if reader.problems else {}
    problems += [_at(problem, line_of(lines, path)) for path, problem in reader.problems]
    return policy, sorted(problems, key=lambda one: (one.line, one.code))


def _at(problem: Problem, line: int) -> Problem:
    return Problem(
        code=problem.code,
        key=problem.key,
        message=problem.message,
        line=line,
        remedy=problem.remedy,
        file=problem.file,
        severity=problem.severity,
    )


def _read(file: str) -> tuple[str, list[Problem]]:
    """Return the file's text and what is wrong with it as a file."""

    def wrong(code: str, message: str, remedy: str, severity: str = "error") -> list[Problem]:
        return [
            Problem(code=code, key="", file=file, message=message, remedy=remedy, severity=severity)
        ]

    try:
        with FilePath(file).open("rb") as opened:
            raw = opened.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        return "", wrong("CG001", f"cannot be read: {error.strerror}", "check the path")
    if len(raw) > MAX_FILE_BYTES:
        return "", wrong("CG001", "has more than 1 MiB", "a policy is a few hundred lines")
    problems: list[Problem] = []
    if raw.startswith(b"\xef\xbb\xbf"):
        raw = raw[3:]
        problems = wrong(
            "CG004", "begins with a byte order mark", "save it as UTF-8 without BOM", "warning"
        )
    try:
        return raw.decode("utf-8"), problems
    except UnicodeDecodeError as error:
        return "", wrong("CG002", f"is not UTF-8 (byte {error.start})", "save it as UTF-8")


def _warn(policy: Policy, reader: Reader) -> None:
    """Note what is allowed but probably not meant."""
    always = {category.id for category in policy.categories if category.always}
    site = Matcher(rule for category in policy.categories for rule in category.rules)
    taken: dict[str, list[str]] = {}
    categories: dict[str, str] = {}
    for known in necessary_rules():
        rule = site.find(known.name.replace("*", "x").encode())
        if rule is not None and "*" in rule.name and rule.category not in always:
            taken.setdefault(rule.name, []).append(f"{known.name} ({known.origin})")
            categories[rule.name] = rule.category
    for name, names in taken.items():
        reader.note(
            "CG501",
            ("categories", categories[name]),
            f"{name!r} takes over names that frameworks need: {', '.join(names[:5])}",
            "make the pattern longer, or list those names in a category that is always on",
            "warning",
        )
    if policy.unknown == "allow":
        reader.note(
            "CG502",
            ("unknown",),
            "cookies that no rule names leave without consent",
            'name them, then write unknown = "block"',
            "warning",
        )


def _gate(
    policy: Policy, problems: list[Problem], file: str, environ: Mapping[str, str] | None
) -> Gate:
    keys, wrong = read_keys(policy.secret_env, os.environ if environ is None else environ)
    problems = problems + [
        Problem(
            code=code,
            key="consent.secret_env",
            file=file,
            message=message,
            remedy=f"make a good one with: {MAKE_ONE}",
        )
        for code, message in wrong
    ]
    _unless(problems, policy)
    return Gate(policy, keys, known=necessary_rules())


def _unless(problems: list[Problem], policy: Policy) -> Policy:
    if errors := [problem for problem in problems if problem.severity == "error"]:
        raise ConfigError(errors)
    return policy
