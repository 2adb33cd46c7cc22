"""`python -m tests.docs.rewrite` (from the root, in the virtual environment): makes the played pages true."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from tests.docs.pages import told_again

ROOT = Path(__file__).parents[2]
PAGES = {"docs/tutorial.md": {"methods.svg": "docs/images/methods.svg"}}
"""The pages, each with the files that its commands write and that it shows."""


def rewrite(page: Path, shown: dict[str, str]) -> bool:
    """Play a page and write what its commands tell now; says whether anything in the page changed."""
    before = page.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        after = told_again(before, Path(folder))
        for written, copy in shown.items():
            shutil.copyfile(Path(folder) / written, ROOT / copy)
    page.write_text(after, encoding="utf-8")
    return before != after


if __name__ == "__main__":
    os.environ.pop("ROLLWAY_DATA", None)
    for name, shown in PAGES.items():
        print(f"{name}: {'rewritten' if rewrite(ROOT / name, shown) else 'true already'}")
