"""How much the suite does: a little with all other tests, much with ``make torture``; seeded either way."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import seed as hypothesis_seed

LONG = bool(os.environ.get("TORTURE"))
# A failure of the long form is repeated with the same number.
SEED = int(os.environ.get("TORTURE_SEED", "20260"))

# How many generated inputs each parser gets in the short form, over all of its tests.
EACH_PARSER = 500


def many(short: int, long: int) -> int:
    """A number of rounds; TORTURE as a share (0.1) takes so much of the long one."""
    if not LONG:
        return short
    return max(short, int(long * float(os.environ["TORTURE"])))


def dice(name: str) -> random.Random:
    """Random numbers for one test, the same in each run."""
    return random.Random(f"{SEED} {name}")


def generated(short: int = EACH_PARSER // 3 + 1, long: int = 10_000) -> Callable[[Any], Any]:
    """Settings of a test with generated inputs. A busy machine is slow, not wrong; what never ends is found by the
    test itself."""

    def with_settings(test: Any) -> Any:
        chosen = settings(
            max_examples=many(short, long),
            deadline=None,
            database=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.generate, Phase.shrink],
        )
        return hypothesis_seed(SEED)(chosen(test))

    return with_settings
