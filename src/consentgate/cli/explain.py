"""`consentgate explain`: what the gate does with one cookie, and why.

Rule 1. It asks the very object that decides in the gate, and never decides anything itself.
Rule 2. It never prints a cookie's value.
"""

from __future__ import annotations

import os
import secrets
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from time import time
from typing import NamedTuple

import click

from ..config.locate import line_of, lines_of
from ..config.problems import Path
from ..core.cookies import is_deletion, stored_names
from ..core.decision import Action, Decision, printable
from ..core.gate import Gate
from ..core.http import Request
from ..core.judge import NOTHING_UNASKED
from ..core.standing import Basis
from ..presets import necessary_rules
from .circumstances import law_at, place_of, request_of
from .commands import CannotRun
from .policies import sound_policy
from .problems import one_line, source_lines

DELETION = "deletion"
_PREFIX = b"set-cookie:"
_COLOURS = {Action.KEPT: "green", Action.DROPPED: "red"}  # any other is changed: yellow


class Question(NamedTuple):
    """A Set-Cookie value to judge; `whole`: given as a line, not just as a name."""

    line: bytes
    whole: bool


class Answer(NamedTuple):
    """What the gate decided, and what the decision rested on."""

    line: bytes
    decision: Decision
    sent: bytes | None  # the value that leaves
    names: frozenset[bytes] | None  # under which some browser could store it
    deletes: bool


@click.command()
@click.argument("cookie", metavar="NAME-OR-LINE")
@click.option(
    "--policy",
    "file",
    metavar="FILE",
    default="consentgate.toml",
    show_default=True,
    help="The policy file.",
)
@click.option(
    "--granted",
    multiple=True,
    metavar="CATEGORY",
    help="What the visitor allows; repeat it, or separate by commas. Nothing by default.",
)
@click.option("--region", metavar="CODE", default="", help='Where they are: "FR", "US-CA".')
@click.option("--gpc", is_flag=True, help="Their browser sends Global Privacy Control.")
@click.option(
    "--path", metavar="PATH", default="/", show_default=True, help="Where it is set: see [[flows]]."
)
@click.pass_context
def explain(
    ctx: click.Context,
    cookie: str,
    file: str,
    granted: tuple[str, ...],
    region: str,
    gpc: bool,
    path: str,
) -> None:
    """Say what the gate does with a cookie, and why.

    NAME-OR-LINE is a cookie's name, or a whole Set-Cookie line in quotes. Ends with 0 if it would
    leave, with 1 if it would be dropped.
    """
    question = question_of(cookie)
    code = place_of(region)
    gate = _gate(file, code)
    request = request_of(gate, _chosen(granted, gate.site.ids), gpc, path)
    visit = gate.admit(request, time(), bytes).visit
    answer = ask(gate, question.line, visit.peek(), time(), path, visit.unasked)
    decision = answer.decision
    click.echo(f"{one_line(decision.name)}   {_verdict(decision)}")
    rows = list(_rows(answer, gate, file))
    if region:
        rows.insert(1, ("region", law_at(gate, code)))
    if gpc:
        rows.insert(1, ("signal", f"Global Privacy Control: {visit.gpc}"))
    if decision.action is Action.DROPPED and decision.enforced:
        rows += _once_stored(answer, gate, request, time())
    if not question.whole:  # what else is in the line is made up
        rows = [row for row in rows if row[0] != DELETION]
    width = max(len(label) for label, _ in rows)
    for label, text in rows:
        click.echo(f"  {label:{width}}   {one_line(text)}")
    ctx.exit(1 if decision.action is Action.DROPPED and decision.enforced else 0)


def ask(
    gate: Gate,
    line: bytes,
    allowed: frozenset[str],
    now: float,
    path: str = "/",
    unasked: Mapping[str, Basis] = NOTHING_UNASKED,
) -> Answer:
    """Ask the gate's own judge about one Set-Cookie value, set on this path."""
    decision, sent, _ = gate.lane(path).judge.judge(line, allowed, now, unasked=unasked)
    return Answer(line, decision, sent, stored_names(line), is_deletion(line, now))


def question_of(text: str) -> Question:
    """Return what is asked; a bare name stands for a cookie with some value. Raises UsageError."""
    line = os.fsencode(text).rstrip(b"\r\n")  # copied from a log, it may bring its line end along
    if line[: len(_PREFIX)].lower() == _PREFIX:
        return Question(line[len(_PREFIX) :].lstrip(b" \t"), whole=True)
    if b"=" in line or b";" in line:
        return Question(line, whole=True)
    name = line.strip(b" \t")
    if not name:
        raise click.UsageError("Name a cookie, or give a whole Set-Cookie line in quotes.")
    return Question(name + b"=1", whole=False)


def _gate(file: str, code: str | None) -> Gate:
    policy = sound_policy(file, "; name the policy with --policy FILE")
    # Nothing is signed or verified here, so the site's own key is not needed.
    keys = [secrets.token_bytes(32)]
    return Gate(policy, keys, known=necessary_rules(), locate=lambda _: code)


