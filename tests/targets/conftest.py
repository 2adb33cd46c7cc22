"""Shops with real files, for the targets that know sites."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.shops import Shops


@pytest.fixture
def shops(tmp_path: Path) -> Shops:
    """Twelve shops with the old version, in three towns."""
    return Shops(tmp_path, 12)
