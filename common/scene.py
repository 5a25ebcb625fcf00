"""A scene as Stash answers it, its files, and the data that a job holds of it. Plain data, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypedDict


@dataclass(frozen=True)
class SceneFile:
    """A file of a scene, as Stash sees it; size in bytes, duration in seconds, either None if not known."""

    path: str
    size: int | None = None
    duration: float | None = None

    @classmethod
    def from_row(cls, row: Mapping[str, object]) -> SceneFile:
        """Return the file of a stored row or of an answer of Stash. Raise TypeError if it has no path."""
        path, size, duration = row.get("path"), row.get("size"), row.get("duration")
        if not isinstance(path, str):
            raise TypeError(f"a file's path is a {type(path).__name__}")
        return cls(
            path,
            int(size) if isinstance(size, (int, float)) else None,
            duration if isinstance(duration, (int, float)) else None,
        )

    def as_row(self) -> dict[str, str | float | None]:
        """Return the file as it is stored: ``path``, ``size``, ``duration``."""
        return {"path": self.path, "size": self.size, "duration": self.duration}


class SceneData(TypedDict, total=False):
    """What a job's ``data`` holds of a scene. An absent key leaves the field in Plex alone; an empty value clears it.

    ``performers``, ``tags`` and ``groups`` are names; ``tag_ids`` has an id for each of the tags.
    """

    path: str
    title: str | None
    details: str | None
    summary: str | None  # read as details
    tagline: str | None
    date: str | None
    rating100: float | None
    studio: str | None
    performers: list[str]
    tags: list[str]
    poster_url: str | None
    background_url: str | None
    updated_at: str | None
    code: str
    director: str
    organized: bool
    has_stash_id: bool
    groups: list[str]
    tag_ids: list[str | None]
    parent_studio: str | None


class StashFile(TypedDict, total=False):
    """A video file of a scene in an answer of Stash."""

    id: str
    path: str
    size: int | None
    duration: float | None


class StashEntity(TypedDict, total=False):
    """A performer, studio, tag or group in an answer of Stash."""

    id: str
    name: str
    disambiguation: str | None
    parent_studio: StashEntity | None


class StashGroupEntry(TypedDict):
    """A scene's place in a group."""

    group: StashEntity


class StashScene(TypedDict, total=False):
    """A scene in an answer of Stash: of GraphQL's ``Scene`` the fields that the plugin asks for."""

    id: str
    title: str | None
    code: str | None
    details: str | None
    director: str | None
    date: str | None
    rating100: int | None
    organized: bool
    updated_at: str
    files: list[StashFile] | None
    paths: dict[str, str | None] | None
    studio: StashEntity | None
    performers: list[StashEntity] | None
    tags: list[StashEntity] | None
    groups: list[StashGroupEntry] | None
    stash_ids: list[dict[str, str]] | None


def scene_files(scene: Mapping[str, object]) -> list[SceneFile]:
    """Return the files of a scene that Stash answered, primary first, without those that have no path."""
    files = scene.get("files") or []
    if not isinstance(files, (list, tuple)):
        raise TypeError(f"files are a {type(files).__name__}")
    return [SceneFile.from_row(file) for file in files if file.get("path")]
