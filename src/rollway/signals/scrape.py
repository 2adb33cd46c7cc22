"""Reads a KPI from a service's own metrics page, in the Prometheus text format or in OpenMetrics."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import ClassVar

from rollway.rollout.ports import Cursor
from rollway.signals.counted import CountedSignal
from rollway.signals.counters import Part, base_name
from rollway.signals.examined import Labels
from rollway.signals.look import is_called
from rollway.signals.pages import Page, PageReader, Trouble
from rollway.signals.selector import Selector


class ScrapeSignal(CountedSignal):
    """The counters of one metrics page, told apart by a label that names the version.

    Options: `url`; `arm_label`, `candidate`, `baseline`: the label and its two values; for a rate or a
    check `total` and `bad` (the good ones, for a rate of which less is worse), for an assignment `total`,
    for a latency `histogram` (its base name): selectors; `timeout` (default 2s).
    """

    name: ClassVar[str] = "scrape"
    reader: ClassVar[PageReader] = PageReader()

    def page(self, now: float, before: Cursor | None = None) -> Page | Trouble:
        """The page as it is now."""
        return self.reader.read(self.options.source, now)

    def series_of(self, selector: Selector, part: Part, now: float) -> Sequence[Labels] | None:
        """Those on the page."""
        page = self.page(now)
        if isinstance(page, Trouble):
            return None
        return [sample.labels for sample in page.samples if is_called(sample, part, selector.metric)]

    def metrics(self, now: float) -> Collection[str]:
        """Those on the page, a histogram by its base name."""
        page = self.page(now)
        if isinstance(page, Trouble):
            return ()
        return {base_name(sample.name) if self.kind == "latency" else sample.name for sample in page.samples}
