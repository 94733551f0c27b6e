"""`consentgate check`: every mistake in a policy file, before the app meets it."""

from __future__ import annotations

import os
from collections.abc import Sequence

import click

from ..config import Problem, inspect
from ..config.keys import read_keys
from ..core.policy import Policy
from .problems import UNREADABLE, shown, source_lines

# With one of these there is a file, but no policy in it to count rules of.
_NO_POLICY = frozenset({UNREADABLE, "CG002", "CG003"})


@click.command()
@click.argument("file", default="consentgate.toml")
@click.option(
    "--strict", is_flag=True, help="Let warnings fail too, and a missing or weak signing key."
)
@click.option(
    "format_", "--format", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@click.pass_context
def check(ctx: click.Context, file: str, strict: bool, format_: str) -> None:
    """Find the mistakes in a policy file (default: consentgate.toml).

    The signing key is looked for too. On a machine that only builds it is often absent, so that
    alone does not fail; --strict is for the machine that serves.
    """
    policy, problems = inspect(file)
    if not any(problem.code in _NO_POLICY for problem in problems):
        problems += _key_problems(policy, file, strict)
    if format_ == "json":
        click.echo(_as_json(policy, problems, file))
    else:
        _print(policy, problems, file)
    if any(problem.code == UNREADABLE for problem in problems):
        ctx.exit(2)
    failing = ("error", "warning") if strict else ("error",)
    ctx.exit(1 if any(problem.severity in failing for problem in problems) else 0)


def _key_problems(policy: Policy, file: str, strict: bool) -> list[Problem]:
    _, wrong = read_keys(policy.secret_env, os.environ)
    return [
        Problem(
            code=code,
            key="consent.secret_env",
            message=message,
            remedy="make a good one with: consentgate keygen",
            file=file,
            severity="error" if strict else "note" if code == "CG301" else "warning",
        )
        for code, message in wrong
    ]


def _print(policy: Policy, problems: Sequence[Problem], file: str) -> None:
    lines = source_lines(file) if any(problem.line for problem in problems) else []
    unreadable = any(problem.code == UNREADABLE for problem in problems)
    for problem in problems:
        click.echo(shown(problem, lines) + ("" if unreadable else "\n"), err=unreadable)
    if not unreadable:
        click.echo(summary(policy, problems, file))


def summary(policy: Policy, problems: Sequence[Problem], file: str) -> str:
    """Return one line: how many errors and warnings, in how large a policy."""
    errors, warnings = (_count(problems, severity) for severity in ("error", "warning"))
    counts = [_plural(errors, "error")] * bool(errors)
    counts += [_plural(warnings, "warning")] * bool(warnings)
    text = f"{', '.join(counts)} in {file}" if counts else f"{file} is clean"
    if any(problem.code in _NO_POLICY for problem in problems):
        return text
    rules = _plural(_rules(policy), "rule")
    return f"{text} ({rules}, {_plural(len(policy.categories), 'category', 'categories')})"


def _count(problems: Sequence[Problem], severity: str) -> int:
    return sum(problem.severity == severity for problem in problems)


def _rules(policy: Policy) -> int:
    return sum(len(category.rules) for category in policy.categories)


def _plural(count: int, one: str, many: str = "") -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"


def _as_json(policy: Policy, problems: Sequence[Problem], file: str) -> str:
    import json  # a good file checked by a person pays nothing for it

    return json.dumps(
        {
            "file": file,
            "version": policy.version,
            "rules": _rules(policy),
            "categories": [category.id for category in policy.categories],
            "errors": _count(problems, "error"),
            "warnings": _count(problems, "warning"),
            "problems": [
                {
                    "code": problem.code,
                    "severity": problem.severity,
                    "line": problem.line or None,
                    "key": problem.key,
                    "message": problem.message,
                    "help": problem.remedy,
                }
                for problem in problems
            ],
        },
        indent=2,
    )
