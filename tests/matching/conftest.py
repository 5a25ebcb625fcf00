"""Fixtures of the tests of matching: a running Plex and clients to it."""

from tests.plex.conftest import client as client
from tests.plex.conftest import connect as connect
from tests.plex.conftest import plex as plex
from tests.plex.conftest import scenes as scenes
