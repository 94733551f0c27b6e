"""What can be wrong with a configuration, and how it is said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One mistake: where it is, what it is, and what to do about it.

    `code` is stable (CGnnn). `line` counts from 1; 0 where no line of the file is to blame.
    """

    code: str
    key: str
    message: str
    remedy: str
    file: str
    line: int = 0
    severity: str = "error"

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        key = f" ({self.key})" if self.key else ""
        return f"{where}: {self.severity}[{self.code}] {self.message}{key}\n    help: {self.remedy}"


class ConfigError(ValueError):
    """A configuration that cannot be used: every problem at once, in `problems`."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        title = f"{count} problem{'' if count == 1 else 's'} in the consentgate configuration"
        super().__init__("\n".join([title, *map(str, self.problems)]))


def key_path(path: Path) -> str:
    """Write a path as TOML people write it: `categories.analytics.cookies[1].name`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + part
    return text
