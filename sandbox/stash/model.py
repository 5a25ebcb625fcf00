"""The rows of the server's database as plain objects.

The server itself replaces objects in the tables and never changes them (a reader sees one state of a row); lists and
dicts in them are replaced too. Unset text is ``""``; nullable values are ``None`` (stash 7.4).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class StashId:
    """A scene's (performer's, …) identity in a stash-box."""

    endpoint: str
    stash_id: str
    updated_at: str = "1970-01-01T00:00:00Z"


@dataclass(slots=True)
class Folder:
    """A folder; renaming one changes the path of every file below it and nothing else."""

    id: int
    path: str
    created_at: str
    updated_at: str
    mod_time: str
    parent_id: int | None = None


@dataclass(slots=True)
class VideoFile:
    """One video on disk. ``size`` in bytes, ``duration`` in seconds."""

    id: int
    folder_id: int
    basename: str
    size: int
    duration: float
    mod_time: str
    created_at: str
    updated_at: str
    fingerprints: list[tuple[str, str]] = field(default_factory=list)
    format: str = "mp4"
    width: int = 1920
    height: int = 1080
    video_codec: str = "h264"
    audio_codec: str = "aac"
    frame_rate: float = 25.0
    bit_rate: int = 4_000_000

    def fingerprint(self, kind: str) -> str | None:
        """Return the fingerprint of that kind, or None."""
        return next((value for name, value in self.fingerprints if name == kind), None)


@dataclass(slots=True)
class Row:
    """The common parts of named rows."""

    id: int
    created_at: str
    updated_at: str


@dataclass(slots=True)
class Scene(Row):
    """A scene; ``file_ids`` primary first, ``groups`` as (group id, scene index)."""

    title: str = ""
    code: str = ""
    details: str = ""
    director: str = ""
    urls: list[str] = field(default_factory=list)
    date: str | None = None
    rating100: int | None = None
    organized: bool = False
    studio_id: int | None = None
    performer_ids: list[int] = field(default_factory=list)
    tag_ids: list[int] = field(default_factory=list)
    groups: list[tuple[int, int | None]] = field(default_factory=list)
    stash_ids: list[StashId] = field(default_factory=list)
    file_ids: list[int] = field(default_factory=list)
    cover: bytes | None = None
    resume_time: float = 0.0
    play_duration: float = 0.0
    play_history: list[str] = field(default_factory=list)
    o_history: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Performer(Row):
    """A performer. ``extra`` holds text fields that the simulator only stores."""

    name: str = ""
    disambiguation: str = ""
    urls: list[str] = field(default_factory=list)
    gender: str | None = None
    birthdate: str | None = None
    death_date: str | None = None
    height_cm: int | None = None
    weight: int | None = None
    penis_length: float | None = None
    circumcised: str | None = None
    ethnicity: str = ""
    country: str = ""
    eye_color: str = ""
    hair_color: str = ""
    measurements: str = ""
    fake_tits: str = ""
    career_length: str = ""
    tattoos: str = ""
    piercings: str = ""
    details: str = ""
    aliases: list[str] = field(default_factory=list)
    favorite: bool = False
    ignore_auto_tag: bool = False
    rating100: int | None = None
    tag_ids: list[int] = field(default_factory=list)
    stash_ids: list[StashId] = field(default_factory=list)
    custom_fields: dict[str, Any] = field(default_factory=dict)
    image: bytes | None = None


@dataclass(slots=True)
class Studio(Row):
    """A studio, perhaps with a parent."""

    name: str = ""
    urls: list[str] = field(default_factory=list)
    parent_id: int | None = None
    details: str = ""
    aliases: list[str] = field(default_factory=list)
    favorite: bool = False
    ignore_auto_tag: bool = False
    rating100: int | None = None
    tag_ids: list[int] = field(default_factory=list)
    stash_ids: list[StashId] = field(default_factory=list)
    image: bytes | None = None


@dataclass(slots=True)
class Tag(Row):
    """A tag with its parents; its children are found through the same table."""

    name: str = ""
    sort_name: str = ""
    description: str = ""
    aliases: list[str] = field(default_factory=list)
    favorite: bool = False
    ignore_auto_tag: bool = False
    parent_ids: list[int] = field(default_factory=list)
    stash_ids: list[StashId] = field(default_factory=list)
    image: bytes | None = None


@dataclass(slots=True)
class Group(Row):
    """A group (once called movie). ``sub_groups`` as (group id, description)."""

    name: str = ""
    aliases: str = ""
    duration: int | None = None
    date: str | None = None
    rating100: int | None = None
    studio_id: int | None = None
    director: str = ""
    synopsis: str = ""
    urls: list[str] = field(default_factory=list)
    tag_ids: list[int] = field(default_factory=list)
    sub_groups: list[tuple[int, str]] = field(default_factory=list)
    image: bytes | None = None
    back_image: bytes | None = None


@dataclass(slots=True)
class Marker(Row):
    """A marker of a scene. ``seconds`` from its start."""

    title: str = ""
    seconds: float = 0.0
    end_seconds: float | None = None
    scene_id: int = 0
    primary_tag_id: int = 0
    tag_ids: list[int] = field(default_factory=list)
