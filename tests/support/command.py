"""The `rollway` command as a user runs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def rollway(*words: str, cwd: Path, within: float = 60) -> subprocess.CompletedProcess[str]:
    """Run `rollway WORDS` in a folder and wait for it."""
    return subprocess.run(
        [sys.executable, "-m", "rollway", *words],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=within,
        check=False,
    )
