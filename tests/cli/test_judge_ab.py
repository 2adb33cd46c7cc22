"""Two files and one verdict: `rollway judge ab`."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from click.testing import CliRunner, Result

from rollway.cli.main import cli
from rollway.errors import InputError


def ab(*words: str | Path) -> Result:
    return CliRunner().invoke(cli, ["judge", "ab", *map(str, words)])


def fault(*words: str | Path) -> InputError:
    error = ab(*words).exception
    assert isinstance(error, InputError), error
    return error


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def write(path: Path, name: str, values: object) -> Path:
    path.write_text("\n".join([name, *map(str, np.asarray(values).tolist())]) + "\n")
    return path


@pytest.fixture
def failing(tmp_path: Path, rng: np.random.Generator) -> tuple[Path, Path]:
    """2% of the old version's rows failed, 5% of the new one's."""
    old = write(tmp_path / "old.csv", "failed", rng.binomial(1, 0.02, 8000))
    return old, write(tmp_path / "new.csv", "failed", rng.binomial(1, 0.05, 4000))


def test_a_worse_version_is_harmful(failing: tuple[Path, Path]) -> None:
    """The verdict in a sentence, both rates, the ratio with its bounds, the evidence, and a picture."""
    answer = ab(*failing)
    assert answer.exit_code == 0, answer.output
    assert answer.output.startswith("harmful  failed: the new version is worse")
    assert "new / old 2." in answer.output
    assert "100 is enough" in answer.output
    assert "░" in answer.output
    assert "\x1b" not in answer.output
    assert max(map(len, answer.output.splitlines())) <= 80


def test_equal_versions_become_healthy(tmp_path: Path, rng: np.random.Generator) -> None:
    """With enough rows, a version that is as good is shown to be within the margin."""
    old, new = (write(tmp_path / f"{n}.csv", "failed", rng.binomial(1, 0.05, 20_000)) for n in (1, 2))
    assert ab(old, new).output.startswith("healthy")
    few = write(tmp_path / "few.csv", "failed", rng.binomial(1, 0.05, 900))
    assert ab(old, few).output.startswith("undecided")


def test_programs_get_the_whole_course(failing: tuple[Path, Path]) -> None:
    """The verdict with its numbers, and the confidence sequence interval by interval."""
    answer = json.loads(ab(*failing, "--json", "--intervals", "40").output)
    assert (answer["kind"], answer["column"], answer["verdict"]["kind"]) == ("rate", "failed", "harmful")
    assert len(answer["history"]) == 40
    last = answer["history"][-1]
    assert last["ratio_low"] < last["ratio"] < last["ratio_high"]
    assert last["ratio_low"] > 1


def test_the_picture_is_written_too(failing: tuple[Path, Path], tmp_path: Path) -> None:
    """--svg writes a drawing with the verdict in its title and description."""
    file = tmp_path / "out" / "picture.svg"
    assert f"wrote {file}" in ab(*failing, "--svg", file).output
    root = ElementTree.fromstring(file.read_text())
    assert root.findtext("{http://www.w3.org/2000/svg}title") == "failed: harmful"
    assert "the new version is worse" in (root.findtext("{http://www.w3.org/2000/svg}desc") or "")


def test_durations_are_judged_as_a_latency(tmp_path: Path, rng: np.random.Generator) -> None:
    """A column called duration needs no --kind; slower by a fifth is found."""
    old = write(tmp_path / "old.csv", "duration", rng.lognormal(-2.3, 0.6, 8000))
    new = write(tmp_path / "new.csv", "duration", rng.lognormal(-2.3, 0.6, 4000) * 1.2)
    answer = ab(old, new)
    assert answer.output.startswith("harmful"), answer.output
    assert "slower than" in answer.output


def test_figures_are_judged_by_their_mean(tmp_path: Path, rng: np.random.Generator) -> None:
    """A fall of baskets is the harm where less is worse, and none where more is."""
    old = write(tmp_path / "old.csv", "basket", rng.gamma(2, 20, 6000))
    new = write(tmp_path / "new.csv", "basket", rng.gamma(2, 17, 6000))
    answer = ab(old, new, "--kind", "mean", "--less-is-worse")
    assert answer.output.startswith("harmful"), answer.output
    assert "new - old -" in answer.output
    assert not ab(old, new, "--kind", "mean").output.startswith("harmful")
    assert "outside 0 to 10" in fault(old, new, "--kind", "mean", "--bound", "10").message


def test_counts_per_interval_are_matched_by_their_times(tmp_path: Path) -> None:
    """Rows in any order are compared moment by moment: a rate that drifts alike is no harm."""
    old, new = tmp_path / "old.csv", tmp_path / "new.csv"
    rates = [2 if n < 50 else 20 for n in range(100)]
    old.write_text("time,trials,bad\n" + "".join(f"{60 * n},1000,{bad}\n" for n, bad in enumerate(rates)))
    rows = [
        f"{60 * n},{1000 if n >= 50 else 100},{bad if n >= 50 else bad // 10}\n"
        for n, bad in enumerate(rates)
    ]
    new.write_text("time,trials,bad\n" + "".join(reversed(rows)))
    answer = json.loads(ab(old, new, "--json").output)
    assert answer["verdict"]["kind"] != "harmful"
    assert len(answer["history"]) == 100


def test_rows_are_matched_by_iso_times(tmp_path: Path, rng: np.random.Generator) -> None:
    """ISO 8601 and semicolons are read, and the axis is labelled with the length of time."""
    for name, rate in (("old", 0.02), ("new", 0.06)):
        rows = [
            f"2026-11-23T08:{n // 100:02}:{n // 2 % 50:02}Z;{bad}"
            for n, bad in enumerate(rng.binomial(1, rate, 4000))
        ]
        (tmp_path / f"{name}.csv").write_text("at;failed\n" + "\n".join(rows))
    answer = ab(tmp_path / "old.csv", tmp_path / "new.csv")
    assert answer.output.startswith("harmful"), answer.output
    assert "40 min later" in answer.output


GOOD = "time,failed\n1,0\n2,1\n"


@pytest.mark.parametrize(
    ("text", "words", "place", "told"),
    [
        ("", (), "new.csv", "the file is empty"),
        ("time,failed\n", (), "new.csv", "no row below"),
        ("1,0\n2,1\n", (), "new.csv:1:1", "names the columns"),
        ("time,failed\n1,0\n2,yes\n", (), "new.csv:3:3", "'yes'"),
        ("time,failed\nsoon,0\n2,1\n", (), "new.csv:2:1", "not a time"),
        ("time,failed\n1,0,5\n", (), "new.csv:2:3", "3 fields"),
        ("time,failed\n1,nan\n", ("--kind", "mean", "--column", "failed"), "new.csv:2:3", "not a number"),
        ('time,failed\n"1",x\n', (), "new.csv:2:5", "'x'"),
        ("time,faild\n1,0\n", (), "new.csv:1", "did you mean 'faild'?"),
        ("failed,failed\n1,0\n", (), "new.csv:1", "two columns"),
        ("failed\n1\n", (), "new.csv:1", "no column of times"),
        ("time,failed\n1,-2\n", ("--kind", "latency", "--column", "failed"), "new.csv:2:3", "below 0"),
    ],
)
def test_a_broken_file_is_told_with_its_place(
    tmp_path: Path, text: str, words: tuple[str, ...], place: str, told: str
) -> None:
    """File, line and column, what is wrong, and what to do about it."""
    (tmp_path / "old.csv").write_text(GOOD)
    (tmp_path / "new.csv").write_text(text)
    error = fault(tmp_path / "old.csv", tmp_path / "new.csv", *words)
    assert error.message.startswith(str(tmp_path / place))
    assert told in str(error)


@pytest.mark.parametrize(
    ("head", "row", "told"),
    [
        ("trials,bad", "10,11", "more bad trials than trials"),
        ("trials,bad", "10,0.5", "counts are 0, 1, 2"),
        ("a,b", "1,2", "not clear which column"),
        ("figure", "3.5", "what kind of figures"),
    ],
)
def test_what_cannot_be_judged_is_told(tmp_path: Path, head: str, row: str, told: str) -> None:
    """Counts that cannot be right, and files that leave open what is meant."""
    for name in ("old", "new"):
        (tmp_path / f"{name}.csv").write_text(f"{head}\n{row}\n")
    assert told in fault(tmp_path / "old.csv", tmp_path / "new.csv").message
