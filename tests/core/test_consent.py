"""Consent, Choice, Receipt: what a visitor said."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from consentgate.core.consent import (
    NEWCOMER,
    UNREADABLE,
    Choice,
    Consent,
    GrantRefused,
    Receipt,
    ResponseStarted,
    UnknownCategory,
)
from core.samples import DAY, NOW, TODAY, consent_of


def test_a_choice_is_granted_denied_or_unset() -> None:
    """The three words, as they stand in the state's JSON."""
    assert [str(choice) for choice in Choice] == ["granted", "denied", "unset"]


def test_a_newcomer_and_an_unreadable_visitor_have_granted_nothing() -> None:
    """They differ only in that a newcomer's cookies were fairly read."""
    assert Consent() == NEWCOMER
    assert Consent(readable=False) == UNREADABLE
    assert (NEWCOMER.granted, NEWCOMER.denied, NEWCOMER.id, NEWCOMER.decided_at) == (
        frozenset(),
        frozenset(),
        None,
        None,
    )


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        (consent_of("analytics", at=NOW - 1), consent_of("analytics", at=NOW)),
        (consent_of("analytics", "marketing"), consent_of("analytics")),
        (consent_of("analytics", at=NOW), consent_of(at=TODAY)),
        (consent_of("analytics", at=TODAY + DAY - 1), consent_of(at=TODAY)),
        (consent_of(at=TODAY - DAY), consent_of("analytics", at=TODAY)),
        (consent_of(at=TODAY - DAY), consent_of(at=TODAY)),
        (NEWCOMER, consent_of("analytics", at=DAY)),
    ],
)
def test_choices_are_ordered_by_age_and_the_stricter_counts_as_newer(
    older: Consent, newer: Consent
) -> None:
    """A refusal knows only its day and outlives every yes of that day."""
    assert older.age_order() < newer.age_order()


def test_an_unknown_category_is_told_with_the_known_ones() -> None:
    """A programmer's mistake is named together with what would have been right."""
    problem = UnknownCategory("analytic", ("necessary", "analytics"))
    assert isinstance(problem, LookupError)
    assert (problem.id, problem.known) == ("analytic", ("necessary", "analytics"))
    assert str(problem) == "no category 'analytic' in the policy; it has: necessary, analytics"


def test_the_refusals_are_of_the_kinds_that_callers_expect() -> None:
    """A refused grant is a PermissionError; a change too late is a RuntimeError."""
    assert issubclass(GrantRefused, PermissionError)
    assert issubclass(ResponseStarted, RuntimeError)


def test_a_receipt_never_changes() -> None:
    """A proof is frozen."""
    receipt = Receipt(action="reject", id=None, decided_at=0, version="1", granted=(), denied=())
    with pytest.raises(FrozenInstanceError):
        receipt.action = "accept"  # type: ignore[misc]
