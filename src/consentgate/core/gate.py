"""The gate: one request in, one step out. The only module that knows all the others.

    Step = Forward | NeedBody | Reply

    Forward    let the request through, and pass the answer's headers to `finish`
    NeedBody   it is one of the gate's own addresses, and the body is needed: `feed` it
    Reply      the gate's own answer

A shell asks `begin` for HTTP and `admit` for a WebSocket, which can be filtered but not answered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple, NoReturn

from .caching import for_one_visitor
from .compiled import Compiled
from .consent import Receipt
from .cookies import WITHOUT_CONTROLS
from .decision import Decision, Judge
from .headers import CACHING, PLAIN, SET_COOKIE, UNSAFE, HeaderKinds, is_unsafe
from .http import Header, Request, Response
from .matcher import PathMatcher, ties
from .own_pages import OwnPages
from .policy import Policy, Rule
from .visit import Visit
from .wish import MAX_BODY

FreshId = Callable[[], bytes]


class Finish(NamedTuple):
    """The headers to send, what was decided on the way, and the proof of a choice made meanwhile.

    `headers` is the very list passed in where nothing changed.
    """

    headers: list[Header]
    decisions: tuple[Decision, ...]
    receipt: Receipt | None

    def __repr__(self) -> str:  # without the headers: they hold the values of cookies
        return f"Finish(decisions={self.decisions!r}, receipt={self.receipt!r})"


_new = tuple.__new__  # makes a Finish at half the cost of calling the class


class Reply(NamedTuple):
    """The gate's own answer. A receipt is to be written before it is sent."""

    response: Response
    receipt: Receipt | None = None


class Forward:
    """Let the request through; `finish` the answer's headers when it starts."""

    __slots__ = ("_gate", "_gated", "visit")

    def __init__(self, gate: Gate, visit: Visit, gated: bool) -> None:
        self._gate = gate
        self._gated = gated
        self.visit = visit

    def finish(self, headers: list[Header], now: float, *, can_add: bool = True) -> Finish:
        """Decide every Set-Cookie among `headers`, on the consent as it is now.

        Closes the visit to changes. The same arguments give the same answer, so a shell may ask
        again. `can_add` is False where the protocol takes no added header.
        """
        visit = self.visit
        visit.sealed = True
        result = headers
        decisions: tuple[Decision, ...] = ()
        caching: list[int] | None = None
        personal = False
        if self._gated:
            result, decisions, caching, personal = self._gate.decide(visit, headers, now)
        receipt = None
        if visit.read or visit.spare:  # else the choice stands as it was sent
            own = visit.own_lines() if can_add else []
            result = [*result, *((b"set-cookie", line) for line in own)] if own else result
            personal = personal or bool(own) or visit.read
            # Where no cookie can be sent the choice is not recorded, and there is nothing to prove.
            receipt = visit.receipt() if can_add else None
        if personal and can_add:
            result = for_one_visitor(result, caching)
        return _new(Finish, (result, decisions, receipt))

    def passes(self, headers: list[Header]) -> bool:
        """Say whether nothing is to be decided or added, so that `finish` need not be asked.

        Most answers end here. Closes the visit to changes, as `finish` does.
        """
        visit = self.visit
        visit.sealed = True
        if visit.read or len(headers) > 64:  # putting more values together would cost too much
            return False
        harmless = self._gate.kinds.harmless.young
        if headers and headers[-1][0] not in harmless:
            return False  # cookies mostly come last
        text = b""
        for name, value in headers:
            if name not in harmless:
                return False
            text += value
        # `is_unsafe`, of all values at once: one look at each would cost more.
        return not (10 in text or 13 in text or 0 in text)

    def trailers(self, headers: list[Header]) -> list[Header]:
        """Return the trailer fields that may leave: a cookie is never among them (RFC 9110 6.5.1).

        Browsers ignore it there, but what merges trailers into headers on the way need not.
        """
        return self._gate.trailers(headers) if self._gated else headers


class NeedBody:
    """It is a choice: read at most `limit` bytes and `feed` them, or say `too_large`."""

    __slots__ = ("_pages", "_request", "_visit")

    limit = MAX_BODY

    def __init__(self, pages: OwnPages, visit: Visit, request: Request) -> None:
        self._pages = pages
        self._visit = visit
        self._request = request

    def feed(self, body: bytes) -> Reply:
        """Answer the whole body."""
        return Reply(*self._pages.choose(self._visit, self._request, body))

    def too_large(self) -> Reply:
        """Answer a body of more than `limit` bytes."""
        return Reply(self._pages.too_large(self._request))


Step = Forward | NeedBody | Reply


