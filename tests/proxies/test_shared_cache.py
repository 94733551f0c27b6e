"""Behind nginx's cache nobody gets what was made for another, and what may be kept is still kept.

Visitors who accept, who refuse, who never chose and who come for the first time ask for all pages
in a random order (of a fixed seed), in rounds that each begin with nothing in the cache.
"""

from __future__ import annotations

import logging
import os
import random
import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from consentgate.testing import consent_cookie
from proxies.client import Answer, Client, deletes, pair
from proxies.nginx import Cache, Front, require_nginx, running
from proxies.site import HTML, PAGES, SHELLS, TRACKERS, Page, gate, served

_log = logging.getLogger(__name__)

# How many requests to each of the sites; `make caches` asks for more.
REQUESTS = int(os.environ.get("CONSENTGATE_CACHE_REQUESTS", "1500"))
PAGES_IN_A_ROUND = 24
REQUESTS_IN_A_ROUND = 250
CACHES: tuple[Cache, ...] = ("default", "ignoring")

ACCEPTING, REFUSING, UNDECIDED, NEWCOMER = "accepting", "refusing", "undecided", "newcomer"
VISITORS = (ACCEPTING, REFUSING, UNDECIDED, NEWCOMER)
WITH_STRAYS = (REFUSING, UNDECIDED)  # they hold what they have not allowed
OWN = "__Host-gate"


def _jars(tidy: bool) -> dict[str, dict[str, str]]:
    """What each visitor sends: all but the newcomer hold a session, and, unless tidy, trackers."""
    site = gate()
    jars = {who: {"sessionid": who} for who in (ACCEPTING, REFUSING, UNDECIDED)}
    for who in (ACCEPTING,) if tidy else jars:
        jars[who] |= dict.fromkeys(TRACKERS, who)
    jars[ACCEPTING] |= consent_cookie(site, "analytics", "marketing", secure=True)
    jars[REFUSING] |= consent_cookie(site, secure=True)
    return {**jars, NEWCOMER: {}}


class Step(NamedTuple):
    """One request of a run."""

    round: int
    page: Page
    visitor: str


class Seen(NamedTuple):
    """One request, and what was answered."""

    step: Step
    answer: Answer

    @property
    def cached(self) -> str:
        return self.answer.header("X-Cache")


def steps(requests: int, seed: str) -> list[Step]:
    """Return who asks for what. Every page has its turn before any has a second one."""
    choose = random.Random(seed)
    result: list[Step] = []
    deck: list[Page] = []
    round = 0
    while len(result) < requests:
        if len(deck) < PAGES_IN_A_ROUND:
            deck += choose.sample(PAGES, len(PAGES))
        pages, deck = deck[:PAGES_IN_A_ROUND], deck[PAGES_IN_A_ROUND:]
        result += (
            Step(round, choose.choice(pages), choose.choice(VISITORS))
            for _ in range(REQUESTS_IN_A_ROUND)
        )
        round += 1
    return result[:requests]


def run(port: int, plan: list[Step], *, tidy: bool = False) -> list[Seen]:
    """Send the requests, one after the other. Tidy visitors hold nothing that was refused."""
    jars = _jars(tidy)
    with Client(port) as client:
        return [
            Seen(
                step,
                client.ask(
                    f"{step.page.path}?round={step.round}{'-tidy' * tidy}",
                    cookies=jars[step.visitor],
                    headers={"X-Visitor": step.visitor},
                ),
            )
            for step in plan
        ]


@contextmanager
def cached_sites(shell: str, cache: Cache, folder: Path, *variants: str) -> Iterator[list[int]]:
    """Serve variants of the site behind one nginx, and yield its ports."""
    require_nginx()
    with ExitStack() as stack:
        upstreams = [
            stack.enter_context(served(shell, variant, folder / variant)) for variant in variants
        ]
        fronts = [Front(upstream, cache) for upstream in upstreams]
        yield stack.enter_context(running(*fronts))


