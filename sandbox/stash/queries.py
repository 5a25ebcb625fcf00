"""The resolvers of ``Query``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from graphql import FieldNode, FragmentSpreadNode, InlineFragmentNode

from .configuration import configuration
from .core import CONFIG
from .field_resolvers import Info, Resolver, context
from .find import GROUPS, MARKERS, PERFORMERS, SCENES, STUDIOS, TAGS, Kind, by_ids, find
from .go_behavior import atoi
from .jobs import Job
from .manifest import HookEntry, Manifest, Task

_DATABASE: dict[tuple[int, ...], int] = {(0, 27): 67, (0, 28): 72, (0, 29): 72, (0, 30): 75}


def _single(kind: Kind) -> Resolver:
    return lambda _, info, id: kind.table(context(info).store).get(atoi(id))


def _find_scene(_: None, info: Info, id: str | None = None, checksum: str | None = None) -> Any:
    store = context(info).store
    if id is not None:
        return store.scenes.get(atoi(id))
    md5 = {f.id for f in store.files if checksum and f.fingerprint("md5") == checksum}
    return next((scene for scene in store.scenes if md5 & set(scene.file_ids)), None)


def _several(kind: Kind, rows_name: str, filter_name: str) -> Resolver:
    """Resolve a ``find…s`` query: non-empty ids win over filter, paging and order (stash 7.3)."""

    def resolve(_: None, info: Info, **args: Any) -> dict[str, Any]:
        store, asked = context(info).store, _selected(info)
        ids = args.get("ids") or args.get("scene_ids") or args.get("performer_ids")
        if ids:
            rows: list[Any] = by_ids(store, kind, ids)
            return {"count": len(rows), rows_name: rows, **_sums(info, rows, asked)}
        found = find(store, kind, args.get(filter_name), args.get("filter"), count="count" in asked)
        sums: dict[str, Any] = {}
        if asked & {"duration", "filesize"}:
            everything = find(store, kind, args.get(filter_name), {"per_page": -1}, count=False)
            sums = _sums(info, everything.rows, asked)
        return {"count": found.count, rows_name: found.rows, **sums}

    return resolve


def _sums(info: Info, scenes: Any, asked: set[str]) -> dict[str, float]:
    if not asked & {"duration", "filesize"}:
        return {}
    files = [file for scene in scenes for file in context(info).store.files_of(scene)[:1]]
    return {"duration": sum(file.duration for file in files), "filesize": float(sum(file.size for file in files))}


def _selected(info: Info) -> set[str]:
    """Return the names of the requested fields below this one, including fragments."""
    found: set[str] = set()
    sets = [node.selection_set for node in info.field_nodes]
    while sets:
        here = sets.pop()
        for selection in here.selections if here else ():
            if isinstance(selection, FieldNode):
                found.add(selection.name.value)
            elif isinstance(selection, InlineFragmentNode):
                sets.append(selection.selection_set)
            elif isinstance(selection, FragmentSpreadNode):
                sets.append(info.fragments[selection.name.value].selection_set)
    return found


def _stats(_: None, info: Info) -> dict[str, Any]:
    store = context(info).store
    files = [file for scene in store.scenes for file in store.files_of(scene)]
    return {
        "scene_count": len(store.scenes),
        "scenes_size": float(sum(file.size for file in files)),
        "scenes_duration": sum(file.duration for file in files),
        "image_count": 0,
        "images_size": 0.0,
        "gallery_count": 0,
        "performer_count": len(store.performers),
        "studio_count": len(store.studios),
        "group_count": len(store.groups),
        "movie_count": len(store.groups),
        "tag_count": len(store.tags),
        "total_o_count": sum(len(scene.o_history) for scene in store.scenes),
        "total_play_duration": sum(scene.play_duration for scene in store.scenes),
        "total_play_count": sum(len(scene.play_history) for scene in store.scenes),
        "scenes_played": sum(bool(scene.play_history) for scene in store.scenes),
    }


def _plugins(_: None, info: Info) -> list[dict[str, Any]] | None:
    ctx = context(info)
    off = ctx.core.plugins.disabled
    return [_plugin(manifest, ctx.base, manifest.id not in off) for manifest in ctx.core.plugins.manifests] or None


def _plugin(manifest: Manifest, base: str, enabled: bool) -> dict[str, Any]:
    base = f"{base}/plugin/{manifest.id}"
    own: dict[str, Any] = {
        "id": manifest.id,
        "name": manifest.name or manifest.id,
        "description": manifest.description,
        "url": manifest.url,
        "version": manifest.version,
        "enabled": enabled,
        "settings": [_setting(setting) for setting in manifest.settings],
        "requires": list(manifest.requires) or None,
        "paths": {
            "javascript": [f"{base}/javascript"] if manifest.javascript else None,
            "css": [f"{base}/css"] if manifest.css else None,
        },
    }
    own["tasks"] = [_task(task, own) for task in manifest.tasks] or None
    own["hooks"] = [{**_task(hook, own), "hooks": list(hook.triggers) or None} for hook in manifest.hooks] or None
    return own


def _task(entry: Task | HookEntry, plugin: dict[str, Any]) -> dict[str, Any]:
    return {"name": entry.name, "description": entry.description, "plugin": plugin}


def _setting(setting: Any) -> dict[str, Any]:
    return {
        "name": setting.name,
        "display_name": setting.display_name,
        "description": setting.description,
        "type": setting.type,
    }


def _plugin_tasks(_: None, info: Info) -> list[Any] | None:
    ctx = context(info)
    return [task for m in ctx.core.plugins.enabled() for task in _plugin(m, ctx.base, True)["tasks"] or []] or None


def job_answer(job: Job) -> dict[str, Any]:
    """Return a job as the API shows it."""
    return {
        "id": job.id,
        "status": job.status,
        "subTasks": None,
        "description": job.description,
        "progress": job.progress,
        "startTime": job.start_time,
        "endTime": job.end_time,
        "addTime": job.add_time,
        "error": job.error,
    }


def _job_queue(_: None, info: Info) -> list[dict[str, Any]] | None:
    return [job_answer(job) for job in context(info).core.jobs.waiting()] or None


def _find_job(_: None, info: Info, input: Mapping[str, Any]) -> dict[str, Any] | None:
    job = context(info).core.jobs.find(atoi(input["id"]))
    return job_answer(job) if job else None


def _system_status(_: None, info: Info) -> dict[str, Any]:
    options = context(info).core.options
    schema = _DATABASE.get(options.at_least, 75)
    folder = options.config_dir
    return {
        "databaseSchema": schema,
        "databasePath": str(folder / "stash-go.sqlite"),
        "configPath": str(folder / CONFIG),
        "appSchema": schema,
        "status": "OK",
        "os": "linux" if os.name == "posix" else "windows",
        "workingDir": str(folder),
        "homeDir": str(Path.home()),
        "ffmpegPath": "/usr/bin/ffmpeg",
        "ffprobePath": "/usr/bin/ffprobe",
    }


def _version(_: None, info: Info) -> dict[str, str]:
    return {
        "version": context(info).core.options.version,
        "hash": "cf3489efd",
        "build_time": "2026-01-11 00:00:00",
    }


QUERIES: dict[str, Resolver] = {
    "findScene": _find_scene,
    "findScenes": _several(SCENES, "scenes", "scene_filter"),
    "findSceneMarkers": _several(MARKERS, "scene_markers", "scene_marker_filter"),
    "findPerformer": _single(PERFORMERS),
    "findPerformers": _several(PERFORMERS, "performers", "performer_filter"),
    "findStudio": _single(STUDIOS),
    "findStudios": _several(STUDIOS, "studios", "studio_filter"),
    "findGroup": _single(GROUPS),
    "findGroups": _several(GROUPS, "groups", "group_filter"),
    "findTag": _single(TAGS),
    "findTags": _several(TAGS, "tags", "tag_filter"),
    "stats": _stats,
    "logs": lambda _, info: context(info).core.log.newest(),
    "plugins": _plugins,
    "pluginTasks": _plugin_tasks,
    "configuration": lambda _, info: configuration(context(info)),
    "systemStatus": _system_status,
    "jobQueue": _job_queue,
    "findJob": _find_job,
    "version": _version,
}
