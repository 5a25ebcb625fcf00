"""The server's database in memory: tables, one lock for writers, and queries across tables."""

from __future__ import annotations

import threading
from posixpath import dirname

from ..library import Library, LibraryFile, LibraryScene
from .clock import Clock
from .model import Folder, Group, Marker, Performer, Scene, StashId, Studio, Tag, VideoFile
from .table import Table


class Store:
    """All tables. Hold ``lock`` while changing anything."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.lock = threading.RLock()
        self.scenes: Table[Scene] = Table()
        self.performers: Table[Performer] = Table()
        self.studios: Table[Studio] = Table()
        self.tags: Table[Tag] = Table()
        self.groups: Table[Group] = Table()
        self.markers: Table[Marker] = Table()
        self.files: Table[VideoFile] = Table()
        self.folders: Table[Folder] = Table()
        self._folder_ids: dict[str, int] = {}

    def load(self, library: Library) -> None:
        """Fill the empty store with a generated library and its ids."""
        begin = self.clock.seconds(min((scene.created for scene in library.scenes), default=0))
        with self.lock:
            for p in library.performers:
                row = Performer(p.id, begin, begin, p.name, p.disambiguation, gender=p.gender, aliases=list(p.aliases))
                self.performers.add(row)
            for s in library.studios:
                self.studios.add(Studio(s.id, begin, begin, s.name, parent_id=s.parent_id))
            for t in library.tags:
                self.tags.add(Tag(t.id, begin, begin, t.name, parent_ids=[t.parent_id] if t.parent_id else []))
            for g in library.groups:
                self.groups.add(Group(g.id, begin, begin, g.name))
            for scene in library.scenes:
                self._load_scene(scene)

    def _load_scene(self, scene: LibraryScene) -> None:
        self.scenes.add(
            Scene(
                id=scene.id,
                created_at=self.clock.seconds(scene.created),
                updated_at=self.clock.seconds(scene.updated),
                title=scene.title,
                code=scene.code,
                details=scene.details,
                director=scene.director,
                urls=list(scene.urls),
                date=scene.date,
                rating100=scene.rating100,
                organized=scene.organized,
                studio_id=scene.studio_id,
                performer_ids=sorted(scene.performer_ids),
                tag_ids=list(scene.tag_ids),
                groups=list(scene.groups),
                stash_ids=[StashId(endpoint, identity) for endpoint, identity in scene.stash_ids],
                file_ids=[self.add_file(file, scene.created).id for file in scene.files],
            )
        )

    def add_file(self, file: LibraryFile, at: float | None = None) -> VideoFile:
        """Put a file (and its folder) into the store; it belongs to no scene yet."""
        written = self.clock.seconds(at)
        row = VideoFile(
            id=self.files.new_id(),
            folder_id=self.folder(dirname(file.path)).id,
            basename=file.basename,
            size=file.size,
            duration=file.duration,
            mod_time=self.clock.seconds(file.mod_time),
            created_at=written,
            updated_at=written,
            fingerprints=list(file.fingerprints.items()),
            width=file.width,
            height=file.height,
        )
        return self.files.add(row)

    def folder(self, path: str) -> Folder:
        """Return the folder row of that path, creating it and its parents if needed."""
        known = self._folder_ids.get(path)
        if known is not None:
            return self.folders[known]
        above = dirname(path)
        parent = self.folder(above).id if above not in ("", "/", path) else None
        written = self.clock.seconds()
        row = self.folders.add(Folder(self.folders.new_id(), path, written, written, written, parent))
        self._folder_ids[path] = row.id
        return row

    def rename_folder(self, old: str, new: str) -> None:
        """Rename a folder and all below it. Raise KeyError if it does not exist."""

        def move(row: Folder) -> None:
            row.path = new + row.path[len(old) :]
            row.updated_at = self.clock.seconds()

        with self.lock:
            below = [row for row in self.folders if row.path == old or row.path.startswith(f"{old}/")]
            if not below:
                raise KeyError(old)
            for row in below:
                del self._folder_ids[row.path]
                self._folder_ids[self.folders.change(row.id, move).path] = row.id

    def path(self, file: VideoFile) -> str:
        """Return a file's full path: the current path of its folder and the base name."""
        folder = self.folders[file.folder_id].path
        return f"{folder.rstrip('/')}/{file.basename}"

    def files_of(self, scene: Scene) -> list[VideoFile]:
        """Return the scene's files, primary first."""
        return [self.files[number] for number in scene.file_ids]

    def paths_of(self, scene: Scene) -> list[str]:
        """Return the paths of the scene's files, primary first."""
        return [self.path(file) for file in self.files_of(scene)]

    def oshash_of(self, scene: Scene) -> str:
        """Return the primary file's oshash, ``""`` without a file."""
        files = self.files_of(scene)
        return (files[0].fingerprint("oshash") or "") if files else ""

    def scenes_of_file(self, file_id: int) -> list[Scene]:
        """Return the scenes that hold the file."""
        return [scene for scene in self.scenes if file_id in scene.file_ids]

    def family(self, table: Table[Studio] | Table[Tag], numbers: set[int], depth: int) -> set[int]:
        """Return ``numbers`` with their descendants, ``depth`` generations down (-1: all)."""
        found, edge = set(numbers), set(numbers)
        while edge and depth != 0:
            edge = {row.id for row in table if edge & set(_parents(row))} - found
            found |= edge
            depth -= 1
        return found


def _parents(row: Studio | Tag) -> list[int]:
    if isinstance(row, Tag):
        return row.parent_ids
    return [row.parent_id] if row.parent_id is not None else []
