"""Collections: objects that appear with the first use of a collection tag and disappear with the last (plex 6)."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable

from sandbox.plex.model import Collection, Item, Section
from sandbox.plex.tag_table import TagTable


class CollectionObjects:
    """The collection objects of all sections. The membership itself is in the items' collection tags."""

    def __init__(self, tag_table: TagTable, next_rating_key: Callable[[], int], now: Callable[[], int]) -> None:
        self._tag_table = tag_table
        self._next_rating_key = next_rating_key
        self._now = now
        self._found: dict[tuple[int, str], Collection] = {}

    def by_key(self, rating_key: int) -> Collection | None:
        """Return the collection with this rating key."""
        return next((found for found in self._found.values() if found.rating_key == rating_key), None)

    def named(self, section: Section, title: str) -> Collection | None:
        """Return the section's collection with this title, ignoring letter case."""
        return self._found.get((section.key, title.casefold()))

    def add_missing(self, section: Section, titles: Iterable[str]) -> None:
        """Create the missing collections for tags that items now have."""
        for title in titles:
            key = (section.key, title.casefold())
            if key not in self._found:
                index, spelling = self._tag_table.row("collection", title)
                now = self._now()
                rating_key = self._next_rating_key()
                guid = f"collection://{uuid.uuid5(uuid.NAMESPACE_OID, f'collection:{rating_key}')}"
                self._found[key] = Collection(
                    rating_key, section, guid, spelling, added_at=now, updated_at=now, index=index
                )

    def drop_empty(self, section: Section, titles: Iterable[str], items: Iterable[Item]) -> None:
        """Remove collections without members after items lost these tags."""
        wanted = {title.casefold() for title in titles}
        if wanted:
            used = {name.casefold() for item in items for name in item.tags("collection")}
            for title in wanted - used:
                self._found.pop((section.key, title), None)

    def all(self, section: Section, items: Iterable[Item]) -> list[tuple[Collection, list[Item]]]:
        """Return the section's collections with their members, by sort title, including tags set by a test."""
        members: dict[str, list[Item]] = {}
        for item in items:
            for name in item.tags("collection"):
                members.setdefault(name.casefold(), []).append(item)
        self.add_missing(section, (name for title in members for name in _spellings(members[title], title)))
        for key in [key for key in self._found if key[0] == section.key and key[1] not in members]:
            del self._found[key]
        pairs = [(self._found[(section.key, title)], found) for title, found in members.items()]
        return sorted(pairs, key=lambda pair: pair[0].sorted_as.casefold())

    def rename(self, collection: Collection, title: str) -> bool:
        """Rename the collection's tag. Return False if another collection has the name (PMS: 409)."""
        old, new = collection.title.casefold(), title.casefold()
        section = collection.section.key
        if old != new and (section, new) in self._found:
            return False
        # another section may use the row of the old name, so the collection gets a row with its new name
        collection.index = self._tag_table.respell("collection", title)
        self._found[(section, new)] = self._found.pop((section, old))
        return True


def _spellings(items: list[Item], title: str) -> list[str]:
    return [name for name in items[0].tags("collection") if name.casefold() == title][:1]
