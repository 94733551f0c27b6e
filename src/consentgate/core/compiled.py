"""What of a policy can be worked out once."""

from __future__ import annotations

from collections.abc import Sequence

from .http import Request
from .own_cookie import OwnCookie, in_development
from .policy import NECESSARY, Category, Policy
from .token import Tokens


class Compiled:
    """A policy with its keys, ready to be asked about one request after another."""

    __slots__ = (
        "_development",
        "_production",
        "always",
        "categories",
        "ids",
        "optional",
        "policy",
        "tokens",
    )

    def __init__(self, policy: Policy, keys: Sequence[bytes]) -> None:
        categories = policy.categories
        if not any(category.always for category in categories):
            implied = Category(id=NECESSARY, title="Strictly necessary", always=True)
            categories = (implied, *categories)
        self.policy = policy
        self.categories = categories
        self.ids = tuple(category.id for category in categories)
        self.always = frozenset(category.id for category in categories if category.always)
        self.optional = frozenset(self.ids) - self.always
        self.tokens = Tokens(keys, sorted(self.optional))
        self._development = OwnCookie(policy, secure=False)
        self._production = OwnCookie(policy, secure=policy.secure)

    def own_cookie(self, request: Request) -> OwnCookie:
        """Return the form of the consent cookie that is written, and read, on this request."""
        return self._development if in_development(request) else self._production

    def own_names(self) -> frozenset[bytes]:
        """Return the names under which the gate alone may set a cookie."""
        return frozenset((self._development.name, self._production.name))
