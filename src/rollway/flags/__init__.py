"""Feature flags: flagd definitions compiled once, evaluated, and answered over OFREP.

This room reads no file and no clock, opens no socket, and knows nothing of rollouts: it turns a document
and a context into a value. It will never store flags or decide who is exposed.
"""

from rollway.flags.book import FlagBook
from rollway.flags.definitions import Flag, FlagSet, read_definitions
from rollway.flags.evaluate import evaluate
from rollway.flags.exposure import exposure_definition, served_share
from rollway.flags.ofrep import EVENTS_PATH, Answer, answer_all, answer_one, change_event
from rollway.flags.resolution import MISSING, Missing, Resolution
from rollway.flags.rules import FlagError

__all__ = [
    "EVENTS_PATH",
    "MISSING",
    "Answer",
    "Flag",
    "FlagBook",
    "FlagError",
    "FlagSet",
    "Missing",
    "Resolution",
    "answer_all",
    "answer_one",
    "change_event",
    "evaluate",
    "exposure_definition",
    "read_definitions",
    "served_share",
]
