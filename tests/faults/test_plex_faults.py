"""Plex fails in every way for a while during a bulk sync; the worker recovers on its own and finishes everything."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from sandbox.plex import PlexSim
from tests.faults.fault_counts import FaultCounts
from tests.faults.suite_size import LONG, repetitions, seeded_random
from tests.faults.worker_harness import WorkerHarness

pytestmark = [pytest.mark.fault, pytest.mark.slow(seconds=26)]

FAULT_DURATION_S = 40.0
# The longest pause of the circuit breaker, of a retry, and between two refreshes of the index.
RECOVERY_S = 160.0
ALL_FAULTS: dict[str, dict[str, Any]] = {
    "refused": {"refuse": True},
    "reset": {"reset": True},
    "closed without an answer": {"drop": True},
    "reset after a good write": {"reset": True, "after": True, "only": "^(PUT|POST)"},
    "hangs": {"hang": True},
    "hangs after a good write": {"hang": True, "hang_after": True, "only": "^(PUT|POST)"},
    "reads work, writes hang": {"hang": True, "only": "^(PUT|POST)"},
    "slow bytes": {"drip": 0.06},
    "slow everything": {"latency": 0.03},
    "half a body": {"corrupt": "half"},
    "broken XML": {"corrupt": "cut"},
    "no body": {"corrupt": "empty"},
    "noise in the XML": {"corrupt": "noise"},
    "wrong charset": {"corrupt": "latin-1"},
    "another charset": {"corrupt": "utf-16"},
    "XML with entities": {"corrupt": "entities"},
    "429": {"status": 429, "headers": [("Retry-After", "30")]},
    "500 for all": {"status": 500},
    "500 after a good write": {"status": 500, "after": True, "only": "^(PUT|POST)"},
    "500 on every fifth write": {"busy_every": 5},
    "503 maintenance": {"status": 503},
    "502 of a proxy": {"page": 502},
    "504 after a good write": {"status": 504, "after": True, "only": "^(PUT|POST)"},
    "400 starting up": {"starting_up": True},
    "401 in the middle": {"status": 401},
    "401 for writes": {"status": 401, "only": "^(PUT|POST)"},
    "403 for all": {"status": 403},
    "404 for all": {"status": 404},
    "404 for items": {"status": 404, "only": "/library/metadata"},
    "no libraries yet": {"status": 404, "only": "^GET /library/sections"},
    "a proxy's page": {"page": 200},
    "a proxy's page for writes": {"page": 200, "only": "^(PUT|POST)"},
    "a redirect to a login": {"status": 302},
    "every third request fails": {"status": 500, "every": 3},
    "every second connection is reset": {"reset": True, "every": 2},
}


# Faults that resemble others run only in the long form.
LONG_FORM_ONLY = {
    *("closed without an answer", "hangs after a good write", "slow everything", "no body", "noise in the XML"),
    *("another charset", "500 after a good write", "504 after a good write", "401 for writes", "404 for all"),
    *("no libraries yet", "a proxy's page", "every second connection is reset", "502 of a proxy"),
}
FAULTS = [name for name in ALL_FAULTS if LONG or name not in LONG_FORM_ONLY]


@pytest.mark.parametrize("name", FAULTS)
def test_plex_fault_during_a_bulk_sync_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, fault_counts: FaultCounts
) -> None:
    with WorkerHarness(tmp_path, monkeypatch) as harness:
        for number in range(repetitions(1, 12)):
            scenes = harness.edit_all_scenes(number)
            has_begun = start_fault_after_writes(
                harness, ALL_FAULTS[name], seeded_random(f"{name} {number}").randrange(3, 18)
            )
            harness.run_worker(FAULT_DURATION_S + RECOVERY_S)
            assert has_begun.is_set()
            harness.plex.on_write = None
            assert harness.premature_exits == []
            assert harness.problems(scenes) == []
            fault_counts.add("Plex faults during a sync")


def start_fault_after_writes(harness: WorkerHarness, switches: dict[str, Any], writes: int) -> threading.Event:
    """Start the fault after so many writes; it ends by itself. Return an event that is set when it starts."""
    left = [writes]
    begun = threading.Event()

    def end() -> None:
        harness.plex.faults.clear()
        harness.plex.faults.accept()

    def count(item: object) -> None:
        left[0] -= 1
        if left[0] == 0:
            if "refuse" in switches:
                # called in a thread of the server, which cannot close itself
                threading.Thread(target=harness.plex.faults.refuse).start()
            else:
                harness.plex.faults.set(**switches)
            harness.schedule(FAULT_DURATION_S, end)
            begun.set()

    harness.plex.on_write = count
    return begun


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")
def test_refused_certificate_waits_until_the_address_is_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault_counts: FaultCounts
) -> None:
    with WorkerHarness(tmp_path, monkeypatch, plex=PlexSim(tls=self_signed(tmp_path))) as harness:
        scenes = harness.edit_all_scenes(1)
        harness.schedule(60, lambda: switch_to_http(harness))
        harness.schedule(50, lambda: assert_certificate_is_reported(harness, len(scenes)))
        harness.run_worker(300)
        assert harness.premature_exits == []
        assert harness.problems(scenes) == []
        fault_counts.add("Plex faults during a sync")


def self_signed(folder: Path) -> ssl.SSLContext:
    """Return a server context for https with a self-signed certificate."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=plex", "-days", "2"]
    subprocess.run([*command, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def assert_certificate_is_reported(harness: WorkerHarness, count: int) -> None:
    """Assert that the reason is reported and no job is given up."""
    assert "certificate" in (harness.attention() or "")
    assert harness.queue_counts()["waiting"] > count // 2
    assert harness.dead_letters() == []


def switch_to_http(harness: WorkerHarness) -> None:
    """Serve the same library over http and change the setting."""
    harness.plex.faults.refuse()
    harness.plex._http._tls = None
    harness.plex.faults.accept()
    harness.configure()
