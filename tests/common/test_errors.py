"""One base for the errors that a person may read; their codes are what version 0.1.0 stored."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib import import_module

import pytest

from common.errors import (
    ENDED_BY_OUTAGE,
    BadDocument,
    DataDirUnavailable,
    PermanentError,
    UserError,
    UserFacingError,
    code_of,
)
from matching.low_confidence import LowConfidence
from matching.path_map import BadPathRule
from plex import exceptions as plex
from plex.pictures import PictureRefused
from reconciliation.scopes import BadScope
from stash import client as stash
from sync_queue.setup import QueueUnavailable
from tests.hooks.support import ROOT

pytestmark = pytest.mark.unit

# What dead letters, jobs and events of version 0.1.0 hold.
STORED: dict[str, type[UserFacingError]] = {
    "PlexError": plex.PlexError,
    "PlexTemporaryError": plex.PlexTemporaryError,
    "PlexNotFound": plex.PlexNotFound,
    "PlexServerDown": plex.PlexServerDown,
    "PlexPermanentError": plex.PlexPermanentError,
    "PlexTokenRefused": plex.PlexTokenRefused,
    "PlexLibraryMissing": plex.PlexLibraryMissing,
    "PictureRefused": PictureRefused,
    "StashError": stash.StashError,
    "StashUnreachable": stash.StashUnreachable,
    "StashRefused": stash.StashRefused,
    "StashQueryError": stash.StashQueryError,
    "LowConfidence": LowConfidence,
    "PermanentError": PermanentError,
    "UserError": UserError,
    "QueueUnavailable": QueueUnavailable,
    "DataDirUnavailable": DataDirUnavailable,
    "BadScope": BadScope,
    "BadPathRule": BadPathRule,
    "BadDocument": BadDocument,
}
PACKAGES = (
    "api common hooks matching metadata pipeline plex reconciliation settings stash state sync_queue tasks worker"
)


def subclasses(kind: type[UserFacingError]) -> Iterator[type[UserFacingError]]:
    for below in kind.__subclasses__():
        yield below
        yield from subclasses(below)


def of_the_product() -> set[type[UserFacingError]]:
    """Every user-facing error that a module of the plugin defines."""
    for package in PACKAGES.split():
        for path in (ROOT / package).rglob("*.py"):
            if any(isinstance(node, ast.ClassDef) and node.bases for node in ast.walk(ast.parse(path.read_text()))):
                import_module(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"))
    return {kind for kind in subclasses(UserFacingError) if not kind.__module__.startswith("tests.")}


def test_codes_of_version_0_1_0_are_still_there() -> None:
    assert [kind.code for kind in STORED.values()] == list(STORED)


def test_codes_are_unique() -> None:
    kinds: list[type[UserFacingError]] = [UserFacingError, *of_the_product()]
    assert all("code" in vars(kind) for kind in kinds)
    assert len({kind.code for kind in kinds}) == len(kinds)


def test_published_permanent_error_is_the_common_one() -> None:
    from worker import processor

    assert processor.PermanentError is PermanentError


def test_errors_that_end_with_an_outage_are_temporary_ones_of_plex_and_all_of_stash() -> None:
    kinds = {
        kind
        for kind in of_the_product()
        if issubclass(kind, (plex.PlexTemporaryError, stash.StashError)) and not issubclass(kind, plex.PlexNotFound)
    }
    assert {kind.code for kind in kinds} == ENDED_BY_OUTAGE


def test_code_of_an_unexpected_error_is_the_name_of_its_class() -> None:
    assert code_of(ZeroDivisionError("a bug")) == "ZeroDivisionError"
    assert code_of(plex.PlexNotFound("x")) == "PlexNotFound"
