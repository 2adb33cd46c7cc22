"""demo: the whole thread on a real service with real traffic; one good build, two bad ones."""

from __future__ import annotations

import json
import signal
import sys
import time
import urllib.request
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rollway.cli.common import COLOURS, coloured, heading, write_file
from rollway.cli.processes import Child, Children, free_port
from rollway.errors import RollwayError

if TYPE_CHECKING:
    from rollway.app import Rollway
    from rollway.planning import Plan

SERVICE_IN_FILE = "http://127.0.0.1:8101"
FLAG_IN_FILE = "new-reporting"
BUILDS = {
    "good": "as healthy as the old version",
    "errors": "fails five times as often",
    "latency": "its slowest tenth takes twice as long",
}
EXPECTED = {
    "good": ("done", "healthy"),
    "errors": ("rolled_back", "harmful"),
    "latency": ("rolled_back", "harmful"),
}
"""How each build should end, and on which verdict: going back because one is blind catches no fault."""
STATUS_EVERY = 0.25


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast the demo goes. Bake times in seconds. A quicker pace rules out coarser faults before going
    on (`margin`), and takes a release back on the same evidence as ever."""

    bake: float
    margin: float
    check_every: float
    users: int
    rate: float
    give_up_after: float


NORMAL = Pace(bake=6, margin=2.5, check_every=1.0, users=4000, rate=250, give_up_after=170)
FAST = Pace(bake=1, margin=4, check_every=0.5, users=6000, rate=400, give_up_after=100)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one build fared. `met` is the share of all users who were ever served the new version, `verdict`
    the last one that was recorded before the end."""

    build: str
    phase: str
    seconds: float
    met: float
    users: int
    verdict: str
    record: int
    is_whole: bool

    @property
    def is_as_expected(self) -> bool:
        return (self.phase, self.verdict) == EXPECTED[self.build] and self.is_whole


@click.command()
@click.option("--fast", is_flag=True, help="Shorter bake times and a little more traffic.")
@click.option("--build", "builds", multiple=True, type=click.Choice(list(BUILDS)), help="Only these builds.")
@click.option(
    "--exit", "leave", is_flag=True, help="End when the last build has ended; do not leave the page up."
)
@click.option(
    "--port", default=8100, show_default=True, help="Where the page is; another port if it is taken."
)
@click.option("--json", "as_json", is_flag=True, help="Print the outcomes as JSON at the end.")
@click.pass_context
def demo(
    ctx: click.Context, fast: bool, builds: tuple[str, ...], leave: bool, port: int, as_json: bool
) -> None:
    """A new reporting module is released to real traffic: a good build reaches everyone, two bad ones are
    taken back. Everything is real but the users. Exit code 1 where a build did not end as it should."""
    # SIGINT too: a shell that starts us in the background has it ignored, and Python leaves it so.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupt)
    pace = FAST if fast else NORMAL
    folder = _new_folder(Path(ctx.find_root().obj))
    _require_example()
    with Children(folder / "logs") as children:
        try:
            outcomes = _run(children, folder, pace, builds or tuple(BUILDS), port, leave)
        except KeyboardInterrupt:
            click.echo("\nstopping everything that was started")
            raise
    if as_json:
        click.echo(json.dumps([{**_plain(one), "as_expected": one.is_as_expected} for one in outcomes]))
    if not all(one.is_as_expected for one in outcomes):
        raise click.exceptions.Exit(1)


@dataclass(frozen=True, slots=True)
class Show:
    """What the builds share: Rollway and its page, where files go, the pace, and each build's service."""

    rollway: Rollway
    page: str
    folder: Path
    pace: Pace
    services: dict[str, tuple[str, Child]]


def _run(
    children: Children, folder: Path, pace: Pace, builds: tuple[str, ...], port: int, leave: bool
) -> list[Outcome]:
    begun = time.monotonic()
    page = f"http://127.0.0.1:{free_port(port)}"
    heading("1. Rollway: page, API, feature flags and engine in one process")
    data = str(folder / "data")
    server = children.start("rollway", "-m", "rollway", "--data", data, "serve", "--port", _port(page))
    services = {builds[0]: _start_service(children, builds[0], page)}
    # What this process needs is imported while the others start.
    from rollway.app import Rollway

    import_module("rollway.documents")

    server.wait_until(lambda: _answers(f"{page}/healthz"))
    # The other services start beside the first build, because starting takes longer than serving.
    services |= {build: _start_service(children, build, page) for build in builds[1:]}
    click.echo(f"   {page}   (data and logs in {folder})")
    rollway = Rollway(data)
    show = Show(rollway, page, folder, pace, services)
    try:
        outcomes = [_release(show, build, number) for number, build in enumerate(builds, start=2)]
    finally:
        rollway.close()
    _summary(outcomes, time.monotonic() - begun)
    if not leave:
        click.echo(f"\nThe page stays up: {click.style(page, bold=True)}   Ctrl-C ends it.")
        while server.process.poll() is None:
            time.sleep(0.2)
    return outcomes


