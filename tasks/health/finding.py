"""What a check of the health check found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tasks.health.probe import HealthProbe


@dataclass(frozen=True)
class HealthFinding:
    """What was checked, whether it is all right (None: a note, or unknown), what was found, and what to do."""

    check: str
    ok: bool | None
    finding: str
    advice: str = ""

    def without(self, secrets: Iterable[str]) -> HealthFinding:
        """Return the finding with secrets replaced, whatever a server has put into its answer."""
        finding, advice = self.finding, self.advice
        for secret in secrets:
            finding, advice = finding.replace(secret, "***"), advice.replace(secret, "***")
        return replace(self, finding=finding, advice=advice)


HealthChecker = Callable[["HealthProbe"], Iterator[HealthFinding]]
