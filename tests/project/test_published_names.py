"""The names, parameters and results that others rely on resolve where they were published."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import subprocess
import sys

import pytest

from .source_tree import ROOT, modules

pytestmark = pytest.mark.unit

# module, name (or Class.name), the parameters it was published with; more may follow, with defaults.
CALLABLES = [
    ("hooks.handlers", "requires_plex_sync", ["update_data"]),
    ("hooks.handlers", "on_scene_update", ["scene_id", "update_data", "queue", "data_dir", "sync_timestamps"]),
    ("hooks.handlers", "is_scene_pending", ["scene_id"]),
    ("hooks.handlers", "mark_scene_pending", ["scene_id"]),
    ("hooks.handlers", "unmark_scene_pending", ["scene_id"]),
    ("sync_queue.manager", "QueueManager", ["data_dir"]),
    ("sync_queue.manager", "QueueManager.get_queue", ["self"]),
    ("sync_queue.manager", "QueueManager.shutdown", ["self"]),
    ("sync_queue.operations", "enqueue", ["queue", "scene_id", "update_type", "data"]),
    ("sync_queue.operations", "get_queued_scene_ids", ["queue_path"]),
    ("sync_queue.operations", "load_sync_timestamps", ["data_dir"]),
    ("sync_queue.operations", "save_sync_timestamp", ["data_dir", "scene_id", "timestamp"]),
    ("sync_queue.operations", "get_pending", ["queue"]),
    ("sync_queue.operations", "ack_job", ["queue", "job"]),
    ("sync_queue.operations", "nack_job", ["queue", "job"]),
    ("sync_queue.operations", "fail_job", ["queue", "job"]),
    ("sync_queue.operations", "get_stats", ["queue_path"]),
    ("sync_queue.dlq", "DeadLetterQueue", ["data_dir"]),
    ("plex.exceptions", "translate_plex_exception", ["exc"]),
    ("plex.client", "PlexClient", ["url", "token", "connect_timeout", "read_timeout"]),
    ("plex.client", "PlexClient.connect", ["self"]),
    ("plex.matcher", "find_plex_items_with_confidence", ["library", "stash_path"]),
    ("worker.processor", "SyncWorker", ["queue", "dlq", "config", "data_dir", "max_retries", "stash"]),
    ("worker.processor", "SyncWorker.start", ["self"]),
    ("worker.processor", "SyncWorker.stop", ["self"]),
    ("worker.processor", "SyncWorker._get_plex_client", ["self"]),
    ("worker.processor", "SyncWorker._process_job", ["self", "job"]),
    ("worker.processor", "SyncWorker._update_metadata", ["self", "plex_item", "data"]),
    ("reconciliation.detector", "has_meaningful_metadata", ["data"]),
    (
        "reconciliation.detector",
        "GapDetector.detect_empty_metadata",
        ["self", "scenes", "plex_metadata", "sync_timestamps"],
    ),
    ("reconciliation.detector", "GapDetector.detect_stale_syncs", ["self", "scenes", "sync_timestamps"]),
    (
        "reconciliation.detector",
        "GapDetector.detect_missing",
        ["self", "scenes", "sync_timestamps", "matched_paths"],
    ),
    ("reconciliation.engine", "GapDetectionEngine", ["stash", "config", "data_dir", "queue"]),
    ("reconciliation.engine", "GapDetectionEngine.run", ["self", "scope"]),
    ("reconciliation.engine", "GapDetectionEngine.detect_gaps", ["self", "scope"]),
    ("reconciliation.engine", "GapDetectionEngine._connect_to_plex", ["self"]),
    ("reconciliation.engine", "GapDetectionEngine._build_plex_data", ["self", "scenes", "sync_timestamps"]),
    ("reconciliation.engine", "GapDetectionEngine._process_scene_batch", ["self"]),
    ("reconciliation.engine", "GapDetectionEngine._extract_plex_metadata", ["self", "plex_item"]),
    ("reconciliation.engine", "GapDetectionEngine._build_job_data", ["self", "scene"]),
    ("reconciliation.scheduler", "ReconciliationScheduler", ["data_dir"]),
    ("reconciliation.scheduler", "ReconciliationScheduler.is_due", ["self", "config"]),
    ("reconciliation.scheduler", "ReconciliationScheduler.is_startup_due", ["self"]),
    ("reconciliation.scheduler", "ReconciliationScheduler.record_run", ["self", "scope", "result"]),
    ("reconciliation.scheduler", "ReconciliationScheduler.load_state", ["self"]),
    ("reconciliation.scheduler", "ReconciliationScheduler.save_state", ["self", "state"]),
    ("Stash2Plex", "initialize", ["config_dict"]),
    ("Stash2Plex", "handle_hook", ["hook_context"]),
    ("Stash2Plex", "handle_task", ["task_args"]),
    ("Stash2Plex", "get_plugin_data_dir", []),
]
NAMES = [
    *(
        ("plex.exceptions", name)
        for name in ("PlexTemporaryError", "PlexPermanentError", "PlexNotFound", "PlexServerDown")
    ),
    *(("plex.cache", name) for name in ("PlexCache", "MatchCache")),
    ("worker.processor", "PermanentError"),
    ("plex.matcher", "MatchConfidence"),
    *(("Stash2Plex", name) for name in ("queue_manager", "dlq", "worker", "config", "sync_timestamps")),
    *(
        ("reconciliation", name)
        for name in (
            "GapDetectionEngine",
            "GapDetectionResult",
            "GapDetector",
            "GapResult",
            "ReconciliationScheduler",
            "ReconciliationState",
            "has_meaningful_metadata",
        )
    ),
    ("reconciliation.engine", "GapDetectionResult"),
    ("reconciliation.scheduler", "ReconciliationState"),
]
FIELDS = [
    (
        "reconciliation.engine",
        "GapDetectionResult",
        [
            *("empty_metadata_count", "stale_sync_count", "missing_count", "total_gaps", "enqueued_count"),
            *("skipped_already_queued", "scenes_checked", "errors"),
        ],
    ),
    ("reconciliation.detector", "GapResult", ["scene_id", "gap_type", "scene_data", "reason"]),
    (
        "reconciliation.scheduler",
        "ReconciliationState",
        ["last_run_time", "last_scope", "last_scenes_checked", "last_gaps_found", "last_enqueued"],
    ),
]


def resolve(module: str, name: str) -> object:
    """Return what a dotted name inside a module stands for."""
    found: object = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return found


@pytest.mark.parametrize(
    ("module", "name", "published"), CALLABLES, ids=lambda value: value if isinstance(value, str) else ""
)
def test_published_callable_takes_the_published_parameters(module: str, name: str, published: list[str]) -> None:
    callable_ = resolve(module, name)
    assert callable(callable_)
    parameters = inspect.signature(callable_).parameters
    assert list(parameters)[: len(published)] == published
    further = list(parameters.values())[len(published) :]
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    if name != "GapDetectionEngine._process_scene_batch":  # its parameters are not published
        assert all(one.default is not inspect.Parameter.empty or one.kind in variadic for one in further)


@pytest.mark.parametrize(("module", "name"), NAMES)
def test_published_name_resolves(module: str, name: str) -> None:
    resolve(module, name)


@pytest.mark.parametrize(
    ("module", "name", "published"), FIELDS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_published_fields_are_there(module: str, name: str, published: list[str]) -> None:
    kind = resolve(module, name)
    assert isinstance(kind, type)
    assert dataclasses.is_dataclass(kind)
    assert set(published) <= {field.name for field in dataclasses.fields(kind)}


def test_every_module_imports_without_plexapi_and_persistqueue() -> None:
    code = (
        "import importlib, sys\n"
        "class Refuse:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in ('plexapi', 'persistqueue', 'stashapi'):\n"
        "            raise ImportError(name)\n"
        "sys.meta_path.insert(0, Refuse())\n"
        f"for name in {sorted(modules())!r}:\n"
        "    importlib.import_module(name)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
