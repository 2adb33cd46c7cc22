"""What Rollway does when something fails: one scenario for each fault, on real servers.

python -m tests.faults.fault_matrix [--only signal-nan] [--document]
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path

from examples.live.servers import Envoy, Nginx, NotInstalledError, installed
from tests.faults import rows_engine, rows_fronts, rows_postgres, rows_signals, rows_targets
from tests.faults.report import DOCUMENT, TITLES, document, line
from tests.faults.rows import ROWS, Found, Row, play
from tests.faults.stand import Engine, an_engine
from tests.faults.street import Street

_REGISTERED = (rows_signals, rows_targets, rows_fronts, rows_engine, rows_postgres)
"""Importing them registers their rows."""


def run(names: Sequence[str], *, kept: Path | None = None, is_told: bool = False) -> list[Found]:
    """Play these rows, one after the other. What is found is added to the file `kept`, if there is one."""
    if not names:
        return []
    folder = Path(tempfile.mkdtemp(prefix="street-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        street = Street(folder)
        stack.callback(street.stop)

        @cache
        def shared() -> Engine:
            return stack.enter_context(an_engine())

        founds = []
        for name in names:
            found = play(ROWS[name], street, shared)
            founds.append(found)
            if kept is not None:
                with kept.open("a", encoding="utf-8") as file:
                    file.write(f"{found.to_json()}\n")
            if is_told:
                print(line(found), flush=True)
                if found.wrong or len(names) == 1:
                    print(f"    {found.did}", flush=True)
        return founds


def known(kept: Path | None) -> dict[str, Found]:
    """What the file holds of earlier runs, by the rows' names."""
    if kept is None or not kept.exists():
        return {}
    founds = [Found.from_json(text) for text in kept.read_text(encoding="utf-8").splitlines()]
    return {found.row.name: found for found in founds}


def in_order() -> list[str]:
    """All rows, as the page has them."""
    return sorted(ROWS, key=lambda name: list(TITLES).index(ROWS[name].kind))


NEEDS: dict[str, Callable[[], object]] = {
    "envoy": Envoy.requires,
    "nginx": Nginx.requires,
    "postgres": lambda: installed("postgresql", "lib/postgresql/*/bin/postgres"),
}
"""The program without which rows cannot be played whose names begin so."""


def possible(rows: Sequence[Row]) -> list[str]:
    """The names of the rows that can be played by whoever we are, with what is installed."""
    left_out = [one.name for one in rows if one.engine == "small disk" and os.geteuid() != 0]
    if left_out:
        print(f"left out, for they need root: {', '.join(left_out)}")
    for first, requires in NEEDS.items():
        of_it = [one.name for one in rows if one.name.startswith(f"{first}-")]
        try:
            if of_it:
                requires()
        except NotInstalledError as error:
            print(f"left out: {', '.join(of_it)}: {error}")
            left_out += of_it
    return [one.name for one in rows if one.name not in left_out]


def main() -> int:
    parser = argparse.ArgumentParser(description="Make things fail, and look what Rollway does.")
    parser.add_argument("--only", action="append", choices=list(ROWS), metavar="ROW")
    parser.add_argument(
        "--keep",
        type=Path,
        metavar="FILE",
        help="keep what is found; rows that are in it are not played again",
    )
    parser.add_argument("--list", action="store_true", help="name the rows")
    parser.add_argument("--document", action="store_true", help=f"write {DOCUMENT.name}")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if arguments.list:
        print("\n".join(f"{one.name:22} {one.fault}" for one in map(ROWS.__getitem__, in_order())))
        return 0
    earlier, names = known(arguments.keep), possible([ROWS[name] for name in arguments.only or in_order()])
    left = [name for name in names if name not in earlier]
    played = {found.row.name: found for found in run(left, kept=arguments.keep, is_told=True)}
    founds = [(earlier | played)[name] for name in names]
    if arguments.document:
        load = (
            f"The machine had {os.cpu_count()} cores and other work, a load of {os.getloadavg()[2]:.0f}: the "
            "times are those\nof a bad day. Of a row that was played again its last play counts."
        )
        DOCUMENT.write_text(document(founds, load), encoding="utf-8")
    return 1 if any(found.wrong for found in founds) else 0


if __name__ == "__main__":
    sys.exit(main())
