"""Read a policy file that something is asked about: without errors, or not at all."""

from __future__ import annotations

from ..config import inspect
from ..core.policy import Policy
from .commands import CannotRun
from .problems import UNREADABLE

# What lies beside the file need not lie beside a copy of it, from the history of a project say, and
# nothing that is asked here depends on it.
_ELSEWHERE = ("CG602", "CG605")


def sound_policy(file: str, hint: str = "") -> Policy:
    """Return the policy of a file without errors. Raises CannotRun; `hint`: how to name a file."""
    policy, problems = inspect(file)
    errors = [one for one in problems if one.severity == "error" and one.code not in _ELSEWHERE]
    if any(problem.code == UNREADABLE for problem in errors):
        raise CannotRun(f"{file}: {errors[0].message}{hint}")
    if errors:
        count = "1 error" if len(errors) == 1 else f"{len(errors)} errors"
        raise CannotRun(f"{file} has {count}; see: consentgate check {file}")
    return policy
