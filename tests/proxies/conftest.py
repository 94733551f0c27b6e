"""Fixtures for what stands behind a proxy."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import NamedTuple

import pytest
import trustme

from proxies.client import HOST


class Certificate(NamedTuple):
    """A key with its certificate for HOST, and a client that trusts it."""

    file: Path
    trust: ssl.SSLContext


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate of an authority that lives as long as the tests."""
    authority = trustme.CA()
    file = tmp_path_factory.mktemp("tls") / "site.pem"
    authority.issue_cert(HOST).private_key_and_cert_chain_pem.write_to_path(str(file))
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    return Certificate(file, trust)
