"""Checks of [pages] and [[changes]]: the language, the templates, and what is told of versions."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from ...core.policy import Change, Policy
from ..problems import Fault, Path
from .languages import policy_language
from .regions import is_day

# An address, or a page of the site: anything else could be a script.
_LINK = re.compile(r"(?:https?://[^\s/]|/(?!/))\S*", re.IGNORECASE)


def page_faults(policy: Policy) -> Iterator[Fault]:
    """Yield what is wrong with how the gate's own pages look, and with the list of changes."""
    yield from policy_language(policy)
    yield from _templates(policy)
    url = policy.controller.url if policy.controller is not None else ""
    if url and not _LINK.fullmatch(url):
        message = "the controller's url is none that a page can link to"
        remedy = 'write url = "https://…", or "/…" for a page of the site'
        yield _fault("CG104", ("controller", "url"), message, remedy)
    seen: dict[str, Path] = {}
    for number, change in enumerate(policy.changes):
        place: Path = ("changes", number)
        yield from _change(change, place)
        if change.version in seen:
            message, remedy = f"{change.version!r} is named twice", "merge the two"
            fault = _fault("CG202", (*place, "version"), message, remedy)
            yield replace(fault, other=seen[change.version])
        elif change.version:
            seen[change.version] = (*place, "version")


def thoughts_on_changes(policy: Policy) -> Iterator[Fault]:
    """Yield warnings about changes that are not told, or not in order, for whoever checks."""
    if policy.changes and all(one.version != policy.version for one in policy.changes):
        yield Fault(
            code="CG512",
            path=("version",),
            message=f"visitors are not told what changed with {policy.version!r}",
            remedy="add it to [[changes]], with version, date and text",
            severity="warning",
        )
    days = [one.date for one in policy.changes]
    for number, (before, day) in enumerate(pairwise(days), 1):
        if is_day(before) and is_day(day) and before < day:
            yield Fault(
                code="CG513",
                path=("changes", number, "date"),
                message="this is newer than the change above it, and visitors read them so",
                remedy="put the newest [[changes]] first",
                severity="warning",
            )


def _templates(policy: Policy) -> Iterator[Fault]:
    folder, place = policy.pages.templates, ("pages", "templates")
    if not folder:
        return
    if not os.path.isdir(folder):
        wrong = "is no folder" if os.path.exists(folder) else "does not exist"
        remedy = (
            "write the path of a folder, as seen from where the policy file is, or leave it out"
        )
        yield _fault("CG602", place, f"{folder!r} {wrong}", remedy)
        return
    from ...pages.trial import faults_in  # few policies have templates: all others need no Jinja2

    for one in faults_in(policy):
        file = os.path.join(folder, one.template) + (f":{one.line}" if one.line else "")
        remedy = (
            "compare it with the built-in one of that name, which says what it gets and must do"
        )
        yield _fault("CG402" if one.dark else "CG605", place, f"{file} {one.message}", remedy)


def _change(change: Change, place: Path) -> Iterator[Fault]:
    examples = {"version": '"2026-11"', "date": "2026-11-24", "text": '"…"'}
    for field, example in examples.items():
        if not getattr(change, field).strip():
            message = f"the change has no {field}"
            yield _fault("CG103", (*place, field), message, f"add {field} = {example}")
    if change.date.strip() and not is_day(change.date):
        remedy = "write date = 2026-11-24, a day like this"
        yield _fault("CG104", (*place, "date"), f"{change.date!r} is no day", remedy)


def _fault(code: str, place: Path, message: str, remedy: str) -> Fault:
    return Fault(code=code, path=place, message=message, remedy=remedy)
