"""Fixtures for the tests of the pipeline."""

from tests.worker.conftest import bench as bench
from tests.worker.conftest import clock as clock
from tests.worker.conftest import make_bench as make_bench
from tests.worker.conftest import plex as plex
