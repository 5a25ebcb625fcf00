"""Settings that cannot be used are logged, and Stash's settings page shows the switches that are on by default as on.

Stash shows a switch that was never touched as off, and knows no defaults (stash 5).
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from api.context import Context
from common import stash_log
from pipeline.write_blockers import write_blocker
from settings.table import TABLE
from stash.client import StashError
from stash.queries import CONFIGURE
from stash.scenes import read_batch
from state.worker_status import ATTENTION, read_text
from tasks.reconcile import scope_problem


def log_problems(context: Context) -> None:
    """Log each setting that cannot be used, if the settings were read."""
    config = context.config_if_read
    if config is None:
        return
    for warning in config.warnings:
        stash_log.warning(f"{warning}. The default is used until you correct it")
    scope = scope_problem(config)
    if scope:
        stash_log.warning(f"{scope}. Automatic runs compare the last 24 hours until you correct it")


def show_default_switches(context: Context) -> None:
    """Have the settings page show switches that are on by default as on, if the settings were read."""
    if context.config_if_read is None:
        return
    try:
        shown = store_default_switches(context)
    except StashError as error:
        stash_log.debug(f"The switches that are on by default could not be stored: {error}")
        return
    if shown:
        stash_log.info(f"{len(shown)} switches that are on by default are now shown as on in Settings > Plugins")


def log_what_blocks_writing(context: Context) -> None:
    """Log what to do next if a setting keeps the worker from writing, though the task itself succeeded."""
    config = context.config_if_read
    if config is None:
        return
    sentence = write_blocker(config)
    if sentence and sentence != read_text(os.path.join(context.data_dir, ATTENTION)):
        stash_log.warning(sentence)


def store_default_switches(context: Context) -> list[str]:
    """Store ``true`` for each switch that is on by default and has no value. Return their names. Raise StashError.

    Stash replaces all settings of a plugin at once. They are read again right before, so that what the user has just
    saved is kept.
    """
    stored = read_batch(context.stash, []).settings
    absent = untouched_switches(stored)
    if absent:
        context.stash.call(CONFIGURE, {"input": {**stored, **dict.fromkeys(absent, True)}})
    return absent


def untouched_switches(stored: Mapping[str, object]) -> list[str]:
    """Return the names of the switches that are on because nobody has touched them."""
    return [
        setting.name
        for setting in TABLE
        if setting.kind == "BOOLEAN" and setting.default is True and stored.get(setting.name) is None
    ]
