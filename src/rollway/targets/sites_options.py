"""The options of the target `sites`, read and checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rollway.facts.model import Window
from rollway.facts.time_zones import known_zones
from rollway.targets.asking_people import person, words
from rollway.targets.options import Options
from rollway.targets.programs import is_words
from rollway.targets.sites_crew import Orders
from rollway.targets.sites_list import Site, read_sites
from rollway.targets.sites_people import Letters
from rollway.targets.sites_rules import Budget

OPTIONS = {
    "sites": "tills.csv",
    "state": "/var/lib/rollway/tills",
    "candidate": '"2.4.0"',
    "baseline": '"2.3.1"',
    "up": '[./till-update, "{site}", "{version}"]',
    "down": '[./till-update, "{site}", "{version}"]',
    "check": '[./till-version, "{site}"]',
    "dry_run": '[./till-update, --dry-run, "{site}", "{version}"]',
    "parallel": "8",
    "failures": "2%",
    "timeout": "300",
    "retries": "1",
    "folder": "/srv/deploy",
    "hours": '"22:00-05:00"',
    "timezone": "Europe/Berlin",
    "each": "group",
    "owner": "eva",
    "backup": "tom",
    "name": "tills",
}
"""Every option with an example.

- `sites`: a list of `{site, group, owner, timezone}`, or the name of a CSV or YAML file with these columns;
- `state`: the folder in which the status of each site is kept;
- `candidate`, `baseline`: the two versions, as `check` tells them;
- `up`, `down`: the command that gives a site the version, with `{site}`, `{version}` and `{group}` filled in;
  or, where it is one text, what a person is asked to do;
- `check`: ends with 0 where the site is ready; what it prints last, if anything, is the site's version;
- `dry_run`: the same as `down`, on nothing: tried and timed beforehand;
- `parallel`: how many commands run at once; `timeout`: seconds for each; `retries`: how often it is run again
  where it failed;
- `failures`: how many sites of one wave may fail, as a number or a percentage;
- `folder`: where commands run;
- `hours`: when a site may be given the new version, in its own day; going back is at any hour;
- `timezone`: of sites whose row names none;
- `each`: people are asked by `site` or by `group`; `owner`, `backup`: who, where the row names nobody;
- `name`: what is switched, where two plans are about the same sites.
"""
_LONGEST_SECONDS = 24 * 3600.0
_MOST_AT_ONCE = 64
_HOURS = re.compile(r"((?:[01]\d|2[0-3]):[0-5]\d)\s*-\s*((?:[01]\d|2[0-3]):[0-5]\d)")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%")
_IN_COMMANDS = ("site", "version", "group")
_IN_TEXTS = ("site", "version", "group", "candidate")


@dataclass(frozen=True, slots=True)
class How:
    """All that the options say. `letters` is None where commands do the work."""

    listed: object
    state: Path
    name: str
    orders: Orders
    letters: Letters | None
    hours: tuple[str, str] | None
    timezone: str

    def sites(self) -> tuple[Site, ...]:
        """The list as it stands in the options or in its file now. Raises InputError."""
        return read_sites(self.listed)

    def window(self, site: Site) -> Window:
        """When the site may be given the new version, in its own day."""
        opens, closes = self.hours or ("00:00", "00:00")
        return Window(opens=opens, closes=closes, timezone=site.timezone or self.timezone)


def how_of(options: Mapping[str, Any], rollout: str) -> How:
    """Raises InputError that names the option."""
    given = Options(options, "sites", OPTIONS)
    is_by_people = isinstance(given.raw("up"), str)
    candidate, baseline = given.text("candidate"), given.text("baseline")
    if candidate == baseline:
        raise given.error("baseline", f"{baseline} is the candidate too")
    state = Path(given.text("state"))
    if is_by_people:
        for name in ("check", "dry_run", "hours", "parallel", "timeout", "retries"):
            if name in given:
                raise given.error(name, "is for commands, and `up` is a text for people; command or text? ")
    elif "each" in given:
        raise given.error("each", "is for people, and `up` is a command")
    orders = Orders(
        candidate,
        baseline,
        up=() if is_by_people else _command(given, "up"),
        down=() if is_by_people else _command(given, "down"),
        check=_command(given, "check"),
        dry_run=_command(given, "dry_run"),
        timeout=given.number("timeout", 300.0, at_most=_LONGEST_SECONDS),
        tries=1 + int(given.number("retries", 1, above=-1, at_most=20)),
        parallel=int(given.number("parallel", 8, above=0.99, at_most=_MOST_AT_ONCE)),
        folder=given.text("folder", "."),
        rollout=rollout,
        budget=_budget(given),
    )
    letters = _letters(given, candidate, baseline) if is_by_people else None
    name = given.text("name", str(state))
    return How(given.raw("sites"), state, name, orders, letters, _hours(given), _timezone(given))


def _command(given: Options, name: str) -> tuple[str, ...]:
    value = given.raw(name)
    if value is None and name in ("check", "dry_run"):
        return ()
    if not is_words(value):
        raise given.error(name, "is missing" if value is None else "is no list of words")
    return tuple(value or ())


def _letters(given: Options, candidate: str, baseline: str) -> Letters:
    each = given.text("each", "site")
    if each not in ("site", "group"):
        raise given.error("each", f"{each} is neither site nor group")
    return Letters(
        up=words(given, "up", _IN_TEXTS),
        down=words(given, "down", _IN_TEXTS),
        by_group=each == "group",
        owner=person(given, "owner"),
        backup=person(given, "backup"),
        candidate=candidate,
        baseline=baseline,
    )


def _budget(given: Options) -> Budget:
    value = given.raw("failures")
    if isinstance(value, str) and (found := _PERCENT.fullmatch(value.strip())) and float(found[1]) < 100:
        return Budget(part=float(found[1]) / 100)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return Budget(number=value)
    if value is None:
        return Budget()
    raise given.error("failures", f"{value!r} is neither a number of sites nor a percentage of them")


def _hours(given: Options) -> tuple[str, str] | None:
    if "hours" not in given:
        return None
    value = given.text("hours")
    found = _HOURS.fullmatch(value.strip())
    if not found or found[1] == found[2]:
        raise given.error("hours", f"{value!r} is no time of day to another")
    return found[1], found[2]


def _timezone(given: Options) -> str:
    value = given.text("timezone", "UTC")
    if value not in known_zones():
        raise given.error("timezone", f"there is no time zone {value!r}")
    return value
