"""How soon is a bad release stopped, how often a good one? Rollway beside the limit and other rules.

    python -m benchmarks.judge --quick

Every method reads the same simulated streams. See docs/judge-benchmark.md.
"""

import os

# One thread for each process: the machine's cores are shared by whole scenarios instead.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
