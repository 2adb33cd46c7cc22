"""The checks of the review, one file per few areas. `PROBES` is their order in every list."""

from rollway.readiness.checks import cutover, data, people, product, security, tests
from rollway.readiness.probe import Probe

PROBES: tuple[Probe, ...] = (
    *product.PROBES,
    *tests.PROBES,
    *data.PROBES,
    *people.PROBES,
    *security.PROBES,
    *cutover.PROBES,
)

__all__ = ["PROBES"]
