"""What is to be done about a picture of an item: out of what is remembered of it, what Stash has and what Plex lists.

Pure. A *place* is where Plex shows a picture: ``thumb`` (the poster) or ``art`` (the background).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any

THUMB, ART = "thumb", "art"
# The switch of a place, and where a job's data holds the address of its picture.
SWITCHES = {THUMB: ("sync_poster", "poster_url"), ART: ("sync_background", "background_url")}
# What Plex took out of the video itself, or draws where there is nothing (plex 5).
_PLEX_OWN = ("media://", "default://")
_UPLOAD = "upload://"

ListedPictures = Sequence[tuple[str, bool]]
"""The pictures Plex lists for a place: key, and whether it is the one that is shown."""


class PictureState(str, Enum):
    """What became of a picture the last time it was looked at."""

    OURS = "ours"
    """Plex shows what Stash has."""
    KEPT = "kept"
    """Somebody's choice in Plex stays (``preserve_plex_edits``)."""
    NONE = "none"
    """Stash has no picture of the scene."""
    UNUSABLE = "unusable"
    """Stash's picture is none that Plex could show, or Plex refused it."""


@dataclass(frozen=True)
class PictureRecord:
    """What is remembered of one place of one item.

    ``updated_at`` (epoch seconds) is of the scene as it was then, None where it proves nothing. ``etag`` and ``sha1``
    are of Stash's picture then; ``key`` is Plex's name for the last picture we put there, ``address`` the item's URL
    for it ("" where not known). ``machine`` is the Plex: rating keys of another one mean other items.
    """

    state: PictureState
    machine: str = ""
    updated_at: float | None = None
    etag: str = ""
    sha1: str = ""
    key: str = ""
    address: str = ""

    def as_dict(self) -> dict[str, Any]:
        """As the ledger keeps it: without what says nothing."""
        return {name: value for name, value in asdict(self).items() if value not in ("", None)} | {
            "state": self.state.value
        }


def stored_record(stored: Any, machine: str) -> PictureRecord | None:
    """A memory out of the ledger; None where there is none, it is unreadable, or it is of another Plex."""
    if not isinstance(stored, Mapping) or stored.get("machine", "") != machine:
        return None
    try:
        state = PictureState(stored.get("state"))
    except ValueError:
        return None
    at = stored.get("updated_at")
    texts = {name: str(stored.get(name) or "") for name in ("etag", "sha1", "key", "address")}
    return PictureRecord(state, machine, float(at) if isinstance(at, (int, float)) else None, **texts)


def enabled_pictures(config: Any, data: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The places to look after, each with the address of its picture in Stash. What is switched off, and what a job's
    data does not hold, is left alone."""
    if not config.sync_master:
        return []
    return [
        (place, str(data[url]))
        for place, (switch, url) in SWITCHES.items()
        if getattr(config, switch) and data.get(url)
    ]


def is_up_to_date(memory: PictureRecord | None, updated_at: float | None, address: str | None, preserve: bool) -> bool:
    """Whether nobody has to be asked anything: the scene is the one that was looked at, and nothing says that Plex
    shows another picture since. ``address`` is the item's own, None where it was not read."""
    if memory is None or updated_at is None or memory.updated_at != updated_at:
        return False
    if memory.state is PictureState.KEPT:
        return preserve
    return memory.state is not PictureState.OURS or not address_changed(memory, address)


def address_changed(memory: PictureRecord, address: str | None) -> bool:
    """Whether Plex shows another picture than when it was looked at: the address changes with it (plex 4.6)."""
    return bool(memory.address) and address is not None and address != memory.address


class PictureAction(Enum):
    """What to do at Plex."""

    NOTHING = "it is shown already"
    SELECT = "it is there already, and is selected"
    UPLOAD = "it is uploaded"


@dataclass(frozen=True)
class PictureChoice:
    """A decision; ``key`` is Plex's name of the picture where it has one."""

    action: PictureAction
    key: str = ""


def choose_action(listed: ListedPictures, sha1: str, memory: PictureRecord | None) -> PictureChoice:
    """How Plex gets to show the picture with this SHA-1."""
    mine = _our_key(listed, sha1, memory)
    if mine and mine == selected_key(listed):
        return PictureChoice(PictureAction.NOTHING, mine)
    return PictureChoice(PictureAction.SELECT, mine) if mine else PictureChoice(PictureAction.UPLOAD)


def is_user_choice(shown: str, *, locked: bool) -> bool:
    """Whether ``preserve_plex_edits`` protects what is shown: everything but nothing at all, and a frame that Plex took
    by itself. A locked frame was chosen by a person: choosing locks (plex 4.3)."""
    return bool(shown) and (locked or not shown.startswith(_PLEX_OWN))


def selected_key(listed: ListedPictures) -> str:
    """The key of the picture that is shown, "" for none."""
    return next((key for key, shown in listed if shown), "")


def replacement_frame(listed: ListedPictures, memory: PictureRecord | None) -> str:
    """Stash has no picture any more: the frame of Plex's own that takes the place of ours, "" where what is shown is
    not of our making, or there is no frame."""
    if memory is None or not memory.key or selected_key(listed) != memory.key:
        return ""
    return next((key for key, _ in listed if key.startswith(_PLEX_OWN)), "")


def uploaded_key(listed: ListedPictures, sha1: str) -> str:
    """The key of the upload with this SHA-1, which ends it (plex 5); "" where there is none."""
    return next((key for key, _ in listed if key.startswith(_UPLOAD) and key.rpartition("/")[2] == sha1), "")


def _our_key(listed: ListedPictures, sha1: str, memory: PictureRecord | None) -> str:
    by_sum = uploaded_key(listed, sha1)
    if by_sum or memory is None or not sha1 or memory.sha1 != sha1:
        return by_sum
    # A Plex that names its uploads otherwise: the name it gave ours.
    return memory.key if any(key == memory.key for key, _ in listed) else ""
