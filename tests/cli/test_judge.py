"""The judge by itself on the command line: its help, evidence files, and what a plan would catch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rollway.cli.judge import COMMANDS
from rollway.cli.main import cli
from rollway.errors import InputError
from rollway.judge import Counts, GuardRule, Reading, Rules
from rollway.judge.evidence_file import Look, write_evidence

NOISE = '{"floor": 2, "growth": 0.01, "block_seconds": 300}'
PLAIN = ("--rps", "100", "--base", "0.01", "--stages", "1%:20m,10%:20m")


def noise_file(**kpis: str) -> str:
    entries = ", ".join(f'"{name}": {noise}' for name, noise in kpis.items())
    return f'{{"format": "rollway.dispersion/1", "dispersion": {{{entries}}}}}'


def judge(*words: str) -> Result:
    return CliRunner().invoke(cli, ["judge", *words])


def fault(*words: str) -> InputError:
    error = judge(*words).exception
    assert isinstance(error, InputError)
    return error


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_teaches_by_an_example(name: str) -> None:
    """Each command of the group explains itself and shows how it is called."""
    answer = judge(name, "--help")
    assert answer.exit_code == 0
    assert f"rollway judge {name}" in answer.output


def test_the_help_of_the_group_is_light() -> None:
    """It names every command without importing one."""
    code = (
        "import sys; from rollway.cli.main import cli; cli.main(['judge', '--help'], standalone_mode=False);"
        "print([name for name in ('numpy', 'sqlalchemy', 'rich') if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    assert all(name in done.stdout for name in COMMANDS)


def test_a_file_of_evidence_is_judged_again(tmp_path: Path) -> None:
    """One verdict a line, at the moments that the file names."""
    rules = Rules((GuardRule("errors", "rate"),))
    course: list[Reading | Look] = []
    for n in range(20):
        arms = Counts(100, 30), Counts(900, 9)
        course += [
            Reading("errors", 10.0 * n, 10.0 * n + 10, "ten", 0.1, *arms),
            Look(10.0 * n + 12, "ten", 0.1),
        ]
    file = tmp_path / "evidence.jsonl"
    file.write_text("\n".join(write_evidence(rules, course)))
    said = [json.loads(line) for line in judge("replay", str(file)).output.splitlines()]
    assert [one["at"] for one in said] == [10.0 * n + 12 for n in range(20)]
    assert said[-1]["kind"] == "harmful"
    brief = judge("replay", str(file), "--brief").output.splitlines()
    changes = [n for n, one in enumerate(said) if n == 0 or one["kind"] != said[n - 1]["kind"]]
    assert [line.split() for line in brief if line.endswith(tuple(one["kind"] for one in said))] == [
        [f"{10.0 * n:.1f}", "s", "10.0%", "ten", said[n]["kind"]] for n in changes
    ]
    assert brief[-1] == "20 looks"


def test_a_broken_file_of_evidence_is_told_with_its_line(tmp_path: Path) -> None:
    """A missing file, bytes that are no text, and a line that is wrong."""
    file = tmp_path / "evidence.jsonl"
    assert "No such file" in fault("replay", str(file)).message
    file.write_bytes(b"\xff\xfe")
    assert "not UTF-8" in fault("replay", str(file)).message
    file.write_text("\n".join(write_evidence(Rules(()), ())) + "\n{}\n")
    assert fault("replay", str(file)).message.startswith(f"{file}:2:")


def test_power_tells_each_size_of_fault() -> None:
    """Chances by stage, times, requests and users for each size, and what a stage catches at least."""
    answer = judge("power", *PLAIN, "--ratio", "2", "--ratio", "5")
    assert answer.exit_code == 0, answer.output
    rows = [line.split() for line in answer.output.splitlines()]
    assert [row[0] for row in rows if row and row[0].startswith("x")] == ["x2", "x5"]
    assert "smallest fault that a stage catches" in answer.output
    assert max(map(len, answer.output.splitlines())) <= 90


def test_power_for_programs_is_plain_json() -> None:
    """The same numbers with names; what never happens is null; larger faults are caught sooner."""
    answer = json.loads(judge("power", *PLAIN, "--json", "--users", "30").output)["guards"][0]
    chances = [one["caught_by"][-1] for one in answer["faults"]]
    assert chances == sorted(chances)
    assert answer["faults"][0]["seconds"][2] is None
    assert answer["smallest_ratio"][0] > answer["smallest_ratio"][1] > 1
    assert all(one["users_who_meet_it"] <= 30 * 0.1 for one in answer["faults"])


@pytest.mark.parametrize("kind", ["latency", "mean"])
def test_power_for_other_kinds(kind: str) -> None:
    """Durations that grow and figures that move have chances too."""
    answer = judge("power", "--rps", "50", "--kind", kind, "--stages", "10%:10m", "--ratio", "1.5", "--json")
    assert answer.exit_code == 0, answer.output
    assert json.loads(answer.output)["guards"][0]["faults"][0]["caught_by"] == [1.0]


def test_power_of_a_release_foresees_each_guard_of_its_plan() -> None:
    """The example's gates and brakes, each with its part of alpha, over the plan's own stages."""
    answer = judge("power", "examples/reporting/release.yaml", "--json")
    assert answer.exit_code == 0, answer.output
    guards = {one["guard"]: one for one in json.loads(answer.stdout)["guards"]}
    assert {"errors", "latency"} <= set(guards)
    assert sum(one["alpha"] for one in guards.values()) <= 0.01
    assert guards["errors"]["base_rate"] == 0.04
    assert guards["errors"]["faults"][-1]["caught_by"][-1] > 0.5


def test_power_of_a_release_foresees_a_guard_where_it_counts(tmp_path: Path) -> None:
    """One that counts when everyone has it is compared in no stage, and that is said; the others are."""
    text = Path("examples/reporting/release.yaml").read_text(encoding="utf-8")
    file = tmp_path / "release.yaml"
    changed = text.replace("    kind: latency\n", "    kind: latency\n    during: [everyone]\n")
    file.write_text(changed, encoding="utf-8")
    answer = judge("power", str(file), "--json")
    assert answer.exit_code == 0, answer.output
    assert "latency: it counts in no stage with users of both versions" in answer.stderr
    guards = {one["guard"] for one in json.loads(answer.stdout)["guards"]}
    assert "errors" in guards
    assert "latency" not in guards


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "how many requests"),
        (("--rps", "10"), "rate of bad requests"),
        (("--rps", "10", "--base", "0.01", "--stages", "1%"), "('1%') lacks a duration"),
        (("--rps", "10", "--base", "0.01", "--stages", "200%:1m"), "('200%:1m') has no share"),
        (("--rps", "10", "--base", "0.01", "--stages", "1%:soon"), "'soon' is no duration"),
        (("--rps", "10", "--base", "0.5", "--ratio", "3"), "--ratio 3 cannot be foreseen"),
        (("--rps", "10", "--kind", "latency", "--median", "2"), "--median 2 is not below"),
    ],
)
def test_power_says_what_it_lacks(words: tuple[str, ...], told: str) -> None:
    """What is wrong in a question, and what to write instead."""
    error = fault("power", *words)
    assert told in error.message
    assert error.hint


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", ":1:2: not JSON"),
        ("[]", 'there is no "format"'),
        ('{"format": "rollway.dispersion/1"}', 'there is no "dispersion"'),
        ('{"format": "rollway.dispersion/1", "dispersion": {"errors": {"floor": 1}}}', "each once"),
        (
            f'{{"format": "rollway.dispersion/1", "dispersion": {{"errors": {NOISE}, "b": {NOISE}}}}}',
            "errors, b",
        ),
        (noise_file(errors=NOISE.replace("2", "true", 1)), "floor is a number"),
    ],
)
def test_a_broken_file_of_dispersion_is_told(tmp_path: Path, text: str, told: str) -> None:
    """What is wrong and where, before anything is foretold."""
    file = tmp_path / "dispersion.json"
    file.write_text(text)
    assert told in fault("power", *PLAIN, "--dispersion", str(file)).message


def test_noise_makes_faults_harder_to_see(tmp_path: Path) -> None:
    """The smallest fault that is caught is larger with the noise of a file than without."""
    file = tmp_path / "dispersion.json"
    file.write_text(noise_file(errors=NOISE))
    words = ("power", *PLAIN, "--ratio", "3", "--json")
    plain, noisy = (
        json.loads(judge(*words, *more).output)["guards"][0]["smallest_ratio"]
        for more in ((), ("--dispersion", str(file)))
    )
    assert noisy[-1] > plain[-1]
