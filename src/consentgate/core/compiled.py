"""What of a policy can be worked out once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from .assets import Assets, assets_of
from .guard import told_to_guard
from .http import Request
from .matcher import PathMatcher
from .memo import Memo
from .modes import told_to_modes
from .own_cookie import OwnCookie, in_development
from .policy import NECESSARY, Category, Policy, Rule
from .regions import Atlas, Locate, Locator
from .revision import revision_of, stamp
from .sources import fixed_sources, sourced
from .standing import Standings
from .token import Tokens
from .views import Renderer

# That a signal was sent is kept apart from the choice. It is a no and nothing else, so it may be
# written by mere visiting and needs no signature; a choice that grants something is never written
# so, for a slow answer could bring back a yes that was taken back meanwhile.
SIGNAL = "-optout"
# What the site's scripts may know of the choice: see `companion`.
COMPANION = "-choice"


class Compiled:
    """A policy with its keys, ready to be asked about one request after another.

    `lenient`: there are places where something optional may be used without consent. `plain`: what
    a visitor granted is all that is allowed, wherever they are and whatever they signal.
    `renderer` is None where there are no pages. `known` are rules beside the policy's: scripts are
    told of them.
    """

    __slots__ = (
        "_allowed",
        "_assets",
        "_companions",
        "_excluded",
        "_signals",
        "always",
        "atlas",
        "bound",
        "categories",
        "development",
        "ids",
        "key_tags",
        "lenient",
        "locate",
        "optional",
        "plain",
        "policy",
        "production",
        "renderer",
        "revisions",
        "signal_names",
        "sold",
        "stamps",
        "standings",
        "tokens",
    )

    def __init__(
        self,
        policy: Policy,
        keys: Sequence[bytes],
        locate: Locate | None = None,
        renderer: Renderer | None = None,
        known: Iterable[Rule] = (),
    ) -> None:
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
        self.revisions = {one.id: revision_of(one) for one in categories if not one.always}
        self.stamps = {
            one.id: tuple(map(stamp, (self.revisions[one.id], *one.honours)))
            for one in categories
            if not one.always
        }
        # By which scripts know whether a choice was signed with a key that is still in use.
        self.key_tags = tuple(
            hashlib.blake2b(key, digest_size=2, person=b"companion").hexdigest() for key in keys
        )
        self.tokens = Tokens(keys, sorted(self.optional), self.stamps)
        self.standings = Standings(categories, signal_refuses=policy.gpc.opt_in == "refuse")
        self.sold = self.standings.sold
        self.atlas = Atlas(policy.regions.profiles if policy.regions is not None else ())
        self.locate = Locator(policy.regions, locate)
        self._excluded = PathMatcher(policy.exclude) if policy.exclude else None
        # What a document lets in or keeps out by itself, until it is asked for again: see `csp`.
        enforced = policy.mode == "enforce" and policy.csp.mode == "enforce"
        bound = sourced(categories, fixed_sources(categories)) if enforced else ()
        self.bound = frozenset(one.id for one in bound)
        self.lenient = self.standings.lets_unasked(self.atlas.lenient)
        self.plain = not self.lenient and not self.sold
        self.production = OwnCookie(policy, secure=policy.secure, domain=policy.domain)
        # A browser on localhost refuses the Domain of the real site.
        self.development = OwnCookie(policy, secure=False, domain="")
        # In whichever form the mark of a signal comes, it is a no.
        self.signal_names = tuple(
            (prefix + policy.cookie + SIGNAL).encode() for prefix in ("__Host-", "")
        )
        self._signals = self._forms(policy, SIGNAL)
        self._companions = self._forms(policy, COMPANION, readable=True)
        self.renderer = renderer
        self._assets: dict[OwnCookie, Assets] = {}
        if renderer is not None:
            guard = {
                **told_to_guard(policy, categories, known, self.own_names()),
                **told_to_modes(policy.consent_mode, categories),
            }
            self._assets = {
                form: assets_of(
                    renderer,
                    self._told_to_scripts(companion),
                    self._told_to_banner(),
                    guard,
                )
                for form, companion in self._companions.items()
            }

    def _forms(
        self, policy: Policy, suffix: str, *, readable: bool = False
    ) -> dict[OwnCookie, OwnCookie]:
        """Return a cookie of ours that goes with the consent cookie, for each form of that."""
        return {
            self.production: OwnCookie(
                policy,
                secure=policy.secure,
                domain=policy.domain,
                suffix=suffix,
                readable=readable,
            ),
            self.development: OwnCookie(
                policy, secure=False, domain="", suffix=suffix, readable=readable
            ),
        }

    def _told_to_scripts(self, companion: OwnCookie) -> dict[str, object]:
        """Return what scripts must know to decide as the gate does; the same for everybody."""
        policy = self.policy
        return {
            "name": companion.name.decode(),
            "mirror": policy.mirror,
            "accepted": policy.accepted_for,
            "refused": policy.refused_for,
            # An absent choice means a no, but for where something may be used unasked.
            "asks": self.lenient,
            "signals": ["globalPrivacyControl", *(["doNotTrack"] if policy.gpc.dnt else [])],
            "keys": list(self.key_tags),
            "always": sorted(self.always),
            "sold": sorted(self.sold),
            "categories": {
                id: [f"{one:04x}" for one in self.stamps[id]] for id in sorted(self.optional)
            },
        }

    def _told_to_banner(self) -> dict[str, object]:
        """Return what the script of the banner must know beside that."""
        return {
            "version": self.policy.version,
            "prefix": self.policy.prefix,
            # Whether a signal is a no to everything, so that there is nothing to ask.
            "quiet": not self.sold or self.policy.gpc.opt_in == "refuse",
            "free": sorted(self.optional - self.bound),
        }

    def revision(self, id: str, stamped: int | None = None) -> str:
        """Return a category's revision, or the earlier one, still honoured, of this stamp."""
        if stamped is None:
            return self.revisions[id]
        category = self.policy.category(id)
        assert category is not None
        return next(text for text in category.honours if stamp(text) == stamped)

    def allowed(self, granted: frozenset[str]) -> frozenset[str]:
        """Return what may be used by whom these categories are granted."""
        found = self._allowed.young.get(granted)
        if found is None:
            found = self.always | granted
            self._allowed.put(granted, found)
        return found

    def gates(self, request: Request) -> bool:
        """Say whether the gate has a say on the path that is asked for."""
        excluded = self._excluded
        return excluded is None or not excluded.matches(request.routed_path())

    def own_cookie(self, request: Request) -> OwnCookie:
        """Return the form of the consent cookie that is written, and read, on this request."""
        if request.scheme == "https" or not in_development(request):
            return self.production
        return self.development

    def signal_cookie(self, request: Request) -> OwnCookie:
        """Return the cookie that says that a signal was sent with an earlier request."""
        return self._signals[self.own_cookie(request)]

    def companion_cookie(self, request: Request) -> OwnCookie:
        """Return the cookie that tells the site's scripts of the choice."""
        return self._companions[self.own_cookie(request)]

    def assets(self, request: Request) -> Assets | None:
        """Return the script and the style; None where there are no pages."""
        return self._assets.get(self.own_cookie(request))

    def other_names(self, name: bytes) -> tuple[bytes, ...]:
        """Return the names of the consent cookie in its other forms."""
        names = (b"__Host-" + self.development.name, self.development.name)
        return tuple(one for one in names if one != name)

    def own_names(self) -> frozenset[bytes]:
        """Return the names under which the gate alone may set a cookie."""
        kinds = (self._signals, self._companions)
        names = {one.name for kind in kinds for each in kind.items() for one in each}
        # In the other form, too, which was theirs if `domain` or `secure` was another before.
        return frozenset(names | {b"__Host-" + one for one in names if one[:2] != b"__"})
