"""Sites before anything moves: what preflight asks them, options, and the file that lists them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from rollway.errors import InputError
from rollway.rollout.serving import is_clear
from rollway.targets.sites import SitesTarget
from support.shops import Shops
from support.sites import target


def told_of(switch: SitesTarget) -> dict[str, tuple[str, str]]:
    return {check.name: (check.state, check.told) for check in switch.preflight()}


def test_beforehand_every_site_is_asked_and_the_way_back_is_tried_on_nothing(shops: Shops) -> None:
    """All shops answer; the dry run is timed; no shop is touched and no status is written."""
    dry = [sys.executable, "-c", "import time; time.sleep(0.1)", "{site}"]
    switch = target(shops, dry_run=dry)
    told = told_of(switch)
    assert is_clear(switch.preflight())
    assert told["reachable"] == ("ok", "12 sites in 3 groups")
    assert told["sites answer"] == ("ok", "all 12 are ready")
    assert told["way back"][1].startswith("tried on nothing at 3 sites; all 12 would take about ")
    assert shops.diary() == []
    assert not shops.state.exists()


def test_beforehand_sites_that_do_not_answer_are_named(shops: Shops) -> None:
    """A shop without a version, and one with a third version, are found before anything moves."""
    (shops.root / "S004" / "version").unlink()
    (shops.root / "S009" / "version").write_text("1.9")
    state, told = told_of(target(shops))["sites answer"]
    assert state == "failed"
    assert told.startswith("2 of 12 do not: S004: ")
    assert "S009 tells 1.9, which is neither 2.3.1 nor 2.4.0" in told
    assert told_of(target(shops, up=["./no-such", "{site}"]))["commands found"][0] == "failed"
    assert (
        told_of(target(shops))["way back"][0] == "unknown" if "way back" in told_of(target(shops)) else True
    )


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"sites": None}, "target.sites: is missing"),
        ({"sites": []}, "target.sites: is neither a file nor a list of sites"),
        ({"sites": "/no/such.csv"}, "target.sites: /no/such.csv: No such file or directory"),
        ({"sites": [{"site": "a", "grp": "b"}]}, "target.sites: 0.grp: a site has nothing like this"),
        ({"sites": ["a", "a"]}, "target.sites: 1.site: 'a' stands in this list twice"),
        ({"up": None}, "target.up: is missing"),
        ({"down": "take it back"}, "target.down: is no list of words"),
        ({"failures": "many"}, "target.failures: 'many' is neither"),
        ({"failures": "100%"}, "target.failures: '100%' is neither"),
        ({"hours": "22-5"}, "target.hours: '22-5' is no time of day"),
        ({"timezone": "Berlin"}, "target.timezone: there is no time zone 'Berlin'"),
        ({"baseline": "2.4.0"}, "target.baseline: 2.4.0 is the candidate too"),
        ({"each": "group"}, "target.each: is for people"),
        ({"paralel": 3}, "target.paralel: the sites target has no such option"),
    ],
)
def test_options_that_cannot_be_used_are_told_by_name(
    shops: Shops, options: dict[str, Any], told: str
) -> None:
    """Before anything runs, and with an example."""
    with pytest.raises(InputError) as caught:
        target(shops, **options)
    assert told in str(caught.value)
    assert caught.value.hint


CSV = """\
site,group,owner,timezone,tills
Karl Johans gate,Oslo,kari,Europe/Oslo,12
Via Appia,Rome,luca,Europe/Roma,7
Karl Johans gate,Oslo,,,3
,Wien,,,
Graben,Wien,"eva, tom",,1
"""


def test_a_file_of_sites_is_told_with_the_places_of_what_is_wrong(shops: Shops, tmp_path: Path) -> None:
    """All of it at once, with line and column; columns of others do not matter."""
    file = tmp_path / "tills.csv"
    file.write_text(CSV)
    with pytest.raises(InputError) as caught:
        target(shops, sites=str(file))
    told = str(caught.value)
    assert f"{file}:3:21: timezone: there is no time zone 'Europe/Roma'; did you mean 'Europe/Rom" in told
    assert f"{file}:4:1: site: 'Karl Johans gate' stands in this list twice" in told
    assert f"{file}:5:1: site: a site without a name" in told
    assert f"{file}:6:14: owner: an owner is one person" in told
    file.write_text("site,grup\na,b\n")
    with pytest.raises(InputError, match=r"tills\.csv:1:6: 'grup' is no column; is it 'group'\?"):
        target(shops, sites=str(file))


def test_a_file_may_be_yaml(shops: Shops, tmp_path: Path) -> None:
    """A list of names or of mappings, under `sites` or alone; faults have their place."""
    file = tmp_path / "tills.yaml"
    file.write_text("sites:\n  - S001\n  - {site: S002, group: Oslo, timezone: Europe/Oslo}\n")
    assert [row.site.group for row in target(shops, sites=str(file)).table()] == ["", "Oslo"]
    file.write_text("- S001\n- {site: S002, timezone: Oslo}\n")
    with pytest.raises(InputError, match=r"tills\.yaml:2:26: timezone: there is no time zone 'Oslo'"):
        target(shops, sites=str(file))
