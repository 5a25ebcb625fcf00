"""What the code of a dead letter means to a person: its cause, what to do about it, and what kind of row it is."""

from __future__ import annotations

from common.errors import ENDED_BY_OUTAGE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

# The codes of two errors that the page shows in their own way (matching.low_confidence, plex.exceptions).
LOW_CONFIDENCE = "LowConfidence"
NOT_IN_PLEX = "PlexNotFound"


class Cause:
    """Why jobs failed, and what to do about it, in words."""

    __slots__ = ("text", "what_to_do")

    def __init__(self, text: str, what_to_do: str) -> None:
        self.text = text
        self.what_to_do = what_to_do


_CAUSES = {
    LOW_CONFIDENCE: Cause(
        "More than one Plex item may be this scene, or none certainly is",
        "Choose the right item, or say that it is none of these",
    ),
    NOT_IN_PLEX: Cause(
        "Plex does not have the file",
        "Add its folder to a Plex library and scan it. If Stash and Plex see the folder under different paths, add a "
        "rule to Path map. The scene is written as soon as Plex has the file",
    ),
    "PlexPermanentError": Cause(
        "Plex rejected the change",
        "The message says what Plex answered. Fix that, then try again",
    ),
    "PlexLibraryMissing": Cause(
        "A library is not on the Plex server",
        "Correct Plex libraries in the settings, then try again",
    ),
    "PermanentError": Cause(
        "The job cannot be done as it is",
        "Save the scene again, or discard the row",
    ),
}
_OUTAGE = Cause("Plex or Stash was not available", "Nothing: these are tried again automatically")
_UNEXPECTED = Cause(
    "Something unexpected went wrong", "Try again. If it happens again, please report it with the message"
)


def cause_of(code: str) -> Cause:
    """Return the cause of dead letters with this error code."""
    return _OUTAGE if code in ENDED_BY_OUTAGE else _CAUSES.get(code, _UNEXPECTED)


def kind_of(code: str) -> str:
    """Return the kind of row that a dead letter is on the page: doubtful, missing, or dead."""
    return {LOW_CONFIDENCE: "doubtful", NOT_IN_PLEX: "missing"}.get(code, "dead")


def title_of(detail: Mapping[str, object], path: str) -> str:
    """Return the title of a dead letter's scene, else the name of its file."""
    scene = detail.get("scene")
    title = scene.get("title") if isinstance(scene, dict) else None
    return str(title) if title else path.replace("\\", "/").rsplit("/", 1)[-1].rpartition(".")[0]
