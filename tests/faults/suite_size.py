"""The size of the fault suite: short by default, long with ``make torture``; both use a fixed seed."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import seed as hypothesis_seed

LONG = bool(os.environ.get("TORTURE"))
# To reproduce a failure of the long form, run it with the same seed.
SEED = int(os.environ.get("TORTURE_SEED", "20260"))

# The generated inputs that each parser gets in the short form, over all of its tests.
INPUTS_PER_PARSER = 500


def repetitions(short: int, long: int) -> int:
    """Return how often to repeat something. TORTURE=0.1 takes a tenth of the long form."""
    if not LONG:
        return short
    return max(short, int(long * float(os.environ["TORTURE"])))


def seeded_random(name: str) -> random.Random:
    """Return a random generator for one test that is the same in each run."""
    return random.Random(f"{SEED} {name}")


def generated_inputs(short: int = INPUTS_PER_PARSER // 3 + 1, long: int = 10_000) -> Callable[[Any], Any]:
    """Decorate a test with Hypothesis settings.

    There is no deadline, because a busy machine is slow but not wrong; ``time_limit`` in the tests finds endless loops.
    """

    def with_settings(test: Any) -> Any:
        chosen = settings(
            max_examples=repetitions(short, long),
            deadline=None,
            database=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.generate, Phase.shrink],
        )
        return hypothesis_seed(SEED)(chosen(test))

    return with_settings
