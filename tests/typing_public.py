"""What a user's type checker sees: checked by mypy in `make types`, never run."""

from __future__ import annotations

from datetime import datetime
from typing import assert_type
from wsgiref.types import WSGIApplication

from fastapi import FastAPI
from flask import Flask

from consentgate import (
    Basis,
    Choice,
    Decision,
    Gate,
    Policy,
    RequestConsent,
    Signal,
    asgi,
    consent_from,
    load_gate,
    load_policy,
    wrap,
    wsgi,
)
from consentgate.testing import consent_cookie


def wrapping(fast: FastAPI, flask: Flask, plain: WSGIApplication, policy: Policy) -> None:
    """`wrap` gives back the type it was given."""
    assert_type(wrap(fast, "consentgate.toml"), FastAPI)
    assert_type(wrap(flask, policy, eager=True), Flask)
    assert_type(wrap(plain, lambda host: f"{host}.toml", on_decision=print), WSGIApplication)
    fast.add_middleware(asgi.ConsentMiddleware, gate=load_gate("consentgate.toml"))
    assert_type(load_policy("consentgate.toml"), Policy)
    wrap(plain, policy, locate=lambda request: "FR" if request.client else None)
    wsgi.ConsentMiddleware(plain, load_gate("consentgate.toml"))


def handling(request: object, decision: Decision, gate: Gate) -> None:
    """Everything a handler reads has a type of its own, none is Any."""
    consent = consent_from(request)
    assert_type(consent, RequestConsent)
    assert_type(consent.allows("analytics"), bool)
    assert_type(consent.choice("analytics"), Choice)
    assert_type(consent.granted, frozenset[str])
    assert_type(consent.decided_at, datetime | None)
    assert_type(consent.id, str | None)
    assert_type(consent.basis("analytics"), Basis | None)
    assert_type(consent.gpc, Signal)
    assert_type(consent.region, str | None)
    consent.set(analytics=True)
    consent.restrict("marketing")
    assert_type(decision.category, str | None)
    assert_type(consent_cookie(gate, "analytics"), dict[str, str])
