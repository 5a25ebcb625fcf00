"""GraphQL over HTTP beyond the recordings: errors, variables, transports, faults, counters (stash 7.1)."""

from __future__ import annotations

import gzip
import http.client
import json
import shutil
import ssl
import subprocess
import threading
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from sandbox.stash import StashGraphQLError, StashSim

from .support import ask, ended, orders, running, until

pytestmark = [pytest.mark.integration, pytest.mark.unmeasured]

JSON = {"Content-Type": "application/json", "Accept": "application/json"}


def _send(stash: StashSim, **body: Any) -> tuple[int, Any]:
    status, _, text = ask(stash, "POST", "/graphql", json.dumps(body).encode(), JSON)
    return status, json.loads(text)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("{ findScene(nope: 1) { id } }", 'Unknown argument "nope" on field "Query.findScene".'),
        ("{ findScene(id: 1) }", None),
        ("{ version { version ", "Expected Name, found <EOF>"),
        ("{ version { version } } }", "Unexpected }"),
        ("query { a: version { nope } }", 'Cannot query field "nope" on type "Version".'),
        ("", "no operation provided"),
    ],
)
def test_invalid_query_is_not_executed(stash: StashSim, query: str, message: str | None) -> None:
    status, body = _send(stash, query=query)
    assert status == 422
    assert body["data"] is None
    assert body["errors"][0]["extensions"]["code"] in ("GRAPHQL_VALIDATION_FAILED", "GRAPHQL_PARSE_FAILED")
    assert message is None or body["errors"][0]["message"].startswith(message)


@pytest.mark.parametrize(
    ("declared", "given", "message", "path"),
    [
        ("$v: Int!", {}, "must be defined", ["variable", "v"]),
        ("$v: Int!", {"v": None}, "must not be null", ["variable", "v"]),
        ("$v: Int!", {"v": "x"}, "cannot use string as Int", ["variable", "v"]),
        ("$v: Int!", {"v": True}, "cannot use bool as Int", ["variable", "v"]),
        ("$v: SceneUpdateInput!", {"v": {"title": "x"}}, "must be defined", ["variable", "v", "id"]),
        ("$v: SceneUpdateInput!", {"v": {"id": 1, "x": 1}}, "unknown field", ["variable", "v", "x"]),
        ("$v: SceneUpdateInput!", {"v": 5}, "must be a SceneUpdateInput", ["variable", "v"]),
        ("$v: [SceneUpdateInput!]!", {"v": [{}]}, "must be defined", ["variable", "v", 0, "id"]),
        ("$v: CriterionModifier!", {"v": "NOPE"}, "NOPE is not a valid CriterionModifier", ["variable", "v"]),
    ],
)
def test_invalid_variable_is_refused(stash: StashSim, declared: str, given: Any, message: str, path: list[Any]) -> None:
    fields = {"Int!": "findScenes(scene_ids: [$v]) { count }", "SceneUpdateInput!": "sceneUpdate(input: $v) { id }"}
    fields["[SceneUpdateInput!]!"] = "scenesUpdate(input: $v) { id }"
    fields["CriterionModifier!"] = 'findScenes(scene_filter: {title: {value: "", modifier: $v}}) { count }'
    kind = declared.partition(": ")[2]
    word = "mutation" if "Update" in kind else "query"
    status, body = _send(stash, query=f"{word}({declared}) {{ {fields[kind]} }}", variables=given)
    assert (status, body["errors"][0]["message"], body["errors"][0]["path"]) == (422, message, path)


def test_lenient_variables_are_accepted(stash: StashSim) -> None:
    update = "mutation($i: SceneUpdateInput!) { sceneUpdate(input: $i) { id title rating100 } }"
    given = {"i": {"id": 1, "title": 5, "rating100": "70"}, "undeclared": 1}
    assert stash.gql(update, given)["sceneUpdate"] == {"id": "1", "title": "5", "rating100": 70}
    query = "query($n: [Int!]) { findScenes(scene_ids: $n) { count } }"
    assert stash.gql(query, {"n": 3})["findScenes"]["count"] == 1


