"""The use cases, and the runtime that carries rollouts out. The command line and the web call this room
and nothing below it; it holds no rule that belongs to another room."""

from rollway.app.service import Rollway, utc_now

__all__ = ["Rollway", "utc_now"]
