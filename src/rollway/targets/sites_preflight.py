"""What is found of the sites before anything moves; nothing is changed at any of them."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rollway.errors import TemporaryError
from rollway.judge.words import seconds
from rollway.rollout.serving import Check
from rollway.targets.programs import run_program
from rollway.targets.sites_crew import Orders
from rollway.targets.sites_list import Site
from rollway.targets.sites_options import How
from rollway.targets.sites_people import Letters

_DRY_RUNS = 20
_NAMED = 5


def before(how: How, sites: Sequence[Site]) -> tuple[Check, ...]:
    """All checks. The first one says whether the list can be used at all."""
    groups = {site.group for site in sites if site.group}
    told = f"{len(sites)} sites in {len(groups)} groups" if groups else f"{len(sites)} sites"
    checks = [Check("reachable", "ok", told), _kept(how)]
    if how.letters is not None:
        return (*checks, *_owners(how.letters, sites))
    checks += _commands(how.orders)
    checks.append(_hours(how, sites))
    if all(check.state != "failed" for check in checks):
        checks += [_answers(how.orders, sites), _way_back(how.orders, sites)]
    return tuple(check for check in checks if check.told)


def _kept(how: How) -> Check:
    folder = how.state
    there = next(parent for parent in (folder, *folder.resolve().parents) if parent.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        return Check("status kept", "failed", f"{there} cannot be written to", "name another target.state")
    return Check("status kept", "ok", f"in {folder}")


def _owners(letters: Letters, sites: Sequence[Site]) -> Iterator[Check]:
    nobody = [site.name for site in sites if not site.owner and not letters.owner]
    if nobody:
        hint = "fill the column owner, or name one for all as target.owner"
        yield Check("owners named", "failed", f"nobody is asked for {_listed(nobody)}", hint)
    else:
        owners = {site.owner or letters.owner for site in sites}
        yield Check("owners named", "ok", f"{len(owners)} {'people are' if len(owners) > 1 else 'is'} asked")
    if not letters.backup:
        hint = "name one as target.backup"
        yield Check("backup named", "unknown", "nobody stands in for those who are asked", hint)
    told = f"people go back by hand: {letters.down}"
    yield Check("way back", "unknown", told, "try it at one site, and write down how long it takes")


def _commands(orders: Orders) -> Iterator[Check]:
    missing = []
    for command in filter(None, (orders.up, orders.down, orders.check, orders.dry_run)):
        word = command[0]
        here = str(Path(orders.folder) / word) if "/" in word else word
        if "{" not in word and shutil.which(here) is None:
            missing.append(word)
    if missing:
        told = f"{_listed(sorted(set(missing)))} cannot be run"
        yield Check("commands found", "failed", told, f"commands run in the folder {orders.folder}")
    else:
        yield Check("commands found", "ok", "all of them can be run")


def _hours(how: How, sites: Sequence[Site]) -> Check:
    if how.hours is None:
        return Check("hours", "ok", "")
    told = f"{how.hours[0]}-{how.hours[1]} of each site's own day"
    unsaid = [site.name for site in sites if not site.timezone]
    if unsaid:
        told = f"{told}; {_listed(unsaid)}: taken as {how.timezone}"
    return Check("hours", "ok", told)


def _answers(orders: Orders, sites: Sequence[Site]) -> Check:
    """Every site's check, as many at once as may be."""
    if not orders.check:
        told = "without a check the end of a command is all that is known of a site"
        return Check("sites answer", "unknown", told, "name one as target.check")
    began = time.perf_counter()
    with ThreadPoolExecutor(orders.parallel) as pool:
        wrong = [told for told in pool.map(lambda site: _wrong(orders, site), sites) if told]
    took = round(time.perf_counter() - began, 3)
    if wrong:
        more = f"; and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        told = f"{len(wrong)} of {len(sites)} do not: {'; '.join(wrong[:3])}{more}"
        hint = "mend them, or take them off the list: each would count as failed"
        return Check("sites answer", "failed", told, hint, took)
    return Check("sites answer", "ok", f"all {len(sites)} are ready", "", took)


def _wrong(orders: Orders, site: Site) -> str:
    try:
        said = orders.version_of(site, orders.baseline)
    except TemporaryError as error:
        return f"{site.name}: {error.message}"
    if said and said not in (orders.baseline, orders.candidate):
        return f"{site.name} tells {said[:60]}, which is neither {orders.baseline} nor {orders.candidate}"
    return ""


def _way_back(orders: Orders, sites: Sequence[Site]) -> Check:
    """The dry run at one site of each group, timed; how long all of them would take."""
    if not orders.dry_run:
        told = "it is tried for the first time when it is needed"
        hint = "name a command that goes back on nothing as target.dry_run"
        return Check("way back", "unknown", told, hint)
    some = list({site.group: site for site in sites}.values())[:_DRY_RUNS]
    began = time.perf_counter()
    try:
        for site in some:
            run_program(
                orders.words(orders.dry_run, site, orders.baseline),
                timeout=orders.timeout,
                folder=orders.folder,
                environment=orders.environment(site, orders.baseline),
            )
    except TemporaryError as error:
        return Check("way back", "failed", error.message, error.hint)
    took = time.perf_counter() - began
    whole = max(1.0, took / len(some) * -(-len(sites) // orders.parallel))
    tried = f"tried on nothing at {len(some)} {'site' if len(some) == 1 else 'sites'}"
    told = f"{tried}; all {len(sites)} would take about {seconds(whole)}, {orders.parallel} at once"
    return Check("way back", "ok", told, "", round(took, 3))


def _listed(names: Sequence[str]) -> str:
    told = ", ".join(names[:_NAMED])
    return f"{told} and {len(names) - _NAMED} more" if len(names) > _NAMED else told
