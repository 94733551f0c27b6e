"""What a visitor said, and the proof of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Choice(StrEnum):
    """What the visitor said of one category."""

    GRANTED = "granted"
    DENIED = "denied"
    UNSET = "unset"


class Tries(NamedTuple):
    """How often refused cookies were expired, and where the next answer goes on.

    `total`: in all, 255 standing for more. `times`: in vain, so far, of the present ones, which 16
    bits (`tag`) tell from others. `left` there were when `place`, among those, of the lines of one
    `form` was reached.
    """

    total: int = 0
    times: int = 0
    tag: int = 0
    left: int = 0
    form: int = 0
    place: int = 0


NO_TRIES = Tries()
# What the last two of the four bytes say that a token has for each category. With the GRANTED bit
# in the first of them, the other fifteen are the revision to which it was granted.
GRANTED = 0x80
NO, REOPENED = b"\0\0", b"\0\1"
# For every category that is not named beside it, of this policy or another: not allowed, and asked
# about. Its tag is no category's.
NO_OTHER_TAG = 0
NO_OTHER = b"\0\0" + REOPENED


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """One recorded choice, as the consent cookie carries it.

    `decided_at` is in seconds since 1970; a refusal carries only its day (midnight, UTC) and no
    `id`, so that saying no leaves nothing to recognise a visitor by (GDPR article 5(1)(c)).
    Instead it counts the `tries` to expire what was refused. `reopened` is what is asked about
    again, and not allowed meanwhile: what was taken back, or what is denied but long ago.
    `older` are the stamps of revisions, other than today's, to which a yes was given that counts.
    `over_gpc`: the yes was given after a shown notice that it goes against the browser's signal.
    `renewed` is after how many days it was written again, unasked. `others` is what was said of
    categories that this policy does not have but another one with the same cookie may (or had, or
    will have): four bytes each, as the token carries them. NO_OTHER among them stands for all that
    is named nowhere.
    """

    granted: frozenset[str] = frozenset()
    denied: frozenset[str] = frozenset()
    id: str | None = None
    decided_at: int | None = None
    readable: bool = True
    tries: Tries = NO_TRIES
    reopened: frozenset[str] = frozenset()
    older: frozenset[tuple[str, int]] = frozenset()
    over_gpc: bool = False
    renewed: int = 0
    others: bytes = b""

    @property
    def grants(self) -> bool:
        """Whether it grants anything, under this policy or another."""
        return bool(self.granted) or any(flags & GRANTED for flags in self.others[2::4])

    @property
    def refuses(self) -> bool:
        """Whether it holds a no, or what is asked about again, under this policy or another."""
        if self.denied or self.reopened:
            return True
        return any(not flags & GRANTED for flags in self.others[2::4])

    def others_as(self, said: bytes) -> bytes:
        """Return `others` with the same two bytes said of each: NO or REOPENED."""
        each = (self.others[at : at + 4] for at in range(0, len(self.others), 4))
        return b"".join(one if one == NO_OTHER else one[:2] + said for one in each)

    def others_and_no_other(self) -> bytes:
        """Return `others` with a no to whatever is not named."""
        each = (self.others[at : at + 4] for at in range(0, len(self.others), 4))
        return b"".join(one for one in each if one != NO_OTHER) + NO_OTHER

    def others_without_yes(self) -> bytes:
        """Return `others` without what was granted."""
        each = (self.others[at : at + 4] for at in range(0, len(self.others), 4))
        return b"".join(one for one in each if not one[2] & GRANTED)

    def age_order(self) -> tuple[int, int, int, list[str]]:
        """Return what sorts choices from old to new; of two equally old, the stricter is newer."""
        at = self.decided_at or 0
        # A refusal knows only its day: it counts as made at the day's end, so that no yes of the
        # same day outlives it.
        at = at if self.grants else at + 86_399
        # Last what is stricter in neither way, only so that the cookies' order never matters.
        no = self.denied | self.reopened
        rest = [*sorted(self.granted), *sorted(no), str(self.over_gpc), self.id or ""]
        return at, -len(self.granted), len(no), rest


NEWCOMER = Consent()
# Present but not to be believed (forged, of a lost key, from the future, oversized): every optional
# category is refused, in every region.
UNREADABLE = Consent(readable=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The proof of one choice, to be written before the answer that carries it is sent."""

    action: str  # "accept", "reject", "save", "withdraw", "opt-out", "gpc"
    id: str | None
    decided_at: int
    version: str
    granted: tuple[str, ...]
    denied: tuple[str, ...]
    revisions: tuple[tuple[str, str], ...] = ()  # of what was granted: to what text
    region: str | None = None
    gpc: str = "absent"  # or "applied" or "overridden"


class UnknownCategory(LookupError):
    """A category id that the policy does not have: a programmer's mistake."""

    def __init__(self, id: str, known: tuple[str, ...]) -> None:
        self.id = id
        self.known = known
        super().__init__(f"no category {id!r} in the policy; it has: {', '.join(known)}")


class GrantRefused(PermissionError):
    """A grant without proof that the visitor asked for it: browsing is not consent."""


class ResponseStarted(RuntimeError):
    """A change of consent after the response has started: its cookies are decided already."""
