"""Access rules and fault switches (plex 1.3, 1.4, 11.2)."""

from __future__ import annotations

import socket
import threading
import time

import pytest
import requests

from sandbox.plex import PlexSim, Section
from tests.sandbox.plex.conftest import Wait

pytestmark = [pytest.mark.integration, pytest.mark.unmeasured]

UNAUTHORIZED = "<html><head><title>Unauthorized</title></head><body><h1>401 Unauthorized</h1></body></html>"


@pytest.fixture
def bare() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    return session


def test_token_in_header_or_query(plex: PlexSim, scenes: Section, bare: requests.Session) -> None:
    with bare:
        assert bare.get(f"{plex.url}/identity").status_code == 200
        for url, headers in (
            (plex.url, {}),
            (plex.url, {"X-Plex-Token": "wrong"}),
            (f"{plex.url}/?X-Plex-Token=wrong", {}),
        ):
            answer = bare.get(url, headers=headers)
            assert (answer.status_code, answer.text, len(answer.content)) == (401, UNAUTHORIZED, 91)
            assert answer.headers["Content-Type"] == "text/html"
        assert bare.get(f"{plex.url}/", headers={"X-Plex-Token": plex.token}).status_code == 200
        assert bare.get(f"{plex.url}/?X-Plex-Token={plex.token}").status_code == 200


def test_unclaimed_server_ignores_tokens(plex: PlexSim, bare: requests.Session) -> None:
    plex.identity.claimed = False
    with bare:
        assert bare.get(plex.url).status_code == 200
        assert bare.get(plex.url, headers={"X-Plex-Token": "wrong"}).status_code == 200


def test_guest_may_read_but_not_edit(plex: PlexSim, scenes: Section, bare: requests.Session) -> None:
    plex.identity.guests.add("guest")
    with bare:
        bare.headers["X-Plex-Token"] = "guest"
        assert bare.get(f"{plex.url}/library/sections/1/all?type=1").status_code == 200
        assert bare.put(f"{plex.url}/library/sections/1/all?type=1&id=1&title.value=x").status_code == 403
        assert plex.item(1).title == "scene 00"


@pytest.mark.parametrize(
    ("host", "status"),
    [("plex.example.org", 401), ("plex.example.org:32400", 401), ("localhost:1", 200), ("10.0.0.1", 200),
     ("[::1]:5", 200), ("10-0-0-1.abc.plex.direct:32400", 200), ("my.plex", 200)],
)  # fmt: skip
def test_unknown_host_name_is_refused(plex: PlexSim, http: requests.Session, host: str, status: int) -> None:
    plex.identity.hosts.add("my.plex")
    assert http.get(plex.url, headers={"Host": host}).status_code == status


def test_too_long_request_line_is_refused(plex: PlexSim, scenes: Section, http: requests.Session) -> None:
    plex.url_limit = 300
    assert http.put(f"{plex.url}/library/sections/1/all?type=1&id=1&title.value={'x' * 100}").status_code == 200
    assert http.put(f"{plex.url}/library/sections/1/all?type=1&id=1&title.value={'y' * 300}").status_code == 400
    assert plex.item(1).title == "x" * 100


def test_maintenance_affects_every_request(plex: PlexSim, http: requests.Session) -> None:
    plex.faults.status = 503
    for path in ("/identity", "/", "/library/sections"):
        assert http.get(plex.url + path).status_code == 503
    answer = http.get(plex.url, headers={"Accept": "application/json"})
    assert answer.json()["Response"]["title"] == "Maintenance"
    plex.faults.clear()
    assert http.get(plex.url).status_code == 200
    assert plex.counters["GET /"] == 3


def test_starting_up_refuses_only_writes(plex: PlexSim, scenes: Section, http: requests.Session) -> None:
    plex.faults.starting_up = True
    assert http.get(plex.url).status_code == 200
    answer = http.put(f"{plex.url}/library/sections/1/all?type=1&id=1&title.value=x")
    assert answer.status_code == 400
    assert "still starting up. Please retry later" in answer.text
    assert plex.puts == 1
    assert plex.writes == []


