"""From what `wrap` is given as configuration to a gate: one for a site, or one for each host."""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Callable, Mapping
from traceback import format_exception_only

from .config import gate_of, load_gate
from .core.gate import Forward, Gate, Reply, Step
from .core.http import Request
from .core.memo import Memo
from .core.policy import Policy, Rule
from .core.regions import Locate
from .core.visit import Visit
from .handler import RequestConsent
from .law import profiles
from .presets import necessary_rules
from .state import Nobody

_log = logging.getLogger("consentgate")

Config = str | os.PathLike[str] | Policy | Gate


def gate_from(
    config: Config, environ: Mapping[str, str] | None, locate: Locate | None = None
) -> Gate:
    """Return the gate that a path, a Policy or a Gate means. Raises ConfigError.

    `locate` is asked where a request comes from; the built-in profiles say what the law is there,
    unless the policy says something of regions.
    """
    if isinstance(config, Gate):
        gate = config
    elif isinstance(config, Policy):
        gate = gate_of(config, environ=environ)
    else:
        gate = load_gate(config, environ=environ)
    return gate if locate is None else gate.locating(locate, profiles)


class _NoSite(Gate):
    """The gate of a host without a policy: no category is unknown to it, and each is refused.

    Nothing can be chosen there: its answer would replace a choice that it cannot read.
    """

    __slots__ = ()

    def begin(
        self,
        request: Request,
        now: float,
        fresh_id: Callable[[], bytes],
        visit: type[Visit] = RequestConsent,
    ) -> Step:
        step = super().begin(request, now, fresh_id, visit)
        if isinstance(step, Forward):
            return step
        return Reply(self.pages.refuse(request, 503, "There are no choices here at the moment."))

    def admit(
        self,
        request: Request,
        now: float,
        fresh_id: Callable[[], bytes],
        visit: type[Visit] = RequestConsent,
    ) -> Forward:
        return super().admit(request, now, fresh_id, Nobody)


class Sites:
    """Several sites in one process: a gate for each answer of the operator's callable."""

    __slots__ = ("_choose", "_environ", "_fallback", "_gates", "_locate", "_rules", "_said")

    def __init__(
        self,
        choose: Callable[[str], Config],
        environ: Mapping[str, str] | None,
        rules: list[Rule],
        locate: Locate | None = None,
    ) -> None:
        self._choose = choose
        self._locate = locate
        self._environ = environ
        self._rules = rules
        self._gates: Memo[object, tuple[object, Gate]] = Memo(256)
        self._said: set[str] = set()
        # For a host of which the operator says nothing: what frameworks need, and nothing else.
        self._fallback = _NoSite(
            Policy(version="", hide=False),
            [secrets.token_bytes(32)],
            known=(*necessary_rules(), *rules),
        )

    def __call__(self, host: str) -> Gate:
        try:
            config = self._choose(host)
            # By path, or by the very object: a host is the visitor's word and is no key.
            key = os.fspath(config) if isinstance(config, (str, os.PathLike)) else id(config)
            found = self._gates.get(key)
            if found is not None and (isinstance(key, str) or found[0] is config):
                return found[1]
            gate = gate_from(config, self._environ, self._locate).knowing(self._rules)
            self._gates.put(key, (config, gate))
        except Exception as error:  # the operator's code: whatever it does, the page is served
            # A visitor who makes up hosts must not fill the log.
            text = "".join(format_exception_only(error))[:200]
            if text not in self._said and len(self._said) < 100:
                self._said.add(text)
                _log.exception("no policy for this host: only strictly necessary cookies leave")
            return self._fallback
        return gate
