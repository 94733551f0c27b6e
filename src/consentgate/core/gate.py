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
from .compiled import Compiled
from .consent import Receipt
from .csp import CONDITIONS, DocumentFilter, Policies, wants_document
from .decision import Decision
from .filter import Filter
from .flows import Flows, Lane, Terms
from .forward import Finish, Forward, InFull, Manner
from .http import Request, Response
from .judge import Judge
from .own_pages import STATEMENT, OwnPages
from .policy import Policy, Profile, Regions, Rule
from .regions import Locate
from .request_cookies import Sorter
from .ties import ties
from .views import Renderer
from .visit import Visit
from .wish import MAX_BODY

__all__ = ["Finish", "Forward", "Gate", "NeedBody", "Reply", "Step"]

FreshId = Callable[[], bytes]


class Reply(NamedTuple):
    """The gate's own answer. A receipt is to be written before it is sent."""

    response: Response
    receipt: Receipt | None = None
    decisions: tuple[Decision, ...] = ()


class NeedBody:
    """It is a choice: read at most `limit` bytes and `feed` them, or say `too_large`."""

    __slots__ = ("_gate", "_path", "_visit")

    limit = MAX_BODY

    def __init__(self, gate: Gate, path: str, visit: Visit) -> None:
        self._gate = gate
        self._path = path
        self._visit = visit

    def feed(self, body: bytes) -> Reply:
        """Answer the whole body."""
        visit = self._visit
        response = self._gate.pages.choose(self._path, visit, visit.request, body)
        return self._gate.reply(response, visit)

    def too_large(self) -> Reply:
        """Answer a body of more than `limit` bytes."""
        return Reply(self._gate.pages.too_large(self._visit.request))


Step = Forward | NeedBody | Reply


