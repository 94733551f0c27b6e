"""What a handler sees of the visitor: the core's Visit, with a clock face and a voice."""

from __future__ import annotations

import logging
import traceback
from datetime import UTC, datetime

from .core.visit import Visit

_log = logging.getLogger("consentgate")
_MAX_FAILURES = 20
_failures: set[type[Exception]] = set()


class RequestConsent(Visit):
    """The visitor's consent, as `request.state.consent`.

    Read `allows("analytics")`, `choice("analytics")`, `granted`, `decided`, `needs_choice`, `id`,
    `decided_at`, `version`, `region`, `gpc`; change it with `reject_all()`, `withdraw()`,
    `accept_all()` and `set(analytics=True)`. What it is when the response starts is what counts.
    """

    __slots__ = ()

    @property
    def decided_at(self) -> datetime | None:
        """When the choice was made (aware, UTC); a refusal knows only its day."""
        seconds = self.decided_on
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)

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


def _innermost(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "an unknown place"


def is_undecided(mark: object) -> bool:
    """Say whether a mark is that of a gate around this one, which has yet to decide.

    A mark that was left behind, by an earlier use of the same scope or environ, opens no way past.
    """
    return isinstance(mark, RequestConsent) and not mark.sealed
