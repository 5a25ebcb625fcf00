"""A Plex Media Server made of memory: the wire protocol of PMS 1.43 as far as this project touches it."""

from sandbox.plex.faults import Faults
from sandbox.plex.model import Collection, Item, Media, Part, Section, Tag
from sandbox.plex.readings import Readings
from sandbox.plex.records import RequestLine, Write
from sandbox.plex.sim import PlexSim

__all__ = [
    "Collection", "Faults", "Item", "Media", "Part", "PlexSim", "Readings", "RequestLine", "Section", "Tag", "Write",
]  # fmt: skip
