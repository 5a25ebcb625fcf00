"""What the operations of the page share: the version of their answers, and what is to be thought of a dead letter.

Imports nothing: each question of the page is a process on somebody's NAS.
"""

from __future__ import annotations

from common.errors import ENDED_BY_OUTAGE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

VERSION = 1
# No list of an answer is longer; the rest is asked for with ``after``.
MOST = 200
# Dead letters are old after so many days, and Purge Old DLQ Entries deletes them: tasks.dead_letters.DAYS, to which a
# test holds this.
OLD = 30.0

DOUBT = "LowConfidence"
MISSING = "PlexNotFound"
# The verdicts of state.ledger.IN_STEP, and the one for what Plex does not have; a test holds them together.
IN_STEP = ("pushed", "nothing to change")
NOT_IN_PLEX = "not in Plex"

_CAUSES = {
    DOUBT: (
        "Several items of Plex may be the scene, or none is surely it",
        "Choose the item, or say that it is none of these",
    ),
    MISSING: (
        "Plex does not have the file",
        "Add its folder to a library of Plex and have it scanned, or give a rule for Path map where the two call the "
        "folder differently. It is written by itself as soon as Plex has the file",
    ),
    "PlexPermanentError": (
        "Plex did not take the change",
        "The message says what Plex answered. When that is mended, try again",
    ),
    "PlexLibraryMissing": ("A library is not on the server", "Mend Plex libraries in the settings, then try again"),
    "PermanentError": ("The job cannot be done as it is", "Save the scene again, or discard the row"),
}
_OUTAGE = ("An outage of Plex or Stash", "Nothing: they are tried again by themselves")
_OTHER = ("Something unexpected went wrong", "Try again. If it comes back, please report it with the message")


def cause_of(error_type: str) -> tuple[str, str]:
    """The cause of dead letters with this error, and what to do about them, in words."""
    return _OUTAGE if error_type in ENDED_BY_OUTAGE else _CAUSES.get(error_type, _OTHER)


def kind_of(error_type: str) -> str:
    """What kind of row a dead letter is: doubtful, missing, or dead."""
    return {DOUBT: "doubtful", MISSING: "missing"}.get(error_type, "dead")


def title_of(detail: Mapping[str, Any], path: str) -> str:
    """What a person calls the scene of a dead letter: its title, else its file's name."""
    scene = detail.get("scene")
    title = scene.get("title") if isinstance(scene, dict) else None
    return str(title) if title else path.replace("\\", "/").rsplit("/", 1)[-1].rpartition(".")[0]