def _release(show: Show, build: str, number: int) -> Outcome:
    """One build through the whole thread, from its facts to done or back."""
    click.echo()
    heading(f"{number}. Build {build!r}: {BUILDS[build]}")
    summary = show.folder / f"users-{build}.json"
    url, service = show.services[build]
    service.wait_until(lambda: _answers(f"{url}/healthz"))
    with Children(show.folder / "logs") as children:
        _start_users(children, show, build, summary)
        plan = _decide_and_plan(show, build)
        rollout = _approve_and_start(show.rollway, plan, show.page)
        begun = time.monotonic()
        phase = _follow(show.rollway, rollout, begun, show.pace.give_up_after)
        seconds = time.monotonic() - begun
    met = json.loads(summary.read_text())["users_who_met_new"] / show.pace.users
    entries, faults = show.rollway.verify_record(rollout)
    verdict = "healthy" if phase == "done" else show.rollway.load(rollout).state.heard or "none"
    outcome = Outcome(build, phase, seconds, met, show.pace.users, verdict, entries, not faults)
    click.echo(
        f"   {coloured(phase)} after {seconds:.0f} s; {outcome.met:.1%} of {outcome.users} users met the "
        f"new version; record of {entries} entries is {'whole' if not faults else 'NOT whole'}"
    )
    return outcome


def _start_service(children: Children, build: str, page: str) -> tuple[str, Child]:
    url = f"http://127.0.0.1:{free_port()}"
    options = ("--port", _port(url), "--ofrep", page, "--build", build, "--flag", _flag(build))
    return url, children.start(f"service {build}", str(example_folder() / "service.py"), *options)


def _flag(build: str) -> str:
    """Each build has a flag of its own, as each release should: nobody has it before it is started."""
    return f"{FLAG_IN_FILE}-{build}"


def _start_users(children: Children, show: Show, build: str, summary: Path) -> None:
    (url, _), pace = show.services[build], show.pace
    crowd = ("--users", str(pace.users), "--rate", f"{pace.rate:g}")
    children.start(
        f"users {build}",
        *(str(example_folder() / "users.py"), "--url", url, *crowd, "--summary", str(summary)),
    )
    click.echo(f"   service at {url}, {pace.users} simulated users, {pace.rate:g} requests/s")


def _decide_and_plan(show: Show, build: str) -> Plan:
    from rollway.choice import choose
    from rollway.documents import KINDS, Pack, files
    from rollway.facts import parse_release
    from rollway.readiness import assess

    file, pace = example_folder() / "release.yaml", show.pace
    text = file.read_text(encoding="utf-8").replace(SERVICE_IN_FILE, show.services[build][0])
    text = text.replace(f"flag: {FLAG_IN_FILE}", f"flag: {_flag(build)}")
    changes = {
        "release.version": f"2.4.0-{build}",
        "rollout.bake": f"{pace.bake:g}s",
        "rollout.margin": f"{pace.margin:g}",
        "rollout.check_every": f"{pace.check_every:g}s",
    }
    release = parse_release(text, file.name, changes=changes)
    readiness = assess(release)
    ok = sum(check.state == "ok" for check in readiness.checks)
    click.echo(f"   assess:  {ok} checks ok, {len(readiness.gaps)} gaps, {len(readiness.unknowns)} unknown")
    choice = choose(release)
    click.echo(f"   choose:  {coloured('ok', str(choice.recommended))}. {choice.reasons[0]}")
    big_bang = choice.of("big_bang")
    against = next((veto for veto in big_bang.vetoes if veto.state == "violated"), None)
    why = f"{against.title}: {against.evidence}" if against else f"score {big_bang.score:.2f}"
    click.echo(f"            big-bang {coloured(big_bang.state)}: {why}")
    plan = show.rollway.plan(release)
    ladder = " -> ".join(f"{stage.exposure.share:.0%}" for stage in plan.stages)
    click.echo(f"   plan:    {plan.hash[:12]}  {ladder}")
    pack = Pack(release=release, readiness=readiness, choice=choice, plan=plan)
    documents = show.folder / "documents" / build
    for name, written in files(pack):
        write_file(documents / name, written)
    click.echo(f"   docs:    {', '.join(KINDS)} in {documents}")
    return plan


