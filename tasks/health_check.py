"""Health Check: what is looked at, what was found, and what to do about it. It only reads, in Stash and Plex."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

from api.context import Context
from common import stash_log
from common.errors import UserFacingError
from tasks import health_local, health_plex, health_stash
from tasks.health_probe import HealthFinding, HealthProbe

Check = Callable[[HealthProbe], Iterator[HealthFinding]]

# In the order of what one would ask first. Each survives its own failure.
CHECKS: tuple[tuple[str, Check], ...] = (
    ("Stash", health_stash.reachable),
    ("Settings", health_stash.settings),
    ("Data directory", health_local.writable),
    ("Journal mode", health_local.journal),
    ("Databases", health_local.integrity),
    ("Plex address", health_plex.address),
    ("Plex token", health_plex.token),
    ("Plex version", health_plex.version),
    ("Plex libraries", health_plex.libraries),
    ("Right to edit", health_plex.rights),
    ("Path map", health_plex.path_map),
    ("Files", health_plex.sample),
    ("Queue", health_local.queue),
    ("Dead letters", health_local.dead_letters),
    ("Background worker", health_local.drainer),
    ("Defunct processes", health_local.defunct),
    ("Python", health_local.interpreter),
)
_WORDS = {True: "ok", False: "NOT OK", None: "not known"}


def health_check(context: Context) -> dict[str, Any]:
    """Run all checks, say what they found, and give it as a list."""
    look = HealthProbe(context)
    found: list[HealthFinding] = []
    try:
        for number, (name, check) in enumerate(CHECKS):
            stash_log.progress(number / len(CHECKS))
            for finding in _survived(name, check, look):
                found.append(finding)
                _say(finding)
    finally:
        look.close()
    wrong = sum(finding.ok is False for finding in found)
    if wrong:
        stash_log.warning(f"{wrong} of {len(found)} checks found something to mend: see the lines with NOT OK")
    else:
        stash_log.info(f"{len(found)} checks, nothing to mend")
    return {"healthy": not wrong, "checks": [asdict(finding) for finding in found]}


def _survived(name: str, check: Check, look: HealthProbe) -> Iterator[HealthFinding]:
    try:
        for finding in check(look):
            yield finding.without(look.secrets())
    except Exception as error:  # noqa: BLE001 - one check that fails must not hide the others
        text = " ".join(str(error).split())
        if not isinstance(error, UserFacingError):
            text = f"{type(error).__name__}: {text}"
        yield HealthFinding(name, None, f"could not be checked: {text}").without(look.secrets())


def _say(finding: HealthFinding) -> None:
    line = f"[{_WORDS[finding.ok]}] {finding.check}: {finding.finding}"
    if finding.advice:
        line += f". {finding.advice}"
    (stash_log.warning if finding.ok is False else stash_log.info)(line)
