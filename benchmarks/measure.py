"""Timing: several contestants in one interleaved run, so that a busy machine slows them all alike.

Absolute times drift by a factor of two while a run lasts; the ratios of batches a few hundred
microseconds apart do not. So every round runs one small batch of each contestant, in an order
shuffled anew (from a fixed seed), and figures are medians over the rounds.
"""

from __future__ import annotations

import gc
import random
from collections.abc import Callable, Coroutine, Mapping
from statistics import median
from time import perf_counter_ns
from typing import Any

# Runs exchanges number `start` to `start + count` and says how many nanoseconds one of them took.
Batch = Callable[[int, int], float]
# What each contestant took per exchange, one figure for each round.
Rounds = dict[str, list[float]]

SEED = 20_261_123


def interleave(contestants: Mapping[str, Batch], *, rounds: int, batch: int) -> Rounds:
    """Run every contestant once a round, on the same exchanges, in shuffled order."""
    order = list(contestants)
    shuffle = random.Random(SEED).shuffle
    times: Rounds = {name: [] for name in order}
    for run in contestants.values():  # warm memories and the interpreter's inline caches
        run(0, batch)
    gc.collect()
    gc.disable()  # as timeit does: a collection would be charged to whoever happens to run
    try:
        for number in range(rounds):
            shuffle(order)
            for name in order:
                times[name].append(contestants[name](number * batch, batch))
    finally:
        gc.enable()
    return times


def added(times: Rounds, name: str, bare: str) -> float:
    """Return what `name` adds to `bare`, in nanoseconds an exchange."""
    return median(mine - theirs for mine, theirs in zip(times[name], times[bare], strict=True))


def ratio(times: Rounds, name: str, other: str, bare: str) -> float:
    """Return what `name` adds to its bare app, in units of what `other` adds to the same."""
    ratios = [
        (mine - base) / (theirs - base)
        for mine, theirs, base in zip(times[name], times[other], times[bare], strict=True)
        if theirs > base  # a round in which the machine was away says nothing
    ]
    return median(ratios) if ratios else float("nan")


def per_exchange(seconds_of: Callable[[], object]) -> float:
    """Return the nanoseconds that one call takes."""
    start = perf_counter_ns()
    seconds_of()
    return float(perf_counter_ns() - start)


def drive(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine that never waits for anything: no event loop to be timed along."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise RuntimeError("a benchmark waited for something")
