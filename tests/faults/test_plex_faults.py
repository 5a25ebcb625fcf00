"""Plex fails in every way, for a while in the middle of a bulk; nobody does anything, and everything gets done."""

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

pytestmark = [pytest.mark.fault, pytest.mark.slow(seconds=40)]

FOR = 40.0
# The longest pause of the breaker, of a job, and of a look at the libraries.
AFTER = 160.0
EVERY: dict[str, dict[str, Any]] = {
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


# Those that are covered by their like are left to the long form.
LIKE_OTHERS = {
    *("closed without an answer", "hangs after a good write", "slow everything", "no body", "noise in the XML"),
    *("another charset", "500 after a good write", "504 after a good write", "401 for writes", "404 for all"),
    *("no libraries yet", "a proxy's page", "every second connection is reset", "502 of a proxy"),
}
FAULTS = [name for name in EVERY if LONG or name not in LIKE_OTHERS]


@pytest.mark.parametrize("name", FAULTS)
def test_for_a_while_in_the_middle_of_a_bulk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, fault_counts: FaultCounts
) -> None:
    with WorkerHarness(tmp_path, monkeypatch) as harness:
        for number in range(repetitions(1, 12)):
            scenes = harness.edit_all_scenes(number)
            begun = begins(harness, EVERY[name], seeded_random(f"{name} {number}").randrange(3, 18))
            harness.run_worker(FOR + AFTER)
            assert begun.is_set()
            harness.plex.on_write = None
            assert harness.premature_exits == []
            assert harness.problems(scenes) == []
            fault_counts.add("faults of Plex in mid-drain")


def begins(harness: WorkerHarness, switches: dict[str, Any], writes: int) -> threading.Event:
    """The fault begins after so many writes, and ends by itself. Gives whether it has begun."""
    left = [writes]
    begun = threading.Event()

    def end() -> None:
        harness.plex.faults.clear()
        harness.plex.faults.accept()

    def count(item: object) -> None:
        left[0] -= 1
        if left[0] == 0:
            if "refuse" in switches:
                # from a thread of the server that is closed
                threading.Thread(target=harness.plex.faults.refuse).start()
            else:
                harness.plex.faults.set(**switches)
            harness.schedule(FOR, end)
            begun.set()

    harness.plex.on_write = count
    return begun


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")
def test_a_certificate_that_is_refused_until_a_person_gives_another_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault_counts: FaultCounts
) -> None:
    with WorkerHarness(tmp_path, monkeypatch, plex=PlexSim(tls=self_signed(tmp_path))) as harness:
        scenes = harness.edit_all_scenes(1)
        harness.schedule(60, lambda: speak_plainly(harness))
        harness.schedule(50, lambda: waits_for_the_certificate(harness, len(scenes)))
        harness.run_worker(300)
        assert harness.premature_exits == []
        assert harness.problems(scenes) == []
        fault_counts.add("faults of Plex in mid-drain")


def self_signed(folder: Path) -> ssl.SSLContext:
    """A server's side of https with a certificate that nobody vouches for."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=plex", "-days", "2"]
    subprocess.run([*command, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def waits_for_the_certificate(harness: WorkerHarness, count: int) -> None:
    """It is said, and nothing is given up."""
    assert "certificate" in (harness.attention() or "")
    assert harness.queue_counts()["waiting"] > count // 2
    assert harness.dead_letters() == []


def speak_plainly(harness: WorkerHarness) -> None:
    """The same server over http, and the settings say so."""
    harness.plex.faults.refuse()
    harness.plex._http._tls = None
    harness.plex.faults.accept()
    harness.configure()
