"""What a handler sees of the visitor: the core's Visit, with a clock face and a voice."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from datetime import UTC, datetime

from markupsafe import Markup

from .core import embeds, front
from .core.visit import Visit

_log = logging.getLogger("consentgate")
_MAX_FAILURES = 20
_told: set[str] = set()
_failures: set[type[Exception]] = set()


class RequestConsent(Visit):
    """The visitor's consent, as `request.state.consent`.

    Read `allows("analytics")`, `choice("analytics")`, `granted`, `decided`, `needs_choice`, `id`,
    `decided_at`, `version`, `region`, `gpc`; change it with `reject_all()`, `withdraw()`,
    `accept_all()` and `set(analytics=True)`. What it is when the response starts is what counts.
    In a template, first in the head: `{{ request.state.consent.head() }}`, and near the start of
    the body: `{{ request.state.consent.banner() }}`.
    """

    __slots__ = ()

    @property
    def decided_at(self) -> datetime | None:
        """When the choice was made (aware, UTC); a refusal knows only its day."""
        seconds = self.decided_on
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)

    def banner(self, language: str = "", *, inline: bool = False, nonce: str = "") -> Markup:
        """Return the banner, where there is something to ask, and the script that goes with it.

        `language` is that of the page (a BCP 47 tag); without it, the browser's. `inline` writes
        script and style into the page, for which `nonce` or `inline_sources` are. It counts as a
        read of the consent, so that caches keep the answer to its visitor. Template engines take it
        for HTML (`__html__`).
        """
        return _markup(front.banner, self, language or "", inline=inline, nonce=str(nonce or ""))

    def head(self, *, nonce: str = "") -> Markup:
        """Return the script that guards what other scripts store: it belongs before all of them.

        It counts as a read of the consent, as the banner does. Nothing where the policy has neither
        a guard nor a consent mode.
        """
        return _markup(front.head, self, nonce=str(nonce or ""))

    def embed(
        self, category: str, src: str, title: str, *, language: str = "", **attributes: object
    ) -> Markup:
        """Return third parties' content as an <iframe>, or what asks for a yes in its place.

        `attributes` are the frame's others: `width=560`, `allow="fullscreen"`, `class_="player"`,
        `allowfullscreen=True`. It counts as a read of the consent. Raises UnknownCategory, and
        ValueError where address, title or attributes are a mistake.
        """
        self._known(category)
        frame = embeds.frame(category, src, title, attributes)
        return _markup(embeds.embed, self, frame, language or "")

    @property
    def opt_out_notice(self) -> Markup:
        """A piece of HTML that says that a signal is honoured, where it is; else nothing."""
        return _markup(front.notice, self)

    @property
    def inline_sources(self) -> tuple[str, str]:
        """The hashes of what `banner(inline=True)` writes: for script-src, and for style-src."""
        return front.inline_sources(self)

    def read_too_late(self) -> None:
        _log.warning(
            "consent was read for the first time after the response had started, so it was "
            "answered as refused; read it earlier, or wrap the app with eager=True"
        )

    def not_located(self, error: Exception) -> None:
        if type(error) in _failures or len(_failures) >= _MAX_FAILURES:
            return
        _failures.add(type(error))
        _log.warning(
            "where a visitor is could not be found out, so nothing optional is used without a yes: "
            "%s at %s (said once for each kind of error)",
            type(error).__name__,  # its text may hold what the visitor sent, an address say
            _innermost(error),
        )

    def __repr__(self) -> str:
        return f"<consent {'changed ' if self.changed else ''}for policy {self.version!r}>"


def _markup(make: Callable[..., str], *arguments: object, **more: object) -> Markup:
    """Return what a function makes; a doubt of ours never costs the site its page."""
    try:
        return Markup(make(*arguments, **more))
    except Exception:
        if make.__name__ not in _told:
            _told.add(make.__name__)
            _log.exception("no %s could be made, so this page has none (said once)", make.__name__)
        return Markup()


def _innermost(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "an unknown place"


def is_undecided(mark: object) -> bool:
    """Say whether a mark is that of a gate around this one, which has yet to decide.

    A mark that was left behind, by an earlier use of the same scope or environ, opens no way past.
    """
    return isinstance(mark, RequestConsent) and not mark.sealed
