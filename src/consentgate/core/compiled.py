"""What of a policy can be worked out once."""

from __future__ import annotations

from collections.abc import Sequence

from .http import Request
from .memo import Memo
from .own_cookie import OwnCookie, in_development
from .policy import NECESSARY, Category, Policy
from .token import Tokens


class Compiled:
    """A policy with its keys, ready to be asked about one request after another."""

    __slots__ = (
        "_allowed",
        "always",
        "categories",
        "development",
        "ids",
        "optional",
        "policy",
        "production",
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
        # By what was granted: with what is always allowed. Tokens give few different sets.
        self._allowed: Memo[frozenset[str], frozenset[str]] = Memo(256)
        self.tokens = Tokens(keys, sorted(self.optional))
        self.production = OwnCookie(policy, secure=policy.secure, domain=policy.domain)
        # A browser on localhost refuses the Domain of the real site.
        self.development = OwnCookie(policy, secure=False, domain="")

    def allowed(self, granted: frozenset[str]) -> frozenset[str]:
        """Return what may be used by whom these categories are granted."""
        found = self._allowed.young.get(granted)
        if found is None:
            found = self.always | granted
            self._allowed.put(granted, found)
        return found

    def own_cookie(self, request: Request) -> OwnCookie:
        """Return the form of the consent cookie that is written, and read, on this request."""
        if request.scheme == "https" or not in_development(request):
            return self.production
        return self.development

    def own_names(self) -> frozenset[bytes]:
        """Return the names under which the gate alone may set a cookie."""
        return frozenset((self.development.name, self.production.name))
