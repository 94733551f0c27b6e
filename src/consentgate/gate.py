"""The gate as users make it: the core's, with the pages that come with the package."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .core.gate import Gate as PureGate
from .core.policy import Policy, Rule
from .core.regions import Locate
from .core.views import Renderer
from .pages.render import JinjaRenderer


class Gate(PureGate):
    """A policy, its keys and the names known without being listed, compiled.

    `keys`: the newest first, each of 32 bytes or more. `known`: rules of frameworks and of the
    app itself, beaten by any rule of the policy. `locate` says where a request comes from, in place
    of what the policy says. `renderer` makes the gate's pages and the banner. Raises ValueError for
    rules that tie, for keys that are missing or short, and for categories that a token could not
    tell apart. `load_gate` makes one of a file, and finds every mistake in it.
    """

    __slots__ = ()

    def __init__(
        self,
        policy: Policy,
        keys: Sequence[bytes],
        *,
        known: Iterable[Rule] = (),
        locate: Locate | None = None,
        renderer: Renderer | None = None,
    ) -> None:
        pages = renderer or JinjaRenderer(policy)
        super().__init__(policy, keys, known=known, locate=locate, renderer=pages)
