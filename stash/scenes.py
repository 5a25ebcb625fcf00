"""Scenes as the plugin uses them: read in batches and pages, and turned into a job's data."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from settings.config import PLUGIN_ID
from stash import queries
from stash.client import StashClient, understood

PAGE = 500
# Stash compares times as text in the server's own offset: ask from 14 h before, compare as instants here (stash 7.3).
_MARGIN = timedelta(hours=14)


@dataclass(frozen=True)
class StashAnswer:
    """One batch read from Stash: scenes by id (None where gone), stored settings, API key, whether we are enabled
    (None where Stash does not know the plugin any more)."""

    scenes: dict[int, dict[str, Any] | None]
    settings: dict[str, Any]
    api_key: str
    enabled: bool | None


def read_batch(client: StashClient, scene_ids: Sequence[int]) -> StashAnswer:
    """Scenes, settings and the plugin's own state in one request. Raises StashError."""
    data = client.call(queries.batch(scene_ids))
    with understood():
        configuration = data["configuration"]
        states = {plugin.get("id"): bool(plugin.get("enabled")) for plugin in data["plugins"] or []}
        return StashAnswer(
            # one that is gone is there and null: where it is not there at all, somebody else has answered
            scenes={scene_id: data[f"s{scene_id}"] for scene_id in scene_ids},
            settings=dict((configuration["plugins"] or {}).get(PLUGIN_ID) or {}),
            api_key=str(configuration["general"]["apiKey"] or ""),
            # A Stash that names no plugin at all does not know them (yet); one that names others has lost us.
            enabled=states.get(PLUGIN_ID) if states else True,
        )


def config_file(client: StashClient) -> str:
    """The file that Stash keeps its settings in (stash 5). Raises StashError."""
    data = client.call(queries.CONFIG_FILE)
    with understood():
        return str(data["configuration"]["general"]["configFilePath"] or "")


def pages(client: StashClient, since: float | None = None, page: int = PAGE) -> Iterator[list[dict[str, Any]]]:
    """All scenes in pages by id, with what the quality gate needs; ``since`` (epoch seconds) bounds ``updated_at``
    from below, roughly: compare again. Raises StashError."""
    after = 0
    while True:
        answer = client.call(
            queries.SCENES_PAGE,
            {"after": after, "filter": {"per_page": page, "sort": "id", "direction": "ASC"}, "since": _since(since)},
        )
        with understood():
            scenes = list(answer["findScenes"]["scenes"])
            last = int(scenes[-1]["id"]) if scenes else after
        if scenes:
            yield scenes
        if len(scenes) < page:
            return
        after = last


def count(client: StashClient, since: float | None = None) -> int:
    """How many scenes :func:`pages` will give. Raises StashError."""
    answer = client.call(queries.SCENES_COUNT, {"since": _since(since)})
    with understood():
        return int(answer["findScenes"]["count"])


def _since(moment: float | None) -> dict[str, Any] | None:
    if moment is None:
        return None
    text = (datetime.fromtimestamp(moment, timezone.utc) - _MARGIN).strftime("%Y-%m-%dT%H:%M:%S")
    return {"value": text, "modifier": "GREATER_THAN"}


def files_of(scene: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The scene's files, primary first: ``path``, ``size`` in bytes, ``duration`` in seconds (either may be None)."""
    return [
        {"path": file["path"], "size": file.get("size"), "duration": file.get("duration")}
        for file in scene.get("files") or []
        if file.get("path")
    ]


def job_data(scene: Mapping[str, Any]) -> dict[str, Any] | None:
    """What a job's ``data`` holds of a scene; None for a scene without files.

    The keys of specification 3, and what was asked of Stash beyond it: a key for what was not asked would say that
    there is none.
    """
    files = files_of(scene)
    if not files:
        return None
    screenshot = (scene.get("paths") or {}).get("screenshot")
    return {
        "path": files[0]["path"],
        "title": scene.get("title") or "",
        "details": scene.get("details") or "",
        "date": scene.get("date"),
        "rating100": scene.get("rating100"),
        "studio": (scene.get("studio") or {}).get("name"),
        "performers": _names(scene.get("performers")),
        "tags": [tag["name"] for tag in scene.get("tags") or []],
        "poster_url": screenshot,
        "background_url": screenshot,
        "updated_at": scene.get("updated_at"),
        **_beyond(scene),
    }


def _beyond(scene: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {name: scene[name] or "" for name in ("code", "director") if name in scene}
    if "organized" in scene:
        found["organized"] = bool(scene["organized"])
    if "stash_ids" in scene:
        found["has_stash_id"] = bool(scene["stash_ids"])
    if "groups" in scene:
        found["groups"] = [entry["group"]["name"] for entry in scene["groups"] or []]
    if "tags" in scene:
        # one for each of the tags' names
        found["tag_ids"] = [tag.get("id") for tag in scene["tags"] or []]
    studio = scene.get("studio") or {}
    if "parent_studio" in studio or ("studio" in scene and not studio):
        found["parent_studio"] = (studio.get("parent_studio") or {}).get("name")
    return found


def _names(performers: Any) -> list[str]:
    """Performers' names in Stash's order; two who share one are told apart by their disambiguation."""
    people = performers or []
    names = [person["name"] for person in people]
    return [
        f"{name} ({person['disambiguation']})" if names.count(name) > 1 and person.get("disambiguation") else name
        for name, person in zip(names, people, strict=True)
    ]


def stem(path: str) -> str:
    """The file name of a path of any system, without directory and extension."""
    return os.path.splitext(path.replace("\\", "/").rsplit("/", 1)[-1])[0]
