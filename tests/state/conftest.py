"""Fixtures of the tests of what is kept on disk."""

from tests.sync_queue.conftest import data_dir as data_dir
from tests.sync_queue.conftest import store as store
from tests.sync_queue.conftest import writer as writer
