"""Read scenes from Stash in batches and pages, as scenes of a batch or as the data of a job."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from common.iso_time import parse_instant
from common.scene import SceneData, SceneFile, StashEntity, StashScene, scene_files
from settings.table import PLUGIN_ID
from stash import queries
from stash.client import StashClient, parsing_answer

PAGE_SIZE = 500
# Stash compares times as text in its own UTC offset: ask for 14 h more, and compare as instants here (stash 7.3).
_OFFSET_MARGIN = timedelta(hours=14)


@dataclass
class Scene:
    """A scene at the moment it was read. ``data`` is None if it has no file; ``gone``: Stash has no such scene.

    ``updated_at`` is epoch seconds, None if unknown.
    """

    scene_id: int
    data: SceneData | None = None
    files: list[SceneFile] = field(default_factory=list)
    updated_at: float | None = None
    gone: bool = False

    @property
    def paths(self) -> list[str]:
        """The paths of the scene's files, primary first."""
        return [file.path for file in self.files]


@dataclass(frozen=True)
class StashBatch:
    """One batch read from Stash: scenes by id (None for one that does not exist), stored settings, API key.

    ``enabled``: whether the plugin is, None if Stash does not know it any more.
    """

    scenes: dict[int, StashScene | None]
    settings: dict[str, object]
    api_key: str
    enabled: bool | None


def read_batch(client: StashClient, scene_ids: Sequence[int]) -> StashBatch:
    """Read scenes, settings and the plugin's own state in one request. Raise StashError."""
    data = client.call(queries.batch_query(scene_ids))
    with parsing_answer():
        configuration = data["configuration"]
        states = {plugin.get("id"): bool(plugin.get("enabled")) for plugin in data["plugins"] or []}
        return StashBatch(
            # A scene that does not exist is null. An absent key means that the answer is not Stash's.
            scenes={scene_id: data[f"s{scene_id}"] for scene_id in scene_ids},
            settings=dict((configuration["plugins"] or {}).get(PLUGIN_ID) or {}),
            api_key=str(configuration["general"]["apiKey"] or ""),
            # A Stash that lists no plugin at all has not loaded them yet; one that lists only others has lost us.
            enabled=states.get(PLUGIN_ID) if states else True,
        )


def config_file_path(client: StashClient) -> str:
    """Return the path of Stash's configuration file (stash 5). Raise StashError."""
    data = client.call(queries.CONFIG_FILE)
    with parsing_answer():
        return str(data["configuration"]["general"]["configFilePath"] or "")


def scene_pages(
    client: StashClient, since: float | None = None, page_size: int = PAGE_SIZE
) -> Iterator[list[StashScene]]:
    """Yield all scenes in pages by id, with the fields that the quality gate needs. Raise StashError.

    ``since`` (epoch seconds) is a lower bound of ``updated_at``, but a rough one: the caller has to compare again.
    """
    after = 0
    while True:
        answer = client.call(
            queries.SCENES_PAGE,
            {
                "after": after,
                "filter": {"per_page": page_size, "sort": "id", "direction": "ASC"},
                "since": _updated_since(since),
            },
        )
        with parsing_answer():
            scenes = list(answer["findScenes"]["scenes"])
            last = int(scenes[-1]["id"]) if scenes else after
        if scenes:
            yield scenes
        if len(scenes) < page_size:
            return
        after = last


def count_scenes(client: StashClient, since: float | None = None) -> int:
    """Return how many scenes :func:`scene_pages` yields. Raise StashError."""
    answer = client.call(queries.SCENES_COUNT, {"since": _updated_since(since)})
    with parsing_answer():
        return int(answer["findScenes"]["count"])


def _updated_since(moment: float | None) -> dict[str, str] | None:
    if moment is None:
        return None
    text = (datetime.fromtimestamp(moment, timezone.utc) - _OFFSET_MARGIN).strftime("%Y-%m-%dT%H:%M:%S")
    return {"value": text, "modifier": "GREATER_THAN"}


def from_stash(scene_id: int, scene: StashScene | None) -> Scene:
    """Return the scene of an answer of Stash. Raise StashUnreachable if it is not a scene."""
    if scene is None:
        return Scene(scene_id, gone=True)
    with parsing_answer():
        return Scene(scene_id, job_data(scene), scene_files(scene), parse_instant(scene.get("updated_at")))


def job_data(scene: StashScene) -> SceneData | None:
    """Return what a job's ``data`` holds of a scene, or None for a scene without files.

    A field that Stash was not asked for has no key: an empty value would clear it in Plex.
    """
    files = scene_files(scene)
    if not files:
        return None
    screenshot = (scene.get("paths") or {}).get("screenshot")
    data: SceneData = {
        "path": files[0].path,
        "title": scene.get("title") or "",
        "details": scene.get("details") or "",
        "date": scene.get("date"),
        "rating100": scene.get("rating100"),
        "studio": (scene.get("studio") or {}).get("name"),
        "performers": _performer_names(scene.get("performers") or []),
        "tags": [tag["name"] for tag in scene.get("tags") or []],
        "poster_url": screenshot,
        "background_url": screenshot,
        "updated_at": scene.get("updated_at"),
    }
    _add_optional_fields(data, scene)
    return data


def _add_optional_fields(data: SceneData, scene: StashScene) -> None:
    """Add the fields that not every query asks for."""
    if "code" in scene:
        data["code"] = scene["code"] or ""
    if "director" in scene:
        data["director"] = scene["director"] or ""
    if "organized" in scene:
        data["organized"] = bool(scene["organized"])
    if "stash_ids" in scene:
        data["has_stash_id"] = bool(scene["stash_ids"])
    if "groups" in scene:
        data["groups"] = [entry["group"]["name"] for entry in scene["groups"] or []]
    if "tags" in scene:
        data["tag_ids"] = [tag.get("id") for tag in scene["tags"] or []]
    studio = scene.get("studio") or {}
    if "parent_studio" in studio or ("studio" in scene and not studio):
        data["parent_studio"] = (studio.get("parent_studio") or {}).get("name")


def _performer_names(performers: list[StashEntity]) -> list[str]:
    """Return the performers' names in Stash's order, those that share one with their disambiguation."""
    names = [performer["name"] for performer in performers]
    return [
        f"{name} ({performer['disambiguation']})" if names.count(name) > 1 and performer.get("disambiguation") else name
        for name, performer in zip(names, performers, strict=True)
    ]


def file_stem(path: str) -> str:
    """Return the file name of a path of any system, without directory and extension."""
    return os.path.splitext(path.replace("\\", "/").rsplit("/", 1)[-1])[0]
