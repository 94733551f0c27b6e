"""What every test of wrapping needs: a policy file, the key, and Django's settings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test.utils import override_settings

from wrap.django_site import SETTINGS
from wrap.driving import POLICY


@pytest.fixture(scope="session")
def policy_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A policy that names `_ga*` and no session cookie."""
    path = tmp_path_factory.mktemp("policy") / "consentgate.toml"
    path.write_text(POLICY)
    return path


@pytest.fixture(autouse=True)
def _django_settings() -> Iterator[None]:
    """Django has one set of settings for each process, and other tests may need others."""
    with override_settings(**SETTINGS):
        yield
