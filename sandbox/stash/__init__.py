"""A simulated Stash: a real server on loopback that starts real plugin processes.

It behaves like Stash v0.30.1-19 as far as the check-list of the reference (stash 11) goes; its tests compare it with
recordings of a real server.
"""

from .client import StashGraphQLError
from .faults import Faults
from .images import png
from .jobs import Job
from .jpeg import jpeg
from .log import LogLine
from .manifest import Manifest
from .model import Scene
from .process import PluginProcess
from .scan import NewFile
from .server import RequestRecord
from .simulator import StashSim

__all__ = [
    "Faults",
    "Job",
    "LogLine",
    "Manifest",
    "NewFile",
    "PluginProcess",
    "RequestRecord",
    "Scene",
    "StashGraphQLError",
    "StashSim",
    "jpeg",
    "png",
]