def _chosen(granted: Iterable[str], known: tuple[str, ...]) -> frozenset[str]:
    chosen = frozenset(id.strip() for text in granted for id in text.split(",") if id.strip())
    for id in sorted(chosen.difference(known)):
        raise CannotRun(f"no category {id!r} in the policy; it has: {', '.join(known)}")
    return chosen


def _verdict(decision: Decision) -> str:
    verdict = click.style(
        decision.action.value.upper(), fg=_COLOURS.get(decision.action, "yellow"), bold=True
    )
    if decision.enforced or decision.action is Action.KEPT:
        return verdict
    return f'would be {verdict}; mode = "report" lets it leave as it is'


def _rows(answer: Answer, gate: Gate, file: str) -> Iterator[tuple[str, str]]:
    decision = answer.decision
    yield "why", decision.reason
    if decision.basis in (Basis.OPT_OUT, Basis.EXEMPT, Basis.FLOW):
        yield "basis", decision.basis
    if decision.category is not None:
        yield "category", decision.category
        yield "rule", _rule(file, decision)
    yield "browsers", _stored(answer.names)
    yield DELETION, _deletion(answer)
    if decision.action in (Action.SHORTENED, Action.HARDENED) and answer.sent is not None:
        attributes = answer.sent.partition(b";")[2].strip()
        yield "leaves with", attributes.decode("utf-8", "backslashreplace") or "no attributes"
    if decision.action is Action.DROPPED:
        yield from _remedy(answer, gate, file)


def _rule(file: str, decision: Decision) -> str:
    if decision.origin != "policy":
        return f'"{decision.rule}", known from {decision.origin}'
    line = _line_of_rule(file, decision)
    return f'"{decision.rule}" at {file}' + (f":{line}" if line else "")


def _line_of_rule(file: str, decision: Decision) -> int:
    """Return the line at which the rule stands; 0 where the file can be read only once.

    No name stands twice in a file without errors.
    """
    text = "\n".join(source_lines(file))
    data = tomllib.loads(text)
    places: list[tuple[Path, object]] = [
        (("categories", id, "cookies", number), entry)
        for id, table in data.get("categories", {}).items()
        for number, entry in enumerate(table.get("cookies", []))
    ]
    places += [(("cookies", number), entry) for number, entry in enumerate(data.get("cookies", []))]
    for path, entry in places:
        if decision.rule == (entry.get("name") if isinstance(entry, dict) else entry):
            return line_of(lines_of(text), (*path, "name"))
    return 0


def _stored(names: frozenset[bytes] | None) -> str:
    if names is None:
        return "differ on what they store"
    if names == {b""}:
        return "could store it without a name"
    if b"" in names:  # then the other name may be the value
        return "could store it without a name, or take its value for the name"
    return f"could store it as {' or '.join(printable(name) for name in sorted(names))}"


def _deletion(answer: Answer) -> str:
    if not answer.deletes:
        return "no"
    if answer.decision.action is Action.REWRITTEN and answer.decision.enforced and answer.sent:
        return f"yes; sent as: {answer.sent.decode('utf-8', 'backslashreplace')}"
    return "yes; it leaves as it is"


def _once_stored(
    answer: Answer, gate: Gate, request: Request, now: float
) -> Iterator[tuple[str, str]]:
    """Say what becomes of this cookie when a browser sends it."""
    if answer.names is None or len(answer.names) != 1 or b"" in answer.names:
        return
    (name,) = answer.names
    sent = b"; ".join([*request.values(b"cookie"), name + b"=1"])
    headers = [(b"cookie", sent), (b"host", request.single(b"host") or b"")]
    headers += [(b"sec-gpc", b"1")] * bool(request.values(b"sec-gpc"))
    step = gate.admit(Request("GET", request.path, "", "https", headers), now, bytes)
    text = "the app sees it" if step.cookie is None else "the app does not see it"
    lines = [
        line
        for key, line in step.finish([(b"content-type", b"text/html")], now).headers
        if key == b"set-cookie" and line.partition(b"=")[0] == name
    ]
    if lines:
        text += f"; a page expires it: {lines[0].decode('utf-8', 'backslashreplace')}"
        text += f" (and {len(lines) - 1} more)" if len(lines) > 1 else ""
    elif step.cookie is not None:
        text += "; it stays where it is"
    yield "once stored", text


def _remedy(answer: Answer, gate: Gate, file: str) -> Iterator[tuple[str, str]]:
    label, category, names = "to let it out", answer.decision.category, answer.names
    if category is not None:
        yield label, f"the visitor allows {category} (try --granted {category})"
    elif names is None:
        yield label, "take the control byte (a tab, say) out of the line"
    elif b"" in names and not answer.line.isascii():
        yield label, "write its name in ASCII: some browsers end a line at the first other sign"
    elif b"" in names:
        yield label, "give the cookie a name: NAME=VALUE"
    elif names & gate.site.own_names():
        yield label, f"give it another name, or change [consent] cookie in {file}"
    else:
        yield label, f'add "{answer.decision.name}" to the cookies of a category in {file}'
        yield "note", "names in the app's own settings (its session cookie, say) need no rule"
