"""`rollway serve` on a clock that can be set: the seconds in a file are added to the true time.

python -m tests.faults.skewed --data DIR --port 8100 --clock offset.txt
"""

from __future__ import annotations

import argparse
import logging
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rollway.app import Rollway
from rollway.app.runtime import Runtime
from rollway.web import create_app, make_server


def clock_of(file: Path) -> Callable[[], datetime]:
    """Where the engine asks for the time. A file that is not there adds nothing."""
    offset = 0.0

    def clock() -> datetime:
        nonlocal offset
        with suppress(OSError, ValueError):  # it is just being written
            offset = float(file.read_text())
        return datetime.now(UTC) + timedelta(seconds=offset)

    return clock


def main() -> None:
    parser = argparse.ArgumentParser(description="rollway serve on a clock that can be set.")
    parser.add_argument("--data", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--clock", type=Path, required=True)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    listener = socket.create_server(("127.0.0.1", arguments.port))
    rollway = Rollway(arguments.data, clock=clock_of(arguments.clock))
    runtime = Runtime(rollway)
    runtime.start()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    try:
        app = create_app(rollway, runtime.book, runtime.wake)
        make_server(app, "127.0.0.1", arguments.port).run(sockets=[listener])
    finally:
        runtime.stop()
        rollway.close()


if __name__ == "__main__":
    main()
