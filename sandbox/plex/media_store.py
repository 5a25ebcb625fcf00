"""The content of the libraries: sections, items, tags, files. One lock guards it, as one writer guards the real one."""

from __future__ import annotations

import itertools
import threading
import uuid
from collections.abc import Callable, Iterable

from sandbox.plex.assumptions import Assumptions
from sandbox.plex.collection_objects import CollectionObjects
from sandbox.plex.files import FileIndex
from sandbox.plex.model import Changes, Entry, Item, Media, Part, Section, Tag
from sandbox.plex.paths import stem
from sandbox.plex.pictures import PictureSlot, initial_pictures
from sandbox.plex.tag_table import TagTable

FileSpec = tuple[str, int | None, float]
"""Path as the server sees it, size in bytes (None: the server does not tell), duration in seconds."""


class MediaStore:
    """Everything that the server knows about media. Hold ``lock`` to read a consistent state."""

    def __init__(self, assumptions: Assumptions, clock: Callable[[], float]) -> None:
        self.lock = threading.RLock()
        self.assumptions = assumptions
        self.clock = clock
        self.sections: dict[int, Section] = {}
        self.items: dict[int, Item] = {}
        self.by_section: dict[int, dict[int, Item]] = {}
        self.files = FileIndex(self.items)
        self._rating_keys = itertools.count(1)
        self._part_ids = itertools.count(1)
        self._media_ids = itertools.count(1)
        self.tag_table = TagTable(itertools.count(1).__next__)
        self.collection_objects = CollectionObjects(self.tag_table, self.next_rating_key, self.now)

    def now(self) -> int:
        """Return epoch seconds, the resolution of all times of PMS."""
        return int(self.clock())

    def next_rating_key(self) -> int:
        """Return a rating key that was never used; items and collections share the numbers."""
        return next(self._rating_keys)

    def add_section(
        self, title: str, locations: Iterable[str], type_: str, agent: str, scanner: str | None, language: str | None
    ) -> Section:
        """Add a new, empty library."""
        none = agent.endswith("agents.none")
        with self.lock:
            key = max(self.sections, default=0) + 1
            now = self.now()
            section = Section(
                key=key,
                title=title,
                uuid=str(uuid.uuid5(uuid.NAMESPACE_URL, f"section:{key}:{title}")),
                locations=list(locations),
                type=type_,
                agent=agent,
                scanner=scanner or ("Plex Video Files" if none else "Plex Movie"),
                language=language or ("xn" if none else "en-US"),
                created_at=now,
                updated_at=now,
                scanned_at=now,
            )
            self.sections[key] = section
            self.by_section[key] = {}
            return section

    def add_item(
        self,
        section: Section,
        files: Iterable[FileSpec],
        title: str | None = None,
        stacked: bool = False,
        optimized: Iterable[FileSpec] = (),
    ) -> Item:
        """Add an item as a scan would. Each file is a version of its own, or all are parts of one."""
        files = list(files)
        with self.lock:
            now = self.now()
            groups = [files] if stacked and files else [[file] for file in files]
            media = [self._media(group, None, now) for group in groups]
            media += [self._media([file], 42, now) for file in optimized]
            key = self.next_rating_key()
            item = Item(
                rating_key=key,
                section=section,
                guid=_guid(section, key),
                title=title if title is not None else (stem(files[0][0]) if files else f"Item {key}"),
                added_at=now,
                updated_at=now,
                born=now,
                media=media,
            )
            self.items[key] = item
            self.by_section[section.key][key] = item
            section.content_changed_at += 1
            Changes.count += 1
            return item

    def remove_item(self, item: Item) -> None:
        """Forget an item; collections that lose their last member go with it."""
        with self.lock:
            del self.items[item.rating_key]
            del self.by_section[item.section.key][item.rating_key]
            item.section.content_changed_at += 1
            Changes.count += 1
            self.files.mark_stale()
            self.collection_objects.drop_empty(item.section, item.tags("collection"), self.members(item.section))

    def members(self, section: Section) -> Iterable[Item]:
        """Return the items of a section, oldest first."""
        return self.by_section[section.key].values()

    def entry(self, rating_key: int) -> Entry | None:
        """Return the item or collection with this key."""
        return self.items.get(rating_key) or self.collection_objects.by_key(rating_key)

    def slot(self, entry: Entry, place: str) -> PictureSlot:
        """Return the entry's pictures for ``thumb`` or ``art``, creating the slot on first use."""
        slot = entry.images.get(place)
        if slot is None:
            slot = PictureSlot()
            if isinstance(entry, Item) and entry.analyzed:
                slot = initial_pictures(entry.rating_key, place, entry.born)
            entry.images[place] = slot
        return slot

    def touch(self, entry: Entry) -> None:
        """Mark the entry as changed: update its time and its section's counter."""
        entry.updated_at = self.now()
        entry.section.content_changed_at += 1

    def set_tags(self, entry: Entry, kind: str, tags: Iterable[Tag]) -> None:
        """Replace the tags of one kind as PMS stores them: spelled as their rows, no name twice."""
        with self.lock:
            before = entry.tags(kind)
            unique: dict[str, Tag] = {}
            for tag in tags:
                unique.setdefault(tag.tag.casefold(), self.tag_table.spelled(kind, tag))
            entry.tag_lists[kind] = list(unique.values())
            if kind == "collection":
                gone = [name for name in before if name.casefold() not in unique]
                self.collection_objects.add_missing(entry.section, entry.tags(kind))
                self.collection_objects.drop_empty(entry.section, gone, self.members(entry.section))

    def _media(self, files: list[FileSpec], proxy_type: int | None, now: int) -> Media:
        parts = [
            Part(next(self._part_ids), path, size, round(seconds * 1000), stamp=now) for path, size, seconds in files
        ]
        return Media(next(self._media_ids), parts, proxy_type)


def _guid(section: Section, key: int) -> str:
    if section.agent == "tv.plex.agents.none":
        return f"tv.plex.agents.none://{key}"
    if section.agent == "com.plexapp.agents.none":
        return f"com.plexapp.agents.none://{uuid.uuid5(uuid.NAMESPACE_OID, str(key)).hex}?lang=xn"
    return f"local://{key}"