class Gate:
    """A policy, its keys and the names known without being listed, compiled.

    `keys`: the newest first, each of 32 bytes or more. `known`: rules of frameworks and of the
    app itself, beaten by any rule of the policy. Raises ValueError for rules that tie, for keys
    that are missing or short, and for categories that a token could not tell apart.
    """

    __slots__ = (
        "_enforced",
        "_excluded",
        "_judge",
        "_keys",
        "_known",
        "_pages",
        "_prefix",
        "_site",
        "kinds",
        "policy",
    )

    def __init__(
        self, policy: Policy, keys: Sequence[bytes], *, known: Iterable[Rule] = ()
    ) -> None:
        if not keys or any(len(key) < 32 for key in keys):
            raise ValueError("every signing key must have 32 bytes or more")
        rules = [rule for category in policy.categories for rule in category.rules]
        for one, two, name in ties(rules):
            raise ValueError(f"the rules {one.name!r} and {two.name!r} tie over {name!r}")
        self.policy = policy
        self._keys = tuple(keys)
        self._known = tuple(replace(rule, category=policy.necessary) for rule in known)
        self._site = Compiled(policy, keys)
        self._enforced = policy.mode != "report"
        self._judge = Judge(
            site=rules,
            known=self._known,
            always=self._site.always,
            own=self._site.own_names(),
            block_unknown=policy.unknown != "allow",
            enforced=self._enforced,
        )
        self.kinds = HeaderKinds()
        self._pages = OwnPages(self._site)
        self._prefix = policy.prefix
        self._excluded = PathMatcher(policy.exclude) if policy.exclude else None

    def __reduce__(self) -> NoReturn:
        raise TypeError("signing keys are never pickled: load the policy again instead")

    def __deepcopy__(self, memo: object) -> Gate:
        return self

    def knowing(self, rules: Iterable[Rule]) -> Gate:
        """Return a gate that knows these rules too, for example the names an app was asked for."""
        return Gate(self.policy, self._keys, known=(*self._known, *rules))

    @property
    def site(self) -> Compiled:
        """The compiled policy."""
        return self._site

    @property
    def judge(self) -> Judge:
        """The compiled rules: `explain` asks the very object that decides."""
        return self._judge

    def begin(
        self,
        request: Request,
        now: float,
        fresh_id: FreshId,
        visit: type[Visit] = Visit,
    ) -> Step:
        """Take one HTTP request. `now` is in seconds since 1970; `fresh_id` gives 10 random bytes.

        `visit` is the class that handlers get to see.
        """
        if self._prefix in request.path:
            path = request.local_path()
            if path.startswith(self._prefix) and path[len(self._prefix) :][:1] in ("", "/"):
                return self._own(path[len(self._prefix) :], request, now, fresh_id)
        return self.admit(request, now, fresh_id, visit)

    def admit(
        self,
        request: Request,
        now: float,
        fresh_id: FreshId,
        visit: type[Visit] = Visit,
    ) -> Forward:
        """Take a request that can only be let through."""
        excluded = self._excluded
        gated = excluded is None or not excluded.matches(request.local_path())
        return Forward(self, visit(self._site, request, now, fresh_id), gated)

    def newcomer(self, visit: type[Visit] = Visit) -> Visit:
        """Return a visitor who granted nothing and cannot: for code that runs outside the gate."""
        return visit(self._site, Request("GET", "/"), 0.0, bytes)

    def _own(self, path: str, request: Request, now: float, fresh_id: FreshId) -> Step:
        visit = Visit(self._site, request, now, fresh_id)
        response = self._pages.answer(path, visit, request)
        return NeedBody(self._pages, visit, request) if response is None else Reply(response)

    def trailers(self, headers: list[Header]) -> list[Header]:
        """See Forward.trailers."""
        if not self._enforced:
            return headers
        return [
            (name, value)
            for name, value in headers
            if self.kinds(name) in (PLAIN, CACHING) and not is_unsafe(value)
        ]

    def decide(
        self, visit: Visit, headers: list[Header], now: float
    ) -> tuple[list[Header], tuple[Decision, ...], list[int] | None, bool]:
        """Return what may leave, the decisions, and whether the visitor mattered.

        Last but one are the places, in what may leave, of the fields about caching, if looked for.
        """
        result: list[Header] = []
        decisions: list[Decision] = []
        caching: list[int] = []
        altered = personal = False
        kinds = self.kinds.memo.young
        judge = self._judge
        remembered = judge.remembered.young
        allowed: frozenset[str] | None = None
        for header in headers:
            name, value = header
            kind = kinds.get(name)
            if kind is None:
                kind = self.kinds(name)
            if kind == SET_COOKIE:
                if allowed is None:
                    allowed = visit.peek()
                head, equals, _ = value.partition(b"=")
                verdict = remembered.get(head) if equals else None
                # `has_control`, without a call for every cookie.
                if verdict is None or value.translate(WITHOUT_CONTROLS) != value:
                    verdict = judge.verdict(value, allowed)
                if not verdict.free:
                    personal = True
                    if verdict.category not in allowed:
                        decision, line = judge.refuse(verdict, value, now)
                        decisions.append(decision)
                        altered = True
                        if line is not None:
                            result.append((name, line))
                        continue
                decisions.append(verdict.kept)
                result.append(header)
            elif kind == UNSAFE or 10 in value or 13 in value or 0 in value:  # `is_unsafe`
                decisions.append(judge.unsafe_header(name))
                altered = True
            else:
                if kind == CACHING:
                    caching.append(len(result))
                result.append(header)
        if not self._enforced:
            return headers, tuple(decisions), None, False
        return (result if altered else headers), tuple(decisions), caching, personal