def test_named_operations_fragments_and_get_requests(stash: StashSim) -> None:
    two = "query A { version { ...V } } query B { systemStatus { status } } fragment V on Version { version }"
    assert _send(stash, query=two, operationName="B")[1]["data"] == {"systemStatus": {"status": "OK"}}
    spread = (
        "{ ... on Query { version { version } } ...Q } fragment Q on Query { findScenes { ... on FindScenesResultType "
    )
    spread += "{ count } ...C } } fragment C on FindScenesResultType { scenes { id } }"
    assert _send(stash, query=spread)[1]["data"]["findScenes"]["count"] == 30
    assert stash.requests[-1].fields == ("version", "findScenes")
    assert "operation" in _send(stash, query=two)[1]["errors"][0]["message"]
    status, _, text = ask(stash, "GET", f"/graphql?query={quote('{ __typename version { __typename } }')}")
    assert (status, json.loads(text)["data"]["__typename"]) == (200, "Query")
    assert ask(stash, "GET", f"/graphql?query={quote('mutation { stopAllJobs }')}")[0] == 406
    assert ("GET", ("__typename", "version")) in [(seen.method, seen.fields) for seen in stash.requests]


def test_old_server_ignores_accept_and_accepts_only_full_dates(tmp_path: Path) -> None:
    with running(tmp_path, version="v0.27.2") as stash:
        body = b'{"query":"{nope}"}'
        status, headers, _ = ask(stash, "POST", "/graphql", body, {**JSON, "Accept": "*/*"})
        assert (status, headers["content-type"]) == (422, "application/json")
        with pytest.raises(StashGraphQLError, match="ParseDateStringAsTime failed"):
            stash.gql('mutation { sceneUpdate(input: {id: 1, date: "2020-01"}) { id } }')
        with pytest.raises(StashGraphQLError, match="parent_folder"):
            stash.gql("{ findScene(id: 1) { files { parent_folder { path } } } }")
        stash.gql(
            'mutation { performerUpdate(input: {id: 1, name: "x"}) { id } studioUpdate(input: {id: 1, name: "y"}) {id}}'
        )
        inputs = [process.input["args"]["hookContext"]["input"] for process in stash.processes]
        assert "custom_fields" not in inputs[0]
        assert "urls" not in inputs[1]


@pytest.mark.parametrize(
    ("date", "stored"), [("2020-02-29", "2020-02-29"), ("2020-02", "2020-02"), ("2020", "2020"), ("", None)]
)
def test_valid_date_is_stored(stash: StashSim, date: str, stored: str | None) -> None:
    query = "mutation($d: String) { sceneUpdate(input: {id: 1, date: $d}) { date } }"
    assert stash.gql(query, {"d": date})["sceneUpdate"]["date"] == stored


@pytest.mark.parametrize("date", ["2020-02-30", "2020-1", "x", "20", "2020-13"])
def test_invalid_date_changes_nothing(stash: StashSim, date: str) -> None:
    before = stash.scene(1)
    with pytest.raises(StashGraphQLError, match="converting date: failed to parse date"):
        stash.gql('mutation($d: String) { sceneUpdate(input: {id: 1, title: "no", date: $d}) { date } }', {"d": date})
    assert stash.scene(1) is before
    assert stash.processes == []


def test_links_begin_with_the_expected_base(tmp_path: Path) -> None:
    query = b'{"query":"{findScene(id:1){paths{screenshot}}}"}'
    with running(tmp_path / "a") as stash:
        proxy = {"X-Forwarded-Proto": "https", "X-Forwarded-Prefix": "/stash", "Host": "example.org"}
        assert b'"https://example.org/stash/scene/1/' in ask(stash, "POST", "/graphql", query, {**JSON, **proxy})[2]
    with running(tmp_path / "b", external_host="https://far.example") as stash:
        assert b'"https://far.example/scene/1/' in ask(stash, "POST", "/graphql", query, JSON)[2]