def test_busy_every_fails_every_third_write(plex: PlexSim, scenes: Section, http: requests.Session) -> None:
    plex.faults.busy_every = 3
    url = f"{plex.url}/library/sections/1/all?type=1&id=1&title.value=x"
    assert [http.put(url).status_code for _ in range(6)] == [200, 200, 500, 200, 200, 500]


def test_fault_ends_after_its_number_of_requests(plex: PlexSim, scenes: Section, http: requests.Session) -> None:
    plex.faults.set(status=500, times=2, only="^GET /library")
    paths = ("/", "/library", "/", "/library", "/library")
    assert [http.get(plex.url + path).status_code for path in paths] == [200, 500, 200, 500, 200]
    with pytest.raises(AttributeError):
        plex.faults.set(nonsense=1)


def test_reset_connection(plex: PlexSim, http: requests.Session) -> None:
    plex.faults.set(reset=True, times=1)
    with pytest.raises(requests.ConnectionError):
        http.get(plex.url)
    assert http.get(plex.url).status_code == 200
    assert [line.status for line in plex.requests] == [0, 200]


def test_refused_port_opens_again_at_the_same_address(plex: PlexSim, http: requests.Session) -> None:
    url = plex.url
    plex.faults.refuse()
    with pytest.raises(requests.ConnectionError):
        http.get(url)
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))):
        pass
    plex.faults.accept()
    assert plex.url == url
    assert http.get(url).status_code == 200


def test_idle_connections_are_closed(plex: PlexSim, http: requests.Session) -> None:
    http.get(plex.url)
    plex.faults.close_idle()
    # requests notices the closed socket and takes a new one
    assert http.get(plex.url).status_code == 200


def test_hanging_write_is_not_applied_after_a_disconnect(
    plex: PlexSim, scenes: Section, http: requests.Session, wait: Wait
) -> None:
    plex.faults.hang = True
    with pytest.raises(requests.ReadTimeout):
        http.put(f"{plex.url}/library/sections/1/all?type=1&id=1&title.value=x", timeout=0.1)
    wait(lambda: [line.status for line in plex.requests] == [0])
    assert plex.item(1).title == "scene 00"


def test_hang_after_applies_the_write_and_holds_the_answer(
    plex: PlexSim, scenes: Section, http: requests.Session, wait: Wait
) -> None:
    plex.faults.set(hang=True, hang_after=True)
    with pytest.raises(requests.ReadTimeout):
        http.put(f"{plex.url}/library/sections/1/all?type=1&id=1&title.value=x", timeout=0.1)
    wait(lambda: plex.item(1).title == "x")


def test_hang_ends_when_cleared_or_after_its_time(plex: PlexSim, http: requests.Session, wait: Wait) -> None:
    plex.faults.hang = True
    answers: list[int] = []
    caller = threading.Thread(target=lambda: answers.append(http.get(plex.url).status_code))
    caller.start()
    wait(lambda: plex.counters["GET /"] == 1)
    assert answers == []
    plex.faults.clear()
    caller.join(5)
    assert answers == [200]
    plex.faults.hang = 0.05
    begun = time.monotonic()
    assert http.get(plex.url).status_code == 200
    assert time.monotonic() - begun >= 0.05


def test_latency_switches(plex: PlexSim, scenes: Section, http: requests.Session) -> None:
    def seconds(method: str, path: str) -> float:
        begun = time.monotonic()
        http.request(method, plex.url + path)
        return time.monotonic() - begun

    plex.faults.latency = 0.02
    assert seconds("GET", "/identity") >= 0.02
    plex.faults.set(write_latency=0.04)
    assert seconds("PUT", "/library/sections/1/all?type=1&id=1&title.value=x") >= 0.04
    plex.faults.set(item_latency=0.005)
    assert seconds("GET", "/library/sections/1/all?type=1") >= 0.06


def test_keep_alive_answers_at_once(plex: PlexSim, http: requests.Session) -> None:
    begun = time.monotonic()
    for _ in range(50):
        http.get(f"{plex.url}/identity")
    # a delayed acknowledgement would cost 40 ms each (plex 11.2)
    assert time.monotonic() - begun < 1.5
