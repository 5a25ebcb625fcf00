"""A simulated Plex Media Server with its library in memory: the HTTP API of PMS 1.43 as far as this project uses it."""

from sandbox.plex.assumptions import Assumptions
from sandbox.plex.faults import Faults
from sandbox.plex.model import Collection, Item, Media, Part, Section, Tag
from sandbox.plex.request_log import RequestLine, Write
from sandbox.plex.simulator import PlexSim

__all__ = [
    "Assumptions", "Collection", "Faults", "Item", "Media", "Part", "PlexSim", "RequestLine", "Section", "Tag", "Write",
]  # fmt: skip
