"""`python -m tests.examples.rewrite [NAME...]` (from the root): writes the examples' plans and rehearsals."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from rollway.planning.tree import describe
from tests.examples.plans import OUTPUT, RELEASES, ROOT, RUNS, plan_of


def rewrite(name: str) -> None:
    """Write an example's plan as a tree, and what `rollway rehearse` says of it."""
    plan = plan_of(name)
    (OUTPUT / f"{name}.plan.txt").write_text(describe(plan) + "\n", encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "plan.json"
        file.write_text(plan.text(), encoding="utf-8")
        command = [
            sys.executable,
            "-m",
            "rollway",
            "--data",
            folder,
            "rehearse",
            str(file),
            "--runs",
            str(RUNS),
        ]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 14):
        raise SystemExit(f"{name}: {done.stderr}")
    (OUTPUT / f"{name}.rehearsal.txt").write_text(done.stdout, encoding="utf-8")
    print(name, "kept" if done.returncode == 0 else "MISSED", flush=True)


if __name__ == "__main__":
    OUTPUT.mkdir(exist_ok=True)
    for wanted in sys.argv[1:] or RELEASES:
        rewrite(wanted)
