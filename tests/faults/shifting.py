"""A version of the examples' quote service whose behaviour a file changes while it runs.

python -m tests.faults.shifting --port 8082 --version 2.0 --behaviour new.json
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from examples.live.builds import Build
from examples.live.service import Service, run


class Shifting(Service):
    """Looks into the file at each request: `fails` is the share of errors; `is_sick` fails health checks."""

    def __init__(self, version: str, behaviour: Path) -> None:
        super().__init__(version, Build(), None)
        self._file = behaviour
        self._read_at = 0
        self._is_sick = False

    async def answer(self, path: str, query: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
        self._shift()
        if path == "/health" and self._is_sick:
            return 503, b"sick\n"
        return await super().answer(path, query, headers)

    def _shift(self) -> None:
        with suppress(FileNotFoundError, ValueError):
            written = self._file.stat().st_mtime_ns
            if written != self._read_at:
                told: dict[str, Any] = json.loads(self._file.read_text())
                self._build = Build(fails=told.get("fails", Build().fails))
                self._is_sick = bool(told.get("is_sick"))
                self._read_at = written


def main() -> None:
    parser = argparse.ArgumentParser(description="A version that changes while it runs.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("--behaviour", type=Path, required=True)
    arguments = parser.parse_args()
    asyncio.run(run(Shifting(arguments.version, arguments.behaviour), None, arguments.port))


if __name__ == "__main__":
    main()
