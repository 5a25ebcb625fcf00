"""Run all checks of the health check, log what they found, and return it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from api.context import Context
from common import stash_log
from common.errors import UserFacingError
from common.human_text import counted
from tasks.health import data_checks, plex_checks, stash_checks, system_checks, worker_checks
from tasks.health.finding import HealthChecker, HealthFinding
from tasks.health.probe import HealthProbe

# In the order in which a person would look. A check that fails does not keep the others from running.
CHECKS: tuple[tuple[str, HealthChecker], ...] = (
    ("Stash", stash_checks.check_connection),
    ("Settings", stash_checks.check_settings),
    ("Data directory", data_checks.check_data_dir),
    ("Journal mode", data_checks.check_journal_mode),
    ("Databases", data_checks.check_integrity),
    ("Plex address", plex_checks.check_address),
    ("Plex token", plex_checks.check_token),
    ("Plex version", plex_checks.check_version),
    ("Plex libraries", plex_checks.check_libraries),
    ("Right to edit", plex_checks.check_right_to_edit),
    ("Path map", plex_checks.check_path_map),
    ("Files", plex_checks.check_newest_files),
    ("Queue", worker_checks.check_queue),
    ("Dead letters", worker_checks.check_dead_letters),
    ("Background worker", worker_checks.check_worker),
    ("Defunct processes", system_checks.check_defunct_processes),
    ("Python", system_checks.check_python),
)
_MARKS = {True: "ok", False: "PROBLEM", None: "note"}


def health_check(context: Context) -> dict[str, object]:
    """Run all checks. Return their findings."""
    probe = HealthProbe(context)
    findings: list[HealthFinding] = []
    try:
        for number, (name, check) in enumerate(CHECKS):
            stash_log.progress(number / len(CHECKS))
            for finding in run_check(name, check, probe):
                findings.append(finding)
                _log(finding)
    finally:
        probe.close()
    problems = sum(finding.ok is False for finding in findings)
    if problems:
        stash_log.warning(f"{counted(problems, 'problem')} in {len(findings)} checks: see the lines marked PROBLEM")
    else:
        stash_log.info(f"{len(findings)} checks, no problems")
    return {"healthy": not problems, "checks": [asdict(finding) for finding in findings]}


def run_check(name: str, check: HealthChecker, probe: HealthProbe) -> Iterator[HealthFinding]:
    """Yield the findings of a check, without secrets. An error becomes a finding too."""
    try:
        for finding in check(probe):
            yield finding.without(probe.secrets())
    except Exception as error:  # noqa: BLE001 - one check that fails must not hide the others
        text = " ".join(str(error).split())
        if not isinstance(error, UserFacingError):
            text = f"{type(error).__name__}: {text}"
        yield HealthFinding(name, None, f"could not be checked: {text}").without(probe.secrets())


def _log(finding: HealthFinding) -> None:
    line = f"[{_MARKS[finding.ok]}] {finding.check}: {finding.finding}"
    if finding.advice:
        line += f". {finding.advice}"
    (stash_log.warning if finding.ok is False else stash_log.info)(line)
