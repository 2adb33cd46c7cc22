"""What the server pushes to a live page."""

from __future__ import annotations

import threading
import time

import pytest

from rollway.web.live import LOOK_EVERY
from web.site import Site


def test_a_move_is_pushed_within_a_second(site: Site) -> None:
    """Who watches sees a new stage less than a second after the tick that entered it."""
    rollout = site.story.start()
    site.story.tick(rollout, 2)
    events = site.events(f"/rollouts/{rollout}/events")
    _, first_id, first = next(events)
    assert set(first["regions"]) == {"head", "actions", "waits", "stages", "verdict", "kpis", "record"}
    assert first["is_whole"]
    site.story.tick_until(rollout, lambda state: state.stage == 1)
    began = time.monotonic()
    _, second_id, second = next(events)
    assert time.monotonic() - began < 1
    assert int(second_id) > int(first_id)
    assert "Entering 10% of users" in second["regions"]["record"]
    assert not second["is_whole"]


def test_only_what_changed_is_pushed(site: Site) -> None:
    """A tick that changes a few numbers does not send the record again, and sends one point per series."""
    rollout = site.story.start()
    site.story.tick(rollout, 9)
    events = site.events(f"/rollouts/{rollout}/events")
    next(events)
    site.story.tick(rollout)
    _, _, change = next(events)
    assert "record" not in change["regions"]
    assert "head" in change["regions"]
    assert len(change["series"]["at"]) == 1


def test_a_page_that_comes_back_gets_what_it_missed(site: Site) -> None:
    """With the last event's id the stream goes on there: all regions, and the new points only."""
    rollout = site.story.start()
    site.story.tick(rollout, 6)
    _, last, first = next(site.events(f"/rollouts/{rollout}/events"))
    site.story.tick(rollout, 3)
    _, _, change = next(site.events(f"/rollouts/{rollout}/events", **{"last-event-id": last}))
    assert len(change["series"]["at"]) == 3
    assert change["series"]["at"][0] > first["series"]["at"][-1]
    assert not change["is_whole"]


@pytest.mark.parametrize("mad", ["9" * 30, "9" * 5000, "-7", "x"])
def test_an_id_that_was_never_ours_starts_from_the_beginning(site: Site, mad: str) -> None:
    """Whatever a client sends as its last event, it gets the page as it stands."""
    rollout = site.story.start()
    site.story.tick(rollout, 2)
    _, _, first = next(site.events(f"/rollouts/{rollout}/events", **{"last-event-id": mad}))
    assert first["is_whole"]
    assert site.client.get(f"/rollouts/{rollout}/events", params={"seq": mad}).status_code == 400


def test_the_stream_of_an_ended_rollout_ends(site: Site) -> None:
    """The last state is pushed, then the end is told, then the connection is closed."""
    rollout = site.story.start()
    site.story.tick(rollout, 6)
    site.rollway.say(rollout, "rollback", "kaya")
    site.story.tick(rollout, 2)
    kinds = [kind for kind, _, _ in site.events(f"/rollouts/{rollout}/events")]
    assert kinds == ["change", "end"]


def test_a_page_in_the_background_holds_no_connection(site: Site) -> None:
    """It is told what changed and let go; where nothing changed it is told nothing."""
    rollout = site.story.start()
    site.story.tick(rollout, 3)
    path = f"/rollouts/{rollout}/events?once=true"
    (event,) = site.events(path)
    assert list(site.events(f"{path}&seq={event[1]}")) == []


def test_all_who_watch_share_one_look(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many watchers cost the database no more than one."""
    rollout = site.story.start()
    site.story.tick(rollout, 3)
    looks: list[float] = []
    look = site.rollway.rollouts.seq

    def counted(rollout: str) -> int | None:
        looks.append(time.monotonic())
        return look(rollout)

    monkeypatch.setattr(site.rollway.rollouts, "seq", counted)
    streams = [site.events(f"/rollouts/{rollout}/events") for _ in range(8)]
    for stream in streams:
        next(stream)
    looks.clear()
    time.sleep(3 * LOOK_EVERY)
    assert 0 < len(looks) <= 5


def test_a_server_that_stops_does_not_wait_for_its_watchers(site: Site) -> None:
    """Ctrl-C ends the server although a page is watching, and the watcher sees its stream end."""
    rollout = site.story.start()
    site.story.tick(rollout, 3)
    events = site.events(f"/rollouts/{rollout}/events")
    next(events)
    ended = threading.Event()

    def watch() -> None:
        for _ in events:
            pass
        ended.set()

    threading.Thread(target=watch, daemon=True).start()
    began = time.monotonic()
    site.server.should_exit = True
    assert ended.wait(5)
    assert time.monotonic() - began < 2