class Runs(NamedTuple):
    """The same requests to the site with the gate and without; then those of tidy visitors."""

    cache: Cache
    gated: list[Seen]
    plain: list[Seen]
    tidy_gated: list[Seen]
    tidy_plain: list[Seen]


@pytest.fixture(
    scope="module",
    params=[(shell, cache) for shell in SHELLS for cache in CACHES],
    ids=lambda param: "-".join(param),
)
def runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """The runs in each configuration of the cache, under both shells."""
    shell, cache = request.param
    plan = steps(REQUESTS, f"{shell} {cache}")
    tidy_plan = steps(REQUESTS // 3, f"{shell} {cache}, tidy")
    with cached_sites(shell, cache, tmp_path_factory.mktemp("log"), "gated", "plain") as ports:
        result = Runs(
            cache,
            *(run(port, plan) for port in ports),
            *(run(port, tidy_plan, tidy=True) for port in ports),
        )
    for title, seen in result._asdict().items():
        if title != "cache":
            _log.info("%s, %s, %s: %s", shell, cache, title, hit_rates(seen))
    return result


def hit_rates(seen: list[Seen]) -> str:
    """Say how much came from the cache, of each kind of page: how many of how many."""
    kinds: dict[str, list[Seen]] = defaultdict(list)
    for one in seen:
        document = one.step.page.kind == "page" and may_delete(one.step.page)
        kinds["document" if document else one.step.page.kind].append(one)
    return ", ".join(
        f"{kind} {sum(one.cached == 'HIT' for one in some)}/{len(some)} ({hit_rate(some):.4f})"
        for kind, some in sorted(kinds.items())
    )


def hit_rate(seen: list[Seen]) -> float:
    """Return the part of the answers that came from the cache."""
    return sum(one.cached == "HIT" for one in seen) / max(1, len(seen))


# --- what a visitor may receive ------------------------------------------------------------------


def made_for_another(seen: Seen, cache: Cache) -> list[str]:
    """Say what of an answer was not meant for whom it reached; [] where all was."""
    page, visitor, answer = seen.step.page, seen.step.visitor, seen.answer
    accepts = visitor == ACCEPTING
    gone = {pair(line)[0] for line in answer.lines if deletes(line)}
    live = [line.decode("latin-1") for line in answer.lines if not deletes(line)]
    choices = [line for line in live if line.startswith(f"{OWN}=")]
    told = [line for line in live if line.startswith(f"{OWN}-choice=")]
    wrong = []
    if answer.status != page.status:
        wrong.append(f"status {answer.status}")
    if answer.body != page.body(visitor, accepts):
        wrong.append(f"body {answer.body!r}")
    # Whoever lets a proxy store answers with a session hands sessions on, gate or no gate.
    if not (page.kind == "session" and cache == "ignoring"):
        due = page.cookies(visitor)
        due = due if accepts else [line for line in due if line.startswith("sessionid=")]
        if [line for line in live if line not in (*choices, *told)] != due:
            wrong.append(f"cookies {live}")
    if gone and not (
        (visitor in WITH_STRAYS or (accepts and page.kind == "rejects"))
        and gone <= set(TRACKERS)
        and may_delete(page)
        and seen.cached != "HIT"
    ):
        wrong.append(f"deletions of {sorted(gone)}")
    # A refusal is written where a handler refuses, and where the gate counts what it deletes.
    due_choices = page.kind == "rejects" or (visitor == REFUSING and gone)
    if len(choices) > bool(due_choices) or (choices and seen.cached == "HIT"):
        wrong.append(f"choices {choices}")
    if page.kind == "rejects" and not choices:
        wrong.append("no choice")
    if len(told) != (page.kind == "rejects"):
        wrong.append(f"scripts are told {told}")
    return [f"{visitor} at {page.path}, {seen.cached}: {text}" for text in wrong]


def may_delete(page: Page) -> bool:
    """Say whether this page may carry deletions: a document, and none that shared caches keep."""
    return page.media == HTML and page.caching not in ("public", "shared", "immutable", "accel")


def found(seen: list[Seen], cache: Cache) -> list[str]:
    return [text for one in seen for text in made_for_another(one, cache)]


def told(seen: list[Seen]) -> list[object]:
    """What is to be equal with the gate and without."""
    return [(one.step, one.cached, one.answer.lines, one.answer.body) for one in seen]


def test_every_kind_of_page_is_seen_by_everybody(runs: Runs) -> None:
    """The run means something: each visitor gets each kind of page, and much comes from a cache."""
    kinds = {(page.kind, visitor) for page in PAGES for visitor in VISITORS}
    assert {(one.step.page.kind, one.step.visitor) for one in runs.gated} == kinds
    assert hit_rate([one for one in runs.plain if one.step.page.kind == "page"]) > 0.8


def test_nobody_receives_what_was_made_for_another(runs: Runs) -> None:
    """No live tracker, deletion, session, body or choice reaches anybody it was not made for."""
    assert found(runs.gated, runs.cache) == []
    assert found(runs.tidy_gated, runs.cache) == []


def test_what_was_refused_is_deleted_meanwhile(runs: Runs) -> None:
    """The run means something: whoever holds refused cookies gets deletions, and nobody else."""
    seen = [one for one in runs.gated if one.step.page.kind != "rejects"]
    got = {one.step.visitor for one in seen if any(map(deletes, one.answer.lines))}
    assert got == set(WITH_STRAYS)


def test_what_depended_on_the_visitor_is_never_kept(runs: Runs) -> None:
    """Pages with trackers, and those that read or change the consent, come from the site."""
    kinds = ("trackers", "mixed", "reads", "rejects")
    seen = [one for one in (*runs.gated, *runs.tidy_gated) if one.step.page.kind in kinds]
    assert {one.step.page.path for one in seen if one.cached == "HIT"} == set()


def test_pages_that_the_gate_leaves_alone_are_kept_as_before(runs: Runs) -> None:
    """Request by request they come from the cache with the gate exactly when they do without."""
    for gated, plain, pages in (
        (runs.gated, runs.plain, [page for page in UNTOUCHED if not may_delete(page)]),
        (runs.tidy_gated, runs.tidy_plain, UNTOUCHED),
    ):
        seen = told([one for one in gated if one.step.page in pages])
        assert seen == told([one for one in plain if one.step.page in pages])
        assert len(seen) > len(gated) / 5


UNTOUCHED = [page for page in PAGES if page.kind in ("page", "session")]


def test_documents_are_kept_as_soon_as_they_delete_nothing(runs: Runs) -> None:
    """A document with deletions is for one visitor; the first without is kept for everybody."""
    kept: set[tuple[int, Page]] = set()
    wrong = []
    for one in runs.gated:
        page = one.step.page
        if page.kind == "page" and may_delete(page):
            at = (one.step.round, page)
            if one.cached != ("HIT" if at in kept else "MISS"):
                wrong.append((one.step, one.cached))
            if one.step.visitor not in WITH_STRAYS:
                kept.add(at)
    assert wrong == []
    assert len(kept) > 20


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("cache", CACHES)
def test_a_gate_that_told_caches_nothing_would_be_found_out(
    shell: str, cache: Cache, tmp_path: Path
) -> None:
    """Against a gate without `Vary` and `private` the same requests find every kind of leak.

    As it comes, nginx keeps no answer that sets a cookie: there the accepting visitor misses what
    was stripped for another.
    """
    plan = steps(1000, f"{shell} {cache}")
    with cached_sites(shell, cache, tmp_path, "unmarked") as (port,):
        leaks = "\n".join(found(run(port, plan), cache))
    everything = {"body", "cookies", "deletions", "choices"}
    kinds = set(re.findall(r"accepting at /\S+, HIT: (\w+)", leaks))
    assert kinds == (everything if cache == "ignoring" else {"body", "cookies"})
    live = re.search(r"(refusing|newcomer) at /trackers/\S+, HIT: cookies .*_ga=accepting", leaks)
    assert bool(live) == (cache == "ignoring")