class Gate:
    """A policy and its keys, compiled; see `consentgate.Gate`, which has pages as well.

    Without a `renderer` there are neither pages nor a banner: then they are not found.
    """

    __slots__ = (
        "_elsewhere",
        "_flows",
        "_forbids",
        "_judge",
        "_keys",
        "_known",
        "_locate",
        "_manner",
        "_prefix",
        "_renderer",
        "_rules",
        "_site",
        "additions",
        "enforced",
        "locates",
        "pages",
        "policy",
        "states",
    )

    def __init__(
        self,
        policy: Policy,
        keys: Sequence[bytes],
        *,
        known: Iterable[Rule] = (),
        locate: Locate | None = None,
        renderer: Renderer | None = None,
    ) -> None:
        if not keys or any(len(key) < 32 for key in keys):
            raise ValueError("every signing key must have 32 bytes or more")
        rules = [rule for category in policy.categories for rule in category.rules]
        for one, two, name in ties(rules):
            raise ValueError(f"the rules {one.name!r} and {two.name!r} tie over {name!r}")
        self.policy = policy
        self._keys = tuple(keys)
        self._known = tuple(replace(rule, category=policy.necessary) for rule in known)
        self._locate = locate
        self.locates = locate is not None
        self._renderer = renderer
        self._site = Compiled(policy, keys, locate, renderer, self._known)
        self.enforced = policy.mode != "report"
        self._forbids = self.enforced and policy.csp.mode == "enforce"
        self._rules = tuple(rules)
        self._flows = Flows(policy.flows, rules, policy.necessary, self._lane)
        self._elsewhere = self._flows.elsewhere
        self._judge = self._elsewhere.judge
        self.additions = Additions(policy, rules, self._judge)
        heeds = self._site.lenient or bool(self._site.sold)
        self._manner = Manner(self.additions, self.enforced, heeds)
        self.pages = OwnPages(self._site)
        self.states = bool(policy.gpc.updated)
        self._prefix = policy.prefix

    def _lane(self, terms: Terms) -> Lane:
        """Compile the rules that hold where these terms do."""
        policy, own = self.policy, self._site.own_names()
        here = {rule.name for rule in terms.here}
        judge = Judge(
            site=(*terms.here, *(rule for rule in self._rules if rule.name not in here)),
            known=self._known,
            categories={category.id: category for category in self._site.categories},
            own=own,
            block_unknown=policy.unknown != "allow",
            enforced=self.enforced,
            staying=terms.staying,
            leaving=terms.leaving,
        )
        sorter = Sorter(judge, own, hide=policy.hide, expire_unknown=policy.expire_unknown)
        return Lane(judge, sorter, self._filter(judge, terms))

    def _filter(self, judge: Judge, terms: Terms) -> Filter:
        csp = self.policy.csp
        if csp.mode == "off":
            return Filter(judge, enforced=self.enforced)
        policies = Policies(csp, self._site.categories, terms.sources, enforced=self.enforced)
        return DocumentFilter(judge, policies, enforced=self.enforced)

    def lane(self, path: str) -> Lane:
        """Return the rules that hold on a path, as the app sees it."""
        return self._flows.lane(path)

    def __reduce__(self) -> NoReturn:
        raise TypeError("signing keys are never pickled: load the policy again instead")

    def __deepcopy__(self, memo: object) -> Gate:
        return self

    def knowing(self, rules: Iterable[Rule]) -> Gate:
        """Return a gate that knows these rules too, for example the names an app was asked for."""
        return self._like(known=(*self._known, *rules))

    def _like(
        self,
        *,
        policy: Policy | None = None,
        known: tuple[Rule, ...] | None = None,
        locate: Locate | None = None,
    ) -> Gate:
        """Return a gate like this one but for what is given."""
        return type(self)(
            policy or self.policy,
            self._keys,
            known=self._known if known is None else known,
            locate=locate or self._locate,
            renderer=self._renderer,
        )

    def locating(self, locate: Locate, profiles: Callable[[], tuple[Profile, ...]]) -> Gate:
        """Return a gate that asks this callable first where a request comes from.

        `profiles` gives what counts where the policy says nothing of regions.
        """
        before, policy = self._locate, self.policy
        if policy.regions is None:
            policy = replace(policy, regions=Regions(profiles=profiles()))

        def either(request: Request) -> str | None:
            return locate(request) or (before(request) if before is not None else None)

        return self._like(policy=policy, locate=either)

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
        if self.states and request.local_path() == STATEMENT:
            return Reply(self.pages.statement(request))
        return self.admit(request, now, fresh_id, visit)

    def admit(
        self,
        request: Request,
        now: float,
        fresh_id: FreshId,
        visit: type[Visit] = Visit,
    ) -> Forward:
        """Take a request that can only be let through."""
        gated = self._site.gates(request)
        lane = self._elsewhere if self._flows.none else self.lane(request.routed_path())
        fields = request.values(b"cookie")
        cookies = lane.sorter.read(fields) if fields else None
        visitor = visit(self._site, request, now, fresh_id, cookies)
        if self._forbids and gated and _may_be_spared(request):
            return InFull(self._manner, lane, visitor, gated)
        return Forward(self._manner, lane, visitor, gated)

    def newcomer(self, visit: type[Visit] = Visit) -> Visit:
        """Return a visitor who granted nothing and cannot: for code that runs outside the gate."""
        visitor = visit(self._site, Request("GET", "/"), 0.0, bytes)
        visitor.stay_nowhere()
        return visitor

    def _own(self, path: str, request: Request, now: float, fresh_id: FreshId) -> Step:
        asset = self.pages.asset(path, request)
        if asset is not None:  # for everybody alike: nothing of the visitor is looked at
            return Reply(asset)
        fields = request.values(b"cookie")
        cookies = self._elsewhere.sorter.read(fields) if fields else None
        visit = Visit(self._site, request, now, fresh_id, cookies)
        response = self.pages.answer(path, visit, request)
        return NeedBody(self, path, visit) if response is None else self.reply(response, visit)

    def reply(self, response: Response, visit: Visit) -> Reply:
        """Return one of the gate's own answers, with what it tells the visitor's browser."""
        if response.status >= 400:
            return Reply(response)
        added = self.additions.to(visit, response.headers, visit.now, self._judge)
        headers = [*response.headers, *added.headers]
        return Reply(response._replace(headers=headers), added.receipt, added.decisions)


def _may_be_spared(request: Request) -> bool:
    """Say whether a document is asked for that the app need not send again in full."""
    return any(map(request.values, CONDITIONS)) and wants_document(request)
