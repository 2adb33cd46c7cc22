"""For how long what was sent is kept is a setting, and a wrong one is said before anything is forgotten."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rollway.app.outbox import keep_for
from rollway.errors import InputError


@pytest.mark.parametrize(("said", "days"), [({}, 90), ({"ROLLWAY_KEEP_SENT_DAYS": " 400 "}, 400)])
def test_what_was_sent_is_kept_for_ninety_days_or_as_long_as_is_said(said: dict[str, str], days: int) -> None:
    """Whole days."""
    assert keep_for(said) == timedelta(days=days)


@pytest.mark.parametrize("said", ["0", "-1", "a year", "1.5", "1000000"])
def test_what_is_no_number_of_days_is_named(said: str) -> None:
    """Nothing is forgotten by a slip."""
    with pytest.raises(InputError, match="ROLLWAY_KEEP_SENT_DAYS"):
        keep_for({"ROLLWAY_KEEP_SENT_DAYS": said})
