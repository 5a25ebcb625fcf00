"""The published names of the library index and the match cache, which live in :mod:`matching.index_store`."""

from matching.index_store import FILE, IndexedFile, IndexedItem, MatchCache, PlexCache

__all__ = ["FILE", "IndexedFile", "IndexedItem", "MatchCache", "PlexCache"]
