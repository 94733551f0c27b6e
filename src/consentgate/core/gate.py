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

from .additions import Additions
from .caching import for_one_visitor, is_for_one
from .compiled import Compiled
from .consent import Receipt
from .decision import Decision
from .filter import Filter
from .http import Header, Request, Response
from .judge import Judge
from .matcher import PathMatcher
from .own_pages import OwnPages
from .policy import Policy, Rule
from .request_cookies import RequestCookies, Selection, Sorter
from .ties import ties
from .visit import SAFE_METHODS, Visit
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
    decisions: tuple[Decision, ...] = ()


class Forward:
    """Let the request through; `finish` the answer's headers when it starts.

    `cookie` is the Cookie header that the app is to see (b"": none), or None for the one that came.
    """

    __slots__ = ("_gate", "_gated", "_selection", "cookie", "visit")

    def __init__(self, gate: Gate, visit: Visit, gated: bool) -> None:
        self._gate = gate
        self._gated = gated
        self._selection: Selection | None = None  # if there is anything to hide or to expire
        self.visit = visit
        self.cookie: bytes | None = None
        cookies = visit.cookies
        if cookies is not None and gated and not cookies.row.free:
            selection = cookies.row.select(visit.peek())
            if selection.hidden or selection.strays:
                self._selection = selection
                if gate.enforced:
                    self.cookie = cookies.visible(selection)

    def finish(self, headers: list[Header], now: float, *, can_add: bool = True) -> Finish:
        """Decide every Set-Cookie among `headers`, on the consent as it is now.

        Closes the visit to changes. The same arguments give the same answer, so a shell may ask
        again. `can_add` is False where the protocol takes no added header.
        """
        visit = self.visit
        visit.sealed = True
        result = headers
        selection = self._selection
        decisions: tuple[Decision, ...] = selection.hidden if selection is not None else ()
        caching: list[int] | None = None
        personal = False
        if self._gated:
            result, made, caching, personal = self._gate.filter.decide(visit, headers, now)
            decisions += made
        if not can_add:
            # Where no cookie can be sent no choice is recorded, and there is nothing to prove.
            return _new(Finish, (result, decisions, None))
        receipt = None
        personal = personal or visit.read
        may_expire = self._may_expire(result, caching, personal)
        if may_expire or visit.read or visit.spare:  # else the choice stands as it was sent
            added = self._gate.additions.to(visit, result, now, expire=may_expire)
            if added.headers:
                result = [*result, *added.headers]
                personal = True
            decisions += added.decisions
            receipt = visit.receipt()
        # A gate that only reports marks nothing but an answer whose handler has read the consent.
        if personal and (self._gate.enforced or visit.read):
            result = for_one_visitor(result, caching)
        return _new(Finish, (result, decisions, receipt))

    def _may_expire(self, headers: list[Header], places: list[int] | None, private: bool) -> bool:
        """Say whether there is something to remove, and the answer is one that may."""
        visit, selection = self.visit, self._selection
        if not visit.changed and (selection is None or not selection.strays):
            return False
        private = private or visit.request.method not in SAFE_METHODS
        return self._gated and is_for_one(headers, places, private)

    def passes(self, headers: list[Header]) -> bool:
        """Say whether nothing is to be decided or added, so that `finish` need not be asked.

        Most answers end here. Closes the visit to changes, as `finish` does.
        """
        visit = self.visit
        visit.sealed = True
        if visit.read or visit.spare or self._selection is not None:
            return False
        return self._gate.filter.passes(headers)

    def trailers(self, headers: list[Header]) -> list[Header]:
        """Return the trailer fields that may leave: a cookie is never among them (RFC 9110 6.5.1).

        Browsers ignore it there, but what merges trailers into headers on the way need not.
        """
        return self._gate.filter.trailers(headers) if self._gated else headers


class NeedBody:
    """It is a choice: read at most `limit` bytes and `feed` them, or say `too_large`."""

    __slots__ = ("_gate", "_visit")

    limit = MAX_BODY

    def __init__(self, gate: Gate, visit: Visit) -> None:
        self._gate = gate
        self._visit = visit

    def feed(self, body: bytes) -> Reply:
        """Answer the whole body."""
        visit = self._visit
        return self._gate.reply(self._gate.pages.choose(visit, visit.request, body), visit)

    def too_large(self) -> Reply:
        """Answer a body of more than `limit` bytes."""
        return Reply(self._gate.pages.too_large(self._visit.request))


Step = Forward | NeedBody | Reply


class Gate:
    """A policy, its keys and the names known without being listed, compiled.

    `keys`: the newest first, each of 32 bytes or more. `known`: rules of frameworks and of the
    app itself, beaten by any rule of the policy. Raises ValueError for rules that tie, for keys
    that are missing or short, and for categories that a token could not tell apart.
    """

    __slots__ = (
        "_excluded",
        "_judge",
        "_keys",
        "_known",
        "_prefix",
        "_site",
        "_sorter",
        "additions",
        "enforced",
        "filter",
        "pages",
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
        self.enforced = policy.mode != "report"
        self._judge = Judge(
            site=rules,
            known=self._known,
            categories={category.id: category for category in self._site.categories},
            own=self._site.own_names(),
            block_unknown=policy.unknown != "allow",
            enforced=self.enforced,
        )
        self._sorter = Sorter(
            self._judge,
            self._site.own_names(),
            hide=policy.hide,
            expire_unknown=policy.expire_unknown,
        )
        self.filter = Filter(self._judge, enforced=self.enforced)
        self.additions = Additions(policy, rules, self._judge)
        self.pages = OwnPages(self._site)
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
        cookies = self._cookies_of(request)
        return Forward(self, visit(self._site, request, now, fresh_id, cookies), gated)

    def _cookies_of(self, request: Request) -> RequestCookies | None:
        fields = request.values(b"cookie")
        return self._sorter.read(fields) if fields else None

    def newcomer(self, visit: type[Visit] = Visit) -> Visit:
        """Return a visitor who granted nothing and cannot: for code that runs outside the gate."""
        return visit(self._site, Request("GET", "/"), 0.0, bytes)

    def _own(self, path: str, request: Request, now: float, fresh_id: FreshId) -> Step:
        visit = Visit(self._site, request, now, fresh_id, self._cookies_of(request))
        response = self.pages.answer(path, visit, request)
        return NeedBody(self, visit) if response is None else self.reply(response, visit)

    def reply(self, response: Response, visit: Visit) -> Reply:
        """Return one of the gate's own answers, with what it tells the visitor's browser."""
        if response.status >= 400:
            return Reply(response)
        added = self.additions.to(visit, response.headers, visit.now)
        headers = [*response.headers, *added.headers]
        return Reply(response._replace(headers=headers), visit.receipt(), added.decisions)
