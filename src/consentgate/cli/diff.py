"""`consentgate diff`: who is asked again when one policy file takes another's place, and why.

Rule 1. A yes stands as long as the new file has its revision or honours it; a no always does.
Rule 2. What asks for more than was agreed to is never accepted on anybody's behalf.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import click

from ..core.policy import Policy
from .changes import Kind
from .commands import CannotRun
from .outcome import EVERYBODY, NOBODY, YES, Outcome, compare, further
from .policies import sound_policy
from .problems import one_line

_COLOURS = {Kind.WIDER: "red", Kind.NARROWER: "green", Kind.WORDING: "cyan"}
_STATED = "whoever accepts this states that the texts are only corrected, and ask for no more"


@click.command()
@click.argument("old")
@click.argument("new")
@click.option(
    "--accept", is_flag=True, help="Write into NEW that it honours what OLD was agreed to with."
)
@click.option(
    "--only", multiple=True, metavar="CATEGORY", help="Accept this category alone; repeat it."
)
@click.option(
    "format_", "--format", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@click.pass_context
def diff(
    ctx: click.Context, old: str, new: str, accept: bool, only: tuple[str, ...], format_: str
) -> None:
    """Say who is asked again when the policy file NEW takes the place of OLD.

    With --accept a yes stays valid where the change narrowed, or only corrected wording; it is
    refused where the change widened. Ends with 0 if nobody is asked, with 1 if somebody is.
    """
    before, after = sound_policy(old), sound_policy(new)
    outcomes = compare(before, after)
    if only and not accept:
        raise click.UsageError("--only says what to --accept: give both.")
    known = [one.id for one in outcomes if one.new]
    for id in only:
        if id not in known:
            asked = ", ".join(known)
            raise CannotRun(f"nothing is asked about {id!r} in {new}; it asks about: {asked}")
    refused: list[str] = []
    accepted: dict[str, tuple[str, ...]] = {}
    if accept:
        chosen = [one for one in outcomes if one.id in (only or known)]
        refused = [one.id for one in chosen if one.wider]
        accepted = {one.id: one.missing for one in chosen if one.acceptable}
    if refused:
        accepted = {}
    elif accepted:
        after = _written(new, after, accepted)
        outcomes = compare(before, after)
    settings = list(further(before, after))
    clean = not settings and not any(one.asked != NOBODY or one.finding for one in outcomes)
    if format_ == "json":
        click.echo(_as_json(old, new, outcomes, settings, accepted, refused))
    else:
        lines = list(_lines(outcomes, settings))
        lines += _accepting(new, accepted, refused)
        if not accept:
            lines += _help(outcomes)
        for line in [*lines, _summary(outcomes, settings)]:
            click.echo(line)
    ctx.exit(0 if clean and not refused else 1)


def _written(file: str, policy: Policy, accepted: dict[str, tuple[str, ...]]) -> Policy:
    """Write what is accepted into a file, and return what it says then."""
    from .honours import CannotWrite, write_honours  # who only looks pays nothing for tomlkit

    try:
        write_honours(file, policy, accepted)
    except CannotWrite as error:
        lines = [f"  {id}: add {', '.join(all)} to honours" for id, all in accepted.items()]
        text = "\n".join([f"{file} cannot be written: {error}; it is as it was. By hand:", *lines])
        raise CannotRun(text) from None
    return sound_policy(file)


# --- text ---------------------------------------------------------------------------------------


def _lines(outcomes: Sequence[Outcome], settings: Sequence[str]) -> Iterator[str]:
    width = max([len(one.id) for one in outcomes], default=0)
    for text in settings:
        yield click.style(one_line(text), fg="yellow")
    for outcome in outcomes:
        yield f"{outcome.id:{width}}   {_headline(outcome)}"
        for kind, text, _ in outcome.differences:
            yield f"  {click.style(f'{kind.value:8}', fg=_COLOURS[kind])}   {one_line(text)}"
        if outcome.acceptable and any(one.stated for one in outcome.differences):
            yield f"  {'note':8}   {_STATED}"
        if outcome.finding:
            yield f"  {click.style('finding ', fg='red', bold=True)}   {outcome.finding}"


def _headline(outcome: Outcome) -> str:
    if outcome.status == "always on":
        return "always on now: nobody is asked, and a no counts no longer"
    text = outcome.status
    if text == "no longer always on":
        text += ", so off until allowed"
    if text == "changed":
        text += f" ({outcome.old} -> {outcome.new})"
        text += ", honoured" if not outcome.lost else ""
    return f"{text}: {_asked(outcome)}"


def _asked(outcome: Outcome) -> str:
    if outcome.asked != YES:
        return f"{outcome.asked} is asked"
    if not outcome.kept:
        return "who said yes is asked again"
    return f"who said yes to {', '.join(outcome.lost)} is asked again"


def _accepting(
    file: str, accepted: dict[str, tuple[str, ...]], refused: Sequence[str]
) -> Iterator[str]:
    for id, revisions in accepted.items():
        yield one_line(f"accepted: {id} honours {', '.join(revisions)}, written to {file}")
    if refused:
        ids = ", ".join(refused)
        verb = "asks" if len(refused) == 1 else "ask"
        yield f"refused: {ids} {verb} for more than was agreed to; nothing was written"


def _help(outcomes: Sequence[Outcome]) -> Iterator[str]:
    acceptable = [one.id for one in outcomes if one.acceptable]
    if acceptable:
        only = any(one.wider for one in outcomes)
        options = "".join(f" --only {id}" for id in acceptable) if only else ""
        yield f"    help: so that the yes already given stays valid: --accept{options}"


def _summary(outcomes: Sequence[Outcome], settings: Sequence[str]) -> str:
    yes = [one.id for one in outcomes if one.asked == YES]
    everybody = [one.id for one in outcomes if one.asked == EVERYBODY]
    parts = ["who said yes to " + ", ".join(yes)] * bool(yes)
    parts += ["everybody about " + ", ".join(everybody)] * bool(everybody)
    parts += ["others for their choice's age or cookie"] * bool(settings)
    findings = sum(bool(one.finding) for one in outcomes)
    text = f"asked again: {'; '.join(parts)}" if parts else "nobody is asked again"
    return text + f" ({findings} finding{'s' * (findings > 1)})" * bool(findings)


# --- JSON ---------------------------------------------------------------------------------------


def _as_json(
    old: str,
    new: str,
    outcomes: Sequence[Outcome],
    settings: Sequence[str],
    accepted: dict[str, tuple[str, ...]],
    refused: Sequence[str],
) -> str:
    import json  # as in check

    return json.dumps(
        {
            "old": old,
            "new": new,
            "settings": list(settings),
            "accepted": {id: list(revisions) for id, revisions in accepted.items()},
            "refused": list(refused),
            "categories": [
                {
                    "id": one.id,
                    "status": one.status,
                    "asked": one.asked,
                    "old": one.old or None,
                    "new": one.new or None,
                    "lost": list(one.lost),
                    "acceptable": one.acceptable,
                    "finding": one.finding or None,
                    "differences": [
                        {"kind": kind.value, "text": text, "stated": stated}
                        for kind, text, stated in one.differences
                    ],
                }
                for one in outcomes
            ],
        },
        indent=2,
    )
