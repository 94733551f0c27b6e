"""For Django's INSTALLED_APPS: `request.state.consent` also where `wrap` has not been called.

Tests and management commands do not import the module in which the handler is wrapped.
"""

from __future__ import annotations

from django.apps import AppConfig

from .state import give_django_state, nobody


class ConsentgateConfig(AppConfig):  # type: ignore[misc]  # Django has no types of its own
    """Gives every request a newcomer who granted nothing, until `wrap` knows better."""

    name = "consentgate"

    def ready(self) -> None:
        """Called by Django once, when it has loaded its settings."""
        give_django_state(nobody)
