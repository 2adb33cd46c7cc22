"""How long do 10,000 release files take on one core: read from disk, checked, reviewed, and chosen for?

    python benchmarks/facts_volume.py --files 1000        all 10,000 take about a minute

The files are made from `examples/reporting/release.yaml` with a fixed seed: of each one a share of its parts,
from nearly none to all, with answers drawn anew, and one in ten as JSON. All figures are CPU time.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from rollway.choice import choose
from rollway.facts import load_release
from rollway.facts.places import parse_value
from rollway.facts.problems import SourceText
from rollway.readiness import assess

EXAMPLE = Path(__file__).parents[1] / "examples" / "reporting" / "release.yaml"
NEEDED = ("  name:", "  version:", "#", "release:")
WHOLE = ("kpis:", "target:")  # sections of which a half is no use
SEED, JSON_SHARE = 11, 0.1
_PART = re.compile(r"  [a-z]")
_ANSWERS: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = (
    (re.compile(r"\b(?:true|false)\b"), ("true", "false")),
    (re.compile(r"(?<=: )(?<!size: )(?:low|medium|high)\b"), ("low", "medium", "high")),
    (re.compile(r"(?<=users: )\d+"), ("12", "180", "2400", "90000")),
)


def parts_of(text: str) -> Iterator[list[str]]:
    """The text in parts: a heading or a comment by itself, a key of a section with all that is below it."""
    part: list[str] = []
    for line in text.splitlines():
        begins = _PART.match(line) and not part[0].startswith(WHOLE) if part else False
        if part and (begins or (line and not line.startswith("  "))):
            yield part
            part = []
        part.append(line)
    yield part


def one_file(parts: list[list[str]], draw: random.Random) -> str:
    """A release file that holds a share of the parts, with other answers."""
    share = draw.random()
    kept: list[str] = []
    for part in parts:
        is_heading = not part[0].startswith((" ", *WHOLE))
        if is_heading or part[0].startswith(NEEDED) or draw.random() < share:
            kept += part
    text = "".join(f"{line}\n" for line in kept)
    for pattern, answers in _ANSWERS:
        text = pattern.sub(lambda _, answers=answers: draw.choice(answers), text)  # type: ignore[misc]
    return text


def write_files(folder: Path, count: int) -> list[Path]:
    """`count` release files in a folder, the same each time."""
    draw = random.Random(SEED)
    parts = list(parts_of(EXAMPLE.read_text(encoding="utf-8")))
    paths = []
    for number in range(count):
        text = one_file(parts, draw)
        if draw.random() < JSON_SHARE:
            text = json.dumps(parse_value(SourceText("release", text)).plain(), indent=2, ensure_ascii=False)
        paths.append(folder / f"release-{number:05}.yaml")
        paths[-1].write_text(text, encoding="utf-8")
    return paths


def measure(paths: list[Path]) -> dict[str, float]:
    """CPU seconds of each step over all files, which are taken one after the other."""
    took = dict.fromkeys(("read and checked", "reviewed", "chosen for"), 0.0)
    for path in paths:
        marks = [time.process_time()]
        release = load_release(path)
        marks.append(time.process_time())
        assess(release)
        marks.append(time.process_time())
        choose(release)
        marks.append(time.process_time())
        for name, begun, ended in zip(took, marks, marks[1:], strict=False):
            took[name] += ended - begun
    return took


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--files", type=int, default=10_000)
    count: int = options.parse_known_args()[0].files
    with tempfile.TemporaryDirectory() as folder:
        paths = write_files(Path(folder), count)
        sizes = sorted(path.stat().st_size for path in paths)
        measure(paths[:1])  # what is loaded once is not what a file costs
        took = measure(paths)
    print(f"{count:,} files of {sizes[0]:,} to {sizes[-1]:,} bytes, half of them over {sizes[count // 2]:,}")
    for name, seconds in (*took.items(), ("in all", sum(took.values()))):
        print(f"{name:18}{seconds:7.1f} s of CPU{1000 * seconds / count:8.2f} ms each")


if __name__ == "__main__":
    main()