def test_requests_are_counted(stash: StashSim) -> None:
    stash.reset_counters()
    stash.gql("{ a: findScene(id: 1) { id } b: findScene(id: 2) { id } version { version } }")
    ask(stash, "GET", "/scene/1/screenshot")
    ask(stash, "GET", "/healthz", headers={"ApiKey": "x"})
    assert stash.counters == {"graphql": 1, "graphql:findScene": 1, "graphql:version": 1, "image": 1, "other": 1}
    assert [(seen.path, seen.auth) for seen in stash.requests] == [
        ("/graphql", "cookie"),
        ("/scene/1/screenshot", "none"),
        ("/healthz", "apikey"),
    ]
    assert stash.requests[0].fields == ("findScene", "version")


def test_fault_switches_change_the_answer(stash: StashSim) -> None:
    query = "{ version { version } }"
    faults = stash.faults
    faults.status = 502
    with pytest.raises(StashGraphQLError) as caught:
        stash.gql(query)
    assert (caught.value.status, caught.value.errors) == (502, [])
    assert stash.gql(query, through_faults=True)
    faults.status, faults.unauthorized = None, True
    assert ask(stash, "POST", "/graphql", b"{}", JSON)[0] == 401
    faults.unauthorized, faults.resolver_error = False, "database is locked"
    with pytest.raises(StashGraphQLError) as caught:
        stash.gql(query)
    assert (caught.value.status, caught.value.errors[0]["message"]) == (200, "database is locked")
    faults.resolver_error, faults.truncate = None, True
    with pytest.raises(StashGraphQLError) as caught:
        stash.gql(query)
    assert caught.value.status == 200
    faults.truncate, faults.hang = False, True
    with pytest.raises(TimeoutError):
        stash.gql(query, timeout=0.1)
    faults.hang = 0.05
    assert stash.gql(query)
    faults.hang, faults.delay = False, 0.05
    assert stash.gql(query)
    faults.refuse()
    with pytest.raises(ConnectionRefusedError):
        stash.gql(query)
    faults.accept()
    assert stash.gql(query)
    faults.clear()
    assert stash.gql(query)


def test_hanging_server_can_be_released_and_stopped(tmp_path: Path) -> None:
    answers: list[Any] = []
    with running(tmp_path) as stash:
        stash.faults.hang = True
        waiting = threading.Thread(target=lambda: answers.append(stash.gql("{ version { version } }")))
        waiting.start()
        until(lambda: stash.counters["graphql"])
        stash.faults.hang = False
        waiting.join(10)
        assert answers
        stash.faults.hang = True
        left = http.client.HTTPConnection("127.0.0.1", stash.port, timeout=10)
        left.request("POST", "/graphql", '{"query":"{version{version}}"}', JSON)
        until(lambda: stash.counters["graphql"] == 2)
    left.close()


def test_answer_is_compressed_on_request(stash: StashSim) -> None:
    body = b'{"query":"{version{version}}"}'
    _, headers, text = ask(stash, "POST", "/graphql", body, {**JSON, "Accept-Encoding": "gzip, deflate"})
    assert headers["content-encoding"] == "gzip"
    assert json.loads(gzip.decompress(text))["data"]["version"]["version"] == "v0.30.1-19"
    assert "content-encoding" not in ask(stash, "GET", "/scene/1/screenshot", headers={"Accept-Encoding": "br"})[1]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")
def test_server_over_tls(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=stash", "-days", "2"]
    subprocess.run([*command, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with running(tmp_path, tls=context) as stash:
        stash.gql('mutation { sceneUpdate(input: {id: 1, title: "x"}) { id } }')
        assert stash.url.startswith("https://")
        assert stash.processes[0].input["server_connection"]["Scheme"] == "https"
        assert stash.processes[0].exit_code == 0
        with pytest.raises(TimeoutError):
            orders(stash, sleep=30)
            stash.gql('mutation { sceneUpdate(input: {id: 1, title: "y"}) { id } }', timeout=0.3)
        assert ended(stash, 2)[1].killed
