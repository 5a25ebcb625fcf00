"""Read the scene of a job: from Stash as it is now or, without a Stash, from the data of the job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from common.errors import PermanentError
from common.iso_time import parse_instant
from common.scene import SceneData, SceneFile, StashScene
from stash import queries
from stash.client import StashClient
from stash.scene_source import SceneFinder
from stash.scenes import Scene, from_stash, read_batch
from sync_queue.job import Job


def from_job(job: Job) -> Scene:
    """Return the scene of a job's own data. Raise PermanentError if that has no path."""
    data = cast(SceneData, dict(job.data))
    path = data.get("path")
    if not path or not isinstance(path, str):
        raise PermanentError(f"The job of scene {job.scene_id} has no path and there is no Stash to ask")
    return Scene(job.scene_id or 0, data, [SceneFile(path)], parse_instant(data.get("updated_at")))


def read_scenes(stash: StashClient | SceneFinder, scene_ids: Sequence[int]) -> dict[int, Scene]:
    """Read scenes from a StashClient (one request) or from anything with stashapp-tools' ``find_scene``.

    Raise StashError, or what that ``find_scene`` raises.
    """
    if isinstance(stash, StashClient):
        scenes: Mapping[int, StashScene | None] = read_batch(stash, scene_ids).scenes
    else:
        scenes = {scene_id: stash.find_scene(scene_id, fragment=queries.SCENE_FIELDS) for scene_id in scene_ids}
    return {scene_id: from_stash(scene_id, scene) for scene_id, scene in scenes.items()}
