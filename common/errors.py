"""The base of every error whose message the user may read. Imports nothing, because status operations use this.

UserFacingError
 ├─ UserError           a task or operation was asked for something it cannot do
 ├─ PermanentError      a job that can never be done as it is
 │   └─ LowConfidence   no item is proven to be the scene's (matching.low_confidence)
 ├─ DataDirUnavailable  there is no place for our files
 ├─ BadDocument         standard input is not what Stash writes
 ├─ QueueUnavailable    the queue cannot be opened (sync_queue.setup)
 ├─ PlexError ...       something is wrong with Plex (plex.exceptions)
 ├─ StashError ...      something is wrong with Stash (stash.client)
 └─ BadScope (reconciliation.scopes), BadPathRule (matching.path_map)
"""

from __future__ import annotations


class UserFacingError(Exception):
    """An error whose text is a sentence for the user.

    ``code`` names the kind of error in dead letters, jobs and answers. A code that a release has stored never changes,
    and no two classes share one.
    """

    code = "UserFacingError"


class UserError(UserFacingError):
    """A task or operation was asked for something it cannot do: what is wrong, where, and what to do about it."""

    code = "UserError"


class PermanentError(UserFacingError):
    """A job that can never be done as it is."""

    code = "PermanentError"


class DataDirUnavailable(UserFacingError):
    """No directory can hold the plugin's data; the message names those that were tried."""

    code = "DataDirUnavailable"


class BadDocument(UserFacingError):
    """The document on standard input is not what Stash writes."""

    code = "BadDocument"


# The codes of errors that end with the outage that caused them. Their dead letters are retried without the user's
# doing. tests/common/test_errors.py holds this to the classes: temporary errors of Plex and all errors of Stash.
ENDED_BY_OUTAGE = frozenset(
    (
        *("PlexServerDown", "PlexTemporaryError", "PlexTokenRefused"),
        *("StashError", "StashQueryError", "StashRefused", "StashUnreachable"),
    )
)


def code_of(error: BaseException) -> str:
    """Return the code of an error; for one that is not user-facing (a bug) the name of its class."""
    return error.code if isinstance(error, UserFacingError) else type(error).__name__
