"""From one choice to the next. See also test_visit and the laws."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from consentgate.core.changes import chosen, day_of, taken_back
from consentgate.core.consent import NEWCOMER, NO, NO_OTHER, REOPENED, Consent
from core.samples import DAY, ID, NOW, OPTIONAL, TODAY, fresh_id

OLD = NOW - 100 * DAY
OTHER = b"\x01\x02"
OTHER_ID = "ab" * 10


def after(before: Consent = NEWCOMER, **act: Any) -> Consent:
    act = {
        "granted": (),
        "denied": (),
        "asked": (),
        "over_gpc": False,
        "everything": False,
        "remember": False,
    } | act
    for key in ("granted", "denied", "asked"):
        act[key] = frozenset(act[key])
    return chosen(before, **act, now=NOW, fresh_id=fresh_id)


def test_a_day_begins_at_midnight_utc() -> None:
    """A refusal carries no more than that."""
    assert day_of(NOW) == TODAY


def test_a_yes_has_an_id_and_a_moment_and_a_no_has_neither() -> None:
    """What saying no leaves behind recognises nobody."""
    granted = frozenset({"analytics"})
    assert after(granted=granted, asked=granted) == Consent(granted=granted, id=ID, decided_at=NOW)
    assert after(denied=granted) == Consent(denied=granted, decided_at=TODAY)
    assert after() == NEWCOMER


def test_a_yes_merely_kept_keeps_its_date_its_id_and_its_text() -> None:
    """What is granted beside it does not make it younger, nor a yes to a newer text."""
    before = Consent(
        granted=frozenset({"analytics"}),
        older=frozenset({("analytics", 7)}),
        id=OTHER_ID,
        decided_at=OLD,
    )
    both = frozenset({"analytics", "marketing"})
    assert after(before, granted=both, asked={"marketing"}) == Consent(
        granted=both, older=before.older, id=OTHER_ID, decided_at=OLD
    )
    again = after(before, granted=both, asked=both)
    assert again == Consent(granted=both, id=OTHER_ID, decided_at=NOW)


def test_what_is_asked_about_again_stays_so_until_it_is_answered() -> None:
    """An answer to one question is none to another."""
    before = Consent(reopened=OPTIONAL, decided_at=OLD)
    one = frozenset({"marketing"})
    assert after(before, granted=one, asked=one).reopened == {"analytics"}
    assert after(before, denied=one).reopened == {"analytics"}
    assert after(before, denied=OPTIONAL).reopened == set()


def test_a_no_to_everything_is_one_to_other_policies_too() -> None:
    """What they were told stands otherwise; their yes keeps the record alive."""
    before = Consent(others=OTHER + b"\x80\0", id=OTHER_ID, decided_at=OLD)
    refused = after(before, denied=OPTIONAL, everything=True)
    assert refused == Consent(denied=OPTIONAL, decided_at=TODAY, others=OTHER + NO)
    kept = after(before, denied=OPTIONAL)
    assert kept == Consent(denied=OPTIONAL, id=OTHER_ID, decided_at=OLD, others=before.others)


def test_taking_back_is_forgotten_where_nothing_is_used_without_a_yes() -> None:
    """Elsewhere it is remembered, for a newcomer there may be sent what this visitor may not."""
    before = Consent(granted=OPTIONAL, id=ID, decided_at=OLD)
    assert taken_back(before, OPTIONAL, False, NOW) == NEWCOMER
    assert taken_back(before, OPTIONAL, True, NOW) == Consent(
        reopened=OPTIONAL, decided_at=TODAY, others=NO_OTHER
    )
    shared = replace(before, others=OTHER + b"\x80\0")
    assert taken_back(shared, OPTIONAL, False, NOW) == Consent(
        reopened=OPTIONAL, decided_at=TODAY, others=OTHER + REOPENED + NO_OTHER
    )


def test_what_another_policy_was_refused_is_never_forgotten() -> None:
    """A site with necessary cookies alone refuses nothing of its own, and keeps their no."""
    before = Consent(others=OTHER + NO, decided_at=OLD)
    assert after(before, everything=True) == Consent(decided_at=TODAY, others=OTHER + NO)
    twice = after(after(before, everything=True, remember=True), everything=True, remember=True)
    assert twice == Consent(decided_at=TODAY, others=OTHER + NO + NO_OTHER)
