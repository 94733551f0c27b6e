"""Show a problem as people read one: the place, the line itself with a marker, the remedy."""

from __future__ import annotations

import re

import click

from ..config import Problem

UNREADABLE = "CG001"  # the file is missing, or closed to us, or far too large
_COLOURS = {"error": "red", "warning": "yellow", "note": "cyan"}
_WIDTH = 96  # of the part of a long line that is shown
_QUOTED = re.compile(r"'([^']+)'")


def source_lines(file: str) -> list[str]:
    """Return the lines of a file that `inspect` has read before; a pipe is empty by now."""
    with open(file, encoding="utf-8-sig", errors="replace", newline="") as opened:
        return opened.read().split("\n")


def shown(problem: Problem, lines: list[str]) -> str:
    """Return the problem as text, with its line of `lines` where it has one."""
    head, _, remedy = str(problem).rpartition("\n")
    label = f"{problem.severity}[{problem.code}]"
    styled = click.style(label, fg=_COLOURS[problem.severity], bold=True)
    parts = [one_line(head).replace(label, styled, 1)]
    if 0 < problem.line <= len(lines):
        line = one_line(lines[problem.line - 1].rstrip())
        start, end = marked(problem, line)
        line, start, end = _clipped(line, start, end)
        number = str(problem.line)
        parts.append(f"  {number} | {line}")
        parts.append(f"  {' ' * len(number)} | {' ' * start}{'^' * max(1, end - start)}")
    parts.append(one_line(remedy))
    return "\n".join(parts)


def one_line(text: str) -> str:
    """Return the text without anything that would move the cursor."""
    return "".join(one if one.isprintable() else " " if one == "\t" else "?" for one in text)


def marked(problem: Problem, line: str) -> tuple[int, int]:
    """Return where in its line the problem lies: the key or the value it speaks of, or all."""
    start = len(line) - len(line.lstrip())
    if problem.code == "CG003":  # here the message quotes signs of TOML, not words of the file
        return start, len(line)
    key = problem.key.rpartition(".")[2].partition("[")[0]
    quoted = _QUOTED.findall(problem.message)
    if key in quoted:
        quoted = []  # it is the key itself that is wrong
    for word in quoted:
        # Of two equal values in one line it is the later that is too many.
        if found := list(re.finditer(rf"""(["'])({re.escape(word)})\1""", line)):
            return found[-1].span(2)
    if key and (one := re.search(rf"(?<![\w-]){re.escape(key)}(?![\w-])", line)):
        return one.span()
    return start, len(line)


def _clipped(line: str, start: int, end: int) -> tuple[str, int, int]:
    """Cut a long line down to what is around the marker."""
    if len(line) <= _WIDTH:
        return line, start, end
    begin = max(0, min(start - _WIDTH // 3, len(line) - _WIDTH))
    cut = line[begin : begin + _WIDTH]
    if begin + _WIDTH < len(line):
        cut = cut[:-1] + "…"
    if begin:
        cut = "…" + cut[1:]
    return cut, start - begin, min(end - begin, _WIDTH)
