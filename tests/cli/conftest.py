"""A folder of its own for every test, with a policy file in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.command import POLICY


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Be in an empty folder that holds `shop.toml`, so that messages show short paths."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop.toml").write_text(POLICY, "utf-8")
    return tmp_path
