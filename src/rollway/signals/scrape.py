"""Reads a KPI from a service's own metrics page, in the Prometheus text format or in OpenMetrics."""

from __future__ import annotations

from typing import ClassVar

from rollway.signals.counted import CountedSignal
from rollway.signals.pages import Page, PageReader, Trouble


class ScrapeSignal(CountedSignal):
    """The counters of one metrics page, told apart by a label that names the version.

    Options: `url`; `arm_label`, `candidate`, `baseline`: the label and its two values; for a rate or a
    check `total` and `bad` (the good ones, for a rate of which less is worse), for an assignment `total`,
    for a latency `histogram` (its base name): selectors; `timeout` (default 2s).
    """

    name: ClassVar[str] = "scrape"
    reader: ClassVar[PageReader] = PageReader()

    def page(self, now: float) -> Page | Trouble:
        """The page as it is now."""
        return self.reader.read(self.options.source, now)
