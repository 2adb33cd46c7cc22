"""The database: what must not be forgotten, moved in whole transactions. Knows no rule of its own."""

from rollway.store.channels import Channel, ChannelKind, SqlChannels
from rollway.store.database import close_engine, database_url, open_engine
from rollway.store.errands import Asked, SqlErrands
from rollway.store.flags import SqlFlags
from rollway.store.outbox import Claimed, Delivered, SqlOutbox, Standing
from rollway.store.plans import SqlPlans
from rollway.store.pushed import SqlPushed, Taken
from rollway.store.record import Recorded, faults
from rollway.store.rollouts import SqlRollouts

__all__ = [
    "Asked",
    "Channel",
    "ChannelKind",
    "Claimed",
    "Delivered",
    "Recorded",
    "SqlChannels",
    "SqlErrands",
    "SqlFlags",
    "SqlOutbox",
    "SqlPlans",
    "SqlPushed",
    "SqlRollouts",
    "Standing",
    "Taken",
    "close_engine",
    "database_url",
    "faults",
    "open_engine",
]
