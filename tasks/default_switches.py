"""What a task owes the settings' page: switches shown as they are, and a word where a value cannot be used.

Stash draws a switch that nobody has touched as off, and knows no defaults (stash 5).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from api.context import Context
from common import stash_log
from pipeline.write_blockers import in_the_way
from settings.config import TABLE
from stash.client import StashError
from stash.queries import CONFIGURE
from stash.scenes import read_batch
from tasks.reconcile import scope_problem
from worker.status_files import ATTENTION, read_text


def look_after(context: Context, *, change: bool) -> None:
    """Name every value in whose place the default counts and, with ``change``, have the page show which switches are
    on.

    For tasks that have asked for the settings: what could not be had is not asked for again.
    """
    if "config" not in context.__dict__:
        return
    for warning in context.config.warnings:
        stash_log.warning(f"{warning}. Until it is mended its default counts")
    scope = scope_problem(context.config)
    if scope:
        stash_log.warning(f"{scope}. Until it is mended a run by itself compares the last 24 hours")
    if not change:
        return
    try:
        shown = show(context)
    except StashError as error:
        stash_log.debug(f"The switches that are on could not be shown as on: {error}")
        return
    if shown:
        stash_log.info(f"{len(shown)} switches that are on by default are now shown as on in Settings > Plugins")


def remind(context: Context) -> None:
    """Say what to do next where a task could do its work though a setting is missing or wrong."""
    if "config" not in context.__dict__:
        return
    sentence = in_the_way(context.config)
    if sentence and sentence != read_text(os.path.join(context.data_dir, ATTENTION)):
        stash_log.warning(sentence)


def show(context: Context) -> list[str]:
    """Store ``true`` for each switch that is on by default and has no value; gives their names. Raises StashError.

    Stash replaces all settings of a plugin at once, so they are read anew right before: what a person has just saved
    must not be undone.
    """
    stored = read_batch(context.stash, []).settings
    absent = untouched(stored)
    if absent:
        context.stash.call(CONFIGURE, {"input": {**stored, **dict.fromkeys(absent, True)}})
    return absent


def untouched(stored: Mapping[str, Any]) -> list[str]:
    """The names of the switches that are on because nobody has touched them."""
    return [one.name for one in TABLE if one.kind == "BOOLEAN" and one.default is True and stored.get(one.name) is None]
