"""What the gate costs: whole exchanges in one process, without a server, and its start.

    python benchmarks/exchange.py [--quick] [--json FILE]

Prints one table of figures, each with the target it has to meet where there is one. How to read
them: benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import json
import logging
import platform
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter_ns, time
from typing import Any

from itsdangerous import TimestampSigner

import contestants as on
import policies
from consentgate import Category, Gate, Policy, Rule, asgi, load_gate, wrap, wsgi
from consentgate.core.consent import Consent
from consentgate.core.policy import Csp
from consentgate.presets import necessary_rules
from measure import SEED, Rounds, added, interleave, ratio


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the table. Without a target it is there for information."""

    group: str
    name: str
    value: float
    unit: str = "times"
    target: float | None = None

    @property
    def passed(self) -> bool | None:
        return None if self.target is None else self.value <= self.target


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How long to measure."""

    rounds: int
    batch: int
    pool: int  # different requests
    visitors: int
    many: int  # rules in a large policy
    flood: int  # never-seen names in one exchange
    starts: int


FULL = Effort(rounds=800, batch=50, pool=4000, visitors=500, many=10_000, flood=180, starts=7)
QUICK = Effort(rounds=3, batch=5, pool=20, visitors=5, many=200, flood=20, starts=1)


# --- what visitors send and apps answer -----------------------------------------------------------

PLAIN_REQUEST: on.Headers = [
    (b"host", b"shop.example"),
    (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
    (b"accept", b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    (b"accept-language", b"en-GB,en;q=0.7,de;q=0.3"),
    (b"accept-encoding", b"gzip, deflate, br"),
    (b"x-forwarded-for", b"203.0.113.9"),
]


def gate_for(policy: Policy) -> Gate:
    return Gate(policy, [policies.KEY], known=necessary_rules())


def consent_cookies(gate: Gate, count: int) -> list[bytes]:
    """Return the consent cookies of visitors who granted analytics and refused marketing."""
    at = int(time()) - 3600
    return [
        b"__Host-gate="
        + gate.site.tokens.write(
            Consent(
                granted=frozenset({"analytics", "preferences"}),
                denied=frozenset({"marketing"}),
                id=f"{number:020x}",
                decided_at=at + number,
            )
        )
        for number in range(count)
    ]


def with_cookies(gate: Gate, effort: Effort) -> list[on.Headers]:
    """Return requests with eight cookies, no two of them with the same Cookie header."""
    random = Random(SEED)
    tokens = consent_cookies(gate, effort.visitors)
    signer = TimestampSigner(on.SESSION_KEY)
    requests: list[on.Headers] = []
    for number in range(effort.pool):
        session = b64encode(json.dumps({"visits": number, "user": number % 77}).encode())
        cookies = [
            b"csrftoken=%032x" % random.getrandbits(128),
            b"language=en",
            b"_ga=GA1.1.%d.%d" % (random.getrandbits(30), random.getrandbits(30)),
            b"_ga_QW3RTY=GS2.1.s%d$o3$g1" % random.getrandbits(30),
            tokens[number % len(tokens)],
            b"session=" + signer.sign(session),
            b"basket=%016x" % random.getrandbits(64),
            b"theme=dark",
        ]
        requests.append([*PLAIN_REQUEST, (b"cookie", b"; ".join(cookies))])
    return requests


# One strictly necessary, one granted, one refused.
THREE = [
    [
        b"sessionid=9f8e7d6c5b4a39281706f5e4d3c2b1a0; HttpOnly; Path=/; SameSite=Lax; Secure",
        b"_ga=GA1.1.1234567.7654321; Path=/; Max-Age=34128000; SameSite=Lax",
        b"_fbp=fb.1.1596403881668.1116446470; Path=/; Max-Age=7776000; Domain=shop.example",
    ]
]
NOTHING: list[list[bytes]] = [[]]


def floods(effort: Effort) -> list[list[bytes]]:
    """Return answers that each set as many cookies, under names that were never seen before.

    The gate remembers some 2,000 names at most, so going round them again is as good as new.
    """
    random = Random(SEED)
    return [
        [b"%x_v%d=1; Path=/" % (random.getrandbits(48), at) for at in range(effort.flood)]
        for _ in range(40)
    ]


# --- the exchanges --------------------------------------------------------------------------------


def gated(app: on.App, gate: Gate) -> on.App:
    return asgi.ConsentMiddleware(app, gate)


def nothing_to_do(effort: Effort) -> Iterator[Figure]:
    gate = gate_for(policies.shop())
    requests = [list(PLAIN_REQUEST) for _ in range(effort.pool)]
    apps = {
        "bare": on.bare(NOTHING),
        "scan": on.ScanOnly(on.bare(NOTHING)),
        "lean": on.LeanScan(on.bare(NOTHING)),
        "gate": gated(on.bare(NOTHING), gate),
        "wrap": wrap(on.bare(NOTHING), gate),
        "session": on.SessionMiddleware(on.bare(NOTHING), on.SESSION_KEY),
    }
    times = _race({name: on.asgi_batch(app, requests) for name, app in apps.items()}, effort)
    group = "no cookies either way"
    yield from _table(group, times, scan_target=3)
    yield Figure(
        group=group,
        name="wrap(), to scan-only",
        value=ratio(times, "wrap", "scan", "bare"),
        target=3,
    )
    yield Figure(
        group=group, name="gate, to the leanest scan", value=ratio(times, "gate", "lean", "bare")
    )


def three_cookies(effort: Effort) -> Iterator[Figure]:
    gate = gate_for(policies.shop())
    requests = with_cookies(gate, effort)
    apps = {
        "bare": on.bare(THREE),
        "scan": on.ScanOnly(on.bare(THREE)),
        "lean": on.LeanScan(on.bare(THREE)),
        "gate": gated(on.bare(THREE), gate),
        "wrap": wrap(on.bare(THREE), gate),
        "session": on.with_session(on.bare(THREE)),
    }
    times = _race({name: on.asgi_batch(app, requests) for name, app in apps.items()}, effort)
    group = "consent cookie, 3 Set-Cookie, 1 dropped"
    yield from _table(group, times, scan_target=8, session_target=0.4)
    yield Figure(
        group=group,
        name="wrap(), to scan-only",
        value=ratio(times, "wrap", "scan", "bare"),
        target=8,
    )
    yield Figure(
        group=group,
        name="wrap(), to SessionMiddleware",
        value=ratio(times, "wrap", "session", "bare"),
        target=0.4,
    )
    yield Figure(
        group=group, name="gate, to the leanest scan", value=ratio(times, "gate", "lean", "bare")
    )


def documents(effort: Effort) -> Iterator[Figure]:
    off = policies.shop()
    sources = ("https://a.example", "https://b.example")
    categories = tuple(replace(one, sources=sources) for one in off.categories)
    enforced = replace(off, categories=categories, csp=Csp(mode="enforce"))
    for group, answers in (("no Set-Cookie", NOTHING), ("3 Set-Cookie", THREE)):
        contest = {
            name: on.asgi_batch(app, with_cookies(gate, effort))
            for name, app, gate in (
                ("bare", on.bare(answers), gate_for(off)),
                *(
                    (name, gated(on.bare(answers), gate), gate)
                    for name, gate in (("off", gate_for(off)), ("enforced", gate_for(enforced)))
                ),
            )
        }
        times = _race(contest, effort)
        title = f"documents with [csp], {group}"
        yield Figure(
            group=title, name="enforced, to off", value=ratio(times, "enforced", "off", "bare")
        )
        for name in ("off", "enforced"):
            value = added(times, name, "bare") / 1000
            yield Figure(group=title, name=f"added, {name}", value=value, unit="µs")


def many_rules(effort: Effort) -> Iterator[Figure]:
    for mix in policies.MIXES:
        few, many = (gate_for(policies.of_many(count, mix)) for count in (10, effort.many))
        apps = {
            "bare": (on.bare(THREE), few),
            "few": (gated(on.bare(THREE), few), few),
            "many": (gated(on.bare(THREE), many), many),
        }
        # Each with its own choices: what is told of a category is part of what was agreed to.
        contest = {
            name: on.asgi_batch(app, with_cookies(gate, effort))
            for name, (app, gate) in apps.items()
        }
        times = _race(contest, effort)
        yield Figure(
            group=f"the same, {effort.many:,} rules to 10",
            name=mix,
            value=ratio(times, "many", "few", "bare"),
            target=1.1,
        )


def never_seen(effort: Effort) -> Iterator[Figure]:
    flood = floods(effort)
    for mix in policies.MIXES:
        few, many = (gate_for(policies.of_many(count, mix)) for count in (10, effort.many))
        names = [b"; ".join(line.partition(b";")[0] for line in lines) for lines in flood]
        requests = [[*PLAIN_REQUEST, (b"cookie", cookies)] for cookies in names]
        apps = {
            "bare": on.bare(flood),
            "few": gated(on.bare(flood), few),
            "many": gated(on.bare(flood), many),
        }
        contest = {name: on.asgi_batch(app, requests) for name, app in apps.items()}
        times = interleave(contest, rounds=max(3, effort.rounds // 8), batch=2)
        group = f"{effort.flood} never-seen names, {effort.many:,} rules to 10"
        yield Figure(group=group, name=mix, value=ratio(times, "many", "few", "bare"), target=2)
        each = added(times, "many", "bare") / effort.flood / 1000
        yield Figure(group=group, name=f"{mix}: each name", value=each, unit="µs")


# --- hostile names --------------------------------------------------------------------------------


def hostile_policies() -> dict[str, list[str]]:
    """Return sets of patterns that make matchers backtrack, or compare too often."""
    return {
        "*a*a*a*a*b": ["*a*a*a*a*b"],
        "six asterisks": ["*a*a*a*a*a*a*b"],
        "2,000 inner globs": [f"*a*{policies._word(number)}{number}*b" for number in range(2000)],
        "2,000 globs of a": ["*" + "a" * length + "*b*" for length in range(1, 250)]
        + [f"*a*{number:04x}*" for number in range(1751)],
        "2,000 prefixes": ["a" * length + "*" for length in range(1, 250)]
        + [f"a{number:04x}*" for number in range(1751)],
        "2,000 endings": ["*" + "a" * length for length in range(1, 250)]
        + [f"*a{number:04x}" for number in range(1751)],
    }


def hostile_names(length: int) -> dict[str, bytes]:
    every = b"".join(b"%04x" % number for number in range(2000))
    words = b"".join(policies._word(number).encode() + b"%d" % number for number in range(2000))
    return {
        "a…a": b"a" * length,
        "a…ab": b"a" * (length - 1) + b"b",
        "ab…ab": b"ab" * (length // 2),
        "numbers": every[:length],
        "words": words[:length],
    }


def hostile(effort: Effort) -> Iterator[Figure]:
    for length, target in ((4096, 1.0), (1024, None)):
        worst: dict[str, float] = {}
        for title, patterns in hostile_policies().items():
            rules = tuple(Rule(name=name, category="marketing") for name in patterns)
            gate = gate_for(
                Policy(version="1", categories=(Category(id="marketing", rules=rules),))
            )
            for name in hostile_names(length).values():
                lines = [[name + b"=1; Path=/"]]
                apps = {"bare": on.bare(lines), "gate": gated(on.bare(lines), gate)}
                contest = {key: on.asgi_batch(app, [PLAIN_REQUEST]) for key, app in apps.items()}
                times = interleave(contest, rounds=max(3, effort.rounds // 40), batch=2)
                worst[title] = max(worst.get(title, 0.0), added(times, "gate", "bare") / 1e6)
        for title, value in worst.items():
            yield Figure(
                group=f"one hostile name of {length:,} bytes, worst of five",
                name=title,
                value=value,
                unit="ms",
                target=target,
            )


# --- what is on the device ------------------------------------------------------------------------


def twenty_cookies(gate: Gate, effort: Effort, visitors: int) -> list[on.Headers]:
    """Return requests with twenty cookies each, of which three are refused."""
    random = Random(SEED)
    tokens = consent_cookies(gate, min(effort.visitors, visitors))
    signer = TimestampSigner(on.SESSION_KEY)
    requests: list[on.Headers] = []
    for number in range(visitors):
        session = b64encode(json.dumps({"visits": number, "user": number % 77}).encode())
        cookies = [
            b"csrftoken=%032x" % random.getrandbits(128),
            b"_ga=GA1.1.%d.%d" % (random.getrandbits(30), random.getrandbits(30)),
            b"_fbp=fb.1.%d" % random.getrandbits(30),
            b"_gcl_au=1.1.%d" % random.getrandbits(30),
            tokens[number % len(tokens)],
            b"session=" + signer.sign(session),
            b"_fbc=fb.1.%d" % random.getrandbits(30),
            *(b"view_%d=%016x" % (at, random.getrandbits(64)) for at in range(13)),
        ]
        requests.append([*PLAIN_REQUEST, (b"cookie", b"; ".join(cookies))])
    return [requests[number % visitors] for number in range(effort.pool)]


def on_the_device(effort: Effort) -> Iterator[Figure]:
    gate = gate_for(policies.shop())
    for title, visitors, target in (
        ("the same ones again", min(200, effort.visitors), 6.0),
        ("each header different", effort.pool, None),
    ):
        requests = twenty_cookies(gate, effort, visitors)
        for what, answer, wanted in (
            ("hiding and expiring", on.bare(NOTHING), target),
            ("hiding alone", on.bare(NOTHING, b"application/json"), None),
        ):
            apps = {
                "bare": answer,
                "scan": on.ScanOnly(answer),
                "gate": gated(answer, gate),
                "session": on.with_session(answer),
            }
            batches = {name: on.asgi_batch(app, requests) for name, app in apps.items()}
            group = f"{what}: 20 cookies, 3 refused, {title}"
            yield from _table(group, _race(batches, effort), scan_target=wanted)


def large_headers(effort: Effort) -> Iterator[Figure]:
    """Names never seen before, in headers of 6.5 and 65 KB."""
    shapes = {
        "180 cookies, as many as a browser keeps": (180, b"name_%d"),
        "512 cookies, as many as are looked at": (512, b"n%d"),
        "512 refused ones": (512, b"_ga_%d"),
        "32,000 semicolons": (32_000, b""),
    }
    for title, (count, name) in shapes.items():
        took = {}
        for size in (6_500, 65_000):
            count_here = count * size // 65_000
            best = float("inf")
            for start in range(effort.starts):
                pairs = [
                    (name % (start * 1000 + at) if name else b"").ljust(8, b"_") + b"="
                    if name
                    else b""
                    for at in range(count_here)
                ]
                room = max(0, size // count_here - 12) if name else 0
                header = b"; ".join(pair + b"v" * room for pair in pairs)
                request = [*PLAIN_REQUEST, (b"cookie", header)]
                contest = {
                    key: on.asgi_batch(app, [request])
                    for key, app in {
                        "bare": on.bare(NOTHING),
                        "gate": gated(on.bare(NOTHING), gate_for(policies.shop())),
                    }.items()
                }
                best = min(best, contest["gate"](0, 1) - contest["bare"](0, 1))
            took[size] = best / 1e6
        group = "a Cookie header of 64 KiB"
        yield Figure(group=group, name=title, value=took[65_000], unit="ms", target=5)
        yield Figure(
            group=group, name="  to one of a tenth", value=took[65_000] / took[6_500], target=15
        )


# --- start-up -------------------------------------------------------------------------------------

ENVIRON = {"CONSENTGATE_SECRET": policies.KEY.decode()}


def loading(effort: Effort) -> Iterator[Figure]:
    count = min(effort.many, 2000)
    forms = {"name lists": policies.as_name_lists, "[[cookies]] tables": policies.as_tables}
    with TemporaryDirectory() as folder:
        for (form, write), mix in product(forms.items(), policies.MIXES):
            path = Path(folder, "policy.toml")
            path.write_text(write(policies.of_many(count, mix)), "utf-8")
            value = _least(effort, partial(load_gate, path, environ=ENVIRON)) / 1e6
            yield Figure(
                group=f"loading a file of {count:,} rules",
                name=f"{form}: {mix}",
                value=value,
                unit="ms",
                target=100,
            )
        path.write_text(policies.as_name_lists(policies.shop()), "utf-8")

        def start() -> None:
            app = wrap(on.bare(NOTHING), path, environ=ENVIRON)
            on.asgi_batch(app, [PLAIN_REQUEST])(0, 1)

        group = "start-up"
        value = _least(effort, start) / 1e6
        yield Figure(
            group=group, name="wrap() and the first request, 23 rules", value=value, unit="ms"
        )
        for module in ("consentgate", "consentgate.asgi", "consentgate.wsgi"):
            value = _import_time(module, effort)
            yield Figure(group=group, name=f"import {module}", value=value, unit="ms")


def _least(effort: Effort, act: Callable[[], object]) -> float:
    """Return the fewest nanoseconds that it took: whatever came on top was not ours."""
    act()
    times = []
    for _ in range(effort.starts):
        start = perf_counter_ns()
        act()
        times.append(perf_counter_ns() - start)
    return float(min(times))


def _import_time(module: str, effort: Effort) -> float:
    code = (
        "from time import perf_counter_ns as now; start = now(); "
        f"import {module}; print(now() - start)"
    )
    runs = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, timeout=60)
        for _ in range(effort.starts + 1)
    ]
    return min(int(run.stdout) for run in runs) / 1e6


# --- WSGI -----------------------------------------------------------------------------------------


def under_wsgi(effort: Effort) -> Iterator[Figure]:
    gate = gate_for(policies.shop())
    cases = {
        "WSGI, no cookies either way": (NOTHING, [list(PLAIN_REQUEST)]),
        "WSGI, consent cookie, 3 Set-Cookie": (THREE, with_cookies(gate, effort)),
    }
    for group, (answers, requests) in cases.items():
        apps = {
            "bare": on.bare_wsgi(answers),
            "scan": on.ScanOnlyWsgi(on.bare_wsgi(answers)),
            "gate": wsgi.ConsentMiddleware(on.bare_wsgi(answers), gate),
            "wrap": wrap(on.bare_wsgi(answers), gate),
        }
        times = _race({name: on.wsgi_batch(app, requests) for name, app in apps.items()}, effort)
        yield from _table(group, times)


# --- the table ------------------------------------------------------------------------------------


def _race(contest: dict[str, on.Batch], effort: Effort) -> Rounds:
    return interleave(contest, rounds=effort.rounds, batch=effort.batch)


def _table(
    group: str,
    times: Rounds,
    scan_target: float | None = None,
    session_target: float | None = None,
) -> Iterator[Figure]:
    yield Figure(
        group=group,
        name="gate, to scan-only",
        value=ratio(times, "gate", "scan", "bare"),
        target=scan_target,
    )
    if "session" in times:
        yield Figure(
            group=group,
            name="gate, to SessionMiddleware",
            value=ratio(times, "gate", "session", "bare"),
            target=session_target,
        )
    yield Figure(group=group, name="the bare app", value=median(times["bare"]) / 1000, unit="µs")
    for name in times:
        if name != "bare":
            value = added(times, name, "bare") / 1000
            yield Figure(group=group, name=f"added by {name}", value=value, unit="µs")


PARTS: dict[str, Callable[[Effort], Iterator[Figure]]] = {
    "nothing": nothing_to_do,
    "three": three_cookies,
    "documents": documents,
    "rules": many_rules,
    "flood": never_seen,
    "hostile": hostile,
    "device": on_the_device,
    "large": large_headers,
    "load": loading,
    "wsgi": under_wsgi,
}


def show(figure: Figure) -> str:
    target = "" if figure.target is None else f"<= {figure.target:g}"
    verdict = {None: "", True: "pass", False: "FAIL"}[figure.passed]
    return f"  {figure.name:<56}{figure.value:>9.2f} {figure.unit:<6}{target:>7}  {verdict}"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a few seconds: figures mean nothing")
    parser.add_argument("--json", metavar="FILE", help="write the figures there too")
    parser.add_argument("--only", choices=PARTS, action="append", help="measure this part only")
    chosen = parser.parse_args(arguments)
    effort = QUICK if chosen.quick else FULL
    logging.getLogger("consentgate").setLevel(logging.CRITICAL)
    print(f"{platform.python_implementation()} {platform.python_version()}", flush=True)
    figures: list[Figure] = []
    for name in chosen.only or PARTS:
        for figure in PARTS[name](effort):
            if not figures or figures[-1].group != figure.group:
                print(figure.group)
            print(show(figure), flush=True)
            figures.append(figure)
    if chosen.json:
        result: dict[str, Any] = {
            "python": platform.python_version(),
            "quick": chosen.quick,
            "figures": [{**asdict(figure), "passed": figure.passed} for figure in figures],
        }
        Path(chosen.json).write_text(
            json.dumps(result, indent=2, ensure_ascii=False) + "\n", "utf-8"
        )
    return 1 if any(figure.passed is False for figure in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