def _approve_and_start(rollway: Rollway, plan: Plan, page: str) -> str:
    from rollway.app.starting import Wish, start
    from rollway.rollout import begin
    from rollway.rollout.gates import confirmations

    gate_titles = {gate.id: gate.what for gate in plan.gates}
    approver = next(iter(plan.approvers), "bo")
    operator = next(iter(plan.operators), "ops")
    try:
        rollway.approve(plan, plan.prepared_by)
    except RollwayError as refused:
        click.echo(f"   approve: {refused.message}")
    rollway.approve(plan, approver, reason="read the strategy and the rollout plan")
    click.echo(f"   approve: {approver} said yes")
    wish = Wish(override_window="the demo does not wait for the night")
    rollout = start(rollway, plan, operator, wish).rollout
    click.echo(f"   start:   {page}/rollouts/{rollout}")
    own = {one.event.subject for one in rollway.load(rollout).pending}
    for said in confirmations(plan, begin(), operator, rollway.clock()):
        if said.subject in own:
            continue
        # What people would see to in the days before; a stage is not entered until they said so.
        rollway.say(rollout, said.kind, operator, said.reason or "seen to for the demo", said.subject)
        click.echo(f"   confirm: {operator} says of {said.subject}: {gate_titles[said.subject]}")
    return rollout


def _follow(rollway: Rollway, rollout: str, begun: float, give_up_after: float) -> str:
    """Print the timeline until the rollout ends. Returns its last phase."""
    seen, first = 0, None
    while True:
        loaded = rollway.load(rollout)
        for entry in rollway.rollouts.record(rollout, after=seen):
            first = first or entry.at
            _print_entry(entry, first)
            seen = entry.n
        if loaded.state.is_final:
            _status_line("")
            return loaded.state.phase
        if time.monotonic() - begun > give_up_after:
            _status_line("")
            click.echo(f"   gave up after {give_up_after:.0f} s: {loaded.state.standing}", err=True)
            return loaded.state.phase
        served = loaded.state.served_share
        _status_line(f"   {time.monotonic() - begun:5.1f} s  {served or 0:>5.0%}  {loaded.state.standing}")
        time.sleep(STATUS_EVERY)


def _print_entry(entry: Any, first: datetime) -> None:
    if entry.kind in ("exposure_verified", "started") or entry.data.get("kind") in ("healthy", "undecided"):
        return
    _status_line("")
    colour = COLOURS.get(entry.data.get("kind", ""), {"rollback": "red", "done": "green"}.get(entry.kind))
    when = (entry.at - first).total_seconds()
    click.echo(f"   +{when:5.1f} s  {click.style(entry.text, fg=colour)}")
    verdict = entry.data if "guards" in entry.data else entry.data.get("verdict")
    if verdict and entry.kind in ("verdict", "stage_passed"):
        for guard in verdict["guards"]:
            click.echo(f"              {_numbers(guard)}")


def _numbers(guard: dict[str, Any]) -> str:
    old, new, ratio = guard["baseline_rate"], guard["candidate_rate"], guard["ratio"]
    if old is None or new is None:
        return f"{guard['kpi']}: {guard['state']}"
    cut = f" slower than {guard['cut_seconds']:g} s" if guard["cut_seconds"] else ""
    times = "" if ratio is None else f", ratio {ratio:.2f} interval by interval"
    return (
        f"{guard['kpi']}: new {new:.2%}{cut} of {guard['candidate_trials']}, old {old:.2%} of "
        f"{guard['baseline_trials']}{times}"
    )


def _status_line(text: str) -> None:
    if sys.stdout.isatty():
        click.echo(f"\r\x1b[2K{text[:110]}", nl=False)


def _summary(outcomes: list[Outcome], seconds: float) -> None:
    click.echo()
    heading("What happened")
    for one in outcomes:
        mark = coloured("ok", "as it should") if one.is_as_expected else coloured("gap", "NOT as it should")
        click.echo(
            f"   {one.build:<8} {coloured(one.phase):<22} {one.seconds:5.0f} s   "
            f"users who met the new version: {one.met:6.1%}   {mark}"
        )
    click.echo(f"   all in {seconds:.0f} s")


def example_folder() -> Path:
    """The reporting example: shipped inside the package, or beside it in a checkout."""
    inside = Path(__file__).parents[1] / "_examples" / "reporting"
    return inside if inside.exists() else Path(__file__).parents[3] / "examples" / "reporting"


def _require_example() -> None:
    try:
        import openfeature.contrib.provider.ofrep  # noqa: F401  # asked for here, so that the message is ours
    except ImportError as error:
        raise RollwayError(
            "the demo's example service needs the OpenFeature client, which is not installed",
            hint="pip install 'rollway[demo]'",
        ) from error


def _new_folder(data: Path) -> Path:
    folder = data / "demo" / datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _port(url: str) -> str:
    return url.rpartition(":")[2]


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:  # noqa: S310  # a loopback address of our own
            return bool(answer.status == 200)
    except OSError:
        return False


def _plain(outcome: Outcome) -> dict[str, Any]:
    return {name: getattr(outcome, name) for name in Outcome.__slots__}


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
