"""What to do about a picture of an item, from what is stored about it, what Stash has and what Plex lists. Pure.

A *place* is where Plex shows a picture: ``thumb`` (the poster) or ``art`` (the background).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import Enum

from common.scene import SceneData
from settings.config import Stash2PlexConfig

THUMB, ART = "thumb", "art"
# What Plex took out of the video itself, or draws if there is nothing (plex 5).
_PLEX_OWN = ("media://", "default://")
_UPLOAD = "upload://"

ListedPictures = Sequence[tuple[str, bool]]
"""The pictures that Plex lists for a place: key, and whether it is the one that is shown."""


class PictureState(str, Enum):
    """The outcome of the last sync of a picture."""

    OURS = "ours"
    """Plex shows what Stash has."""
    KEPT = "kept"
    """The user's choice in Plex stays (``preserve_plex_edits``)."""
    NONE = "none"
    """Stash has no picture of the scene."""
    UNUSABLE = "unusable"
    """Plex cannot show Stash's picture, or refused it."""


@dataclass(frozen=True)
class PictureRecord:
    """What the ledger stores about one place of one item.

    ``updated_at`` (epoch seconds) is the scene's at that time, None if it proves nothing. ``etag`` and ``sha1`` belong
    to Stash's picture; ``key`` is Plex's name for the last picture that we put there, ``address`` the item's URL of it
    ("" if not known). ``machine`` is the Plex server: rating keys of another one mean other items.
    """

    state: PictureState
    machine: str = ""
    updated_at: float | None = None
    etag: str = ""
    sha1: str = ""
    key: str = ""
    address: str = ""

    @classmethod
    def from_row(cls, stored: object, machine: str) -> PictureRecord | None:
        """Return the record of a ledger row; None if there is none, it is unreadable, or it is of another server."""
        if not isinstance(stored, Mapping) or stored.get("machine", "") != machine:
            return None
        try:
            state = PictureState(stored.get("state"))
        except ValueError:
            return None
        at = stored.get("updated_at")
        texts = {name: str(stored.get(name) or "") for name in ("etag", "sha1", "key", "address")}
        return cls(state, machine, float(at) if isinstance(at, (int, float)) else None, **texts)

    def as_row(self) -> dict[str, str | float]:
        """Return the record as the ledger stores it, without empty values."""
        return {name: value for name, value in asdict(self).items() if value not in ("", None)} | {
            "state": self.state.value
        }


def enabled_pictures(config: Stash2PlexConfig, data: SceneData) -> list[tuple[str, str]]:
    """Return the places to sync, each with the address of its picture in Stash.

    Places that the settings switch off are left out, and those whose picture ``data`` does not have.
    """
    if not config.sync_master:
        return []
    places = (
        (THUMB, config.sync_poster, data.get("poster_url")),
        (ART, config.sync_background, data.get("background_url")),
    )
    return [(place, str(url)) for place, is_on, url in places if is_on and url]


def is_up_to_date(record: PictureRecord | None, updated_at: float | None, address: str | None, preserve: bool) -> bool:
    """Return whether neither server has to be asked about a picture.

    That is so if the scene is the one of the last sync, and nothing says that Plex shows another picture since.
    ``address`` is the item's own, None if it was not read.
    """
    if record is None or updated_at is None or record.updated_at != updated_at:
        return False
    if record.state is PictureState.KEPT:
        return preserve
    return record.state is not PictureState.OURS or not address_changed(record, address)


def address_changed(record: PictureRecord, address: str | None) -> bool:
    """Return whether Plex shows another picture than at the last sync: the address changes with it (plex 4.6)."""
    return bool(record.address) and address is not None and address != record.address


class PictureAction(Enum):
    """What to do at Plex."""

    NOTHING = "it is shown already"
    SELECT = "it is there already, and is selected"
    UPLOAD = "it is uploaded"


@dataclass(frozen=True)
class PictureChoice:
    """An action; ``key`` is Plex's name of the picture if it has one."""

    action: PictureAction
    key: str = ""


def choose_action(listed: ListedPictures, sha1: str, record: PictureRecord | None) -> PictureChoice:
    """Return how to make Plex show the picture with this SHA-1."""
    key = _key_of(listed, sha1, record)
    if key and key == selected_key(listed):
        return PictureChoice(PictureAction.NOTHING, key)
    return PictureChoice(PictureAction.SELECT, key) if key else PictureChoice(PictureAction.UPLOAD)


def is_user_choice(shown: str, *, locked: bool) -> bool:
    """Return whether ``preserve_plex_edits`` protects the picture that is shown.

    It protects everything but an empty place and a frame that Plex took by itself. A locked frame was chosen by the
    user: choosing locks (plex 4.3).
    """
    return bool(shown) and (locked or not shown.startswith(_PLEX_OWN))


def selected_key(listed: ListedPictures) -> str:
    """Return the key of the picture that is shown, "" for none."""
    return next((key for key, is_shown in listed if is_shown), "")


def replacement_frame(listed: ListedPictures, record: PictureRecord | None) -> str:
    """Return Plex's own frame to show instead of our picture, which Stash does not have any more.

    "" if the picture that is shown is not ours, or there is no frame.
    """
    if record is None or not record.key or selected_key(listed) != record.key:
        return ""
    return next((key for key, _ in listed if key.startswith(_PLEX_OWN)), "")


def uploaded_key(listed: ListedPictures, sha1: str) -> str:
    """Return the key of the upload with this SHA-1, which is its last part (plex 5); "" if there is none."""
    return next((key for key, _ in listed if key.startswith(_UPLOAD) and key.rpartition("/")[2] == sha1), "")


def _key_of(listed: ListedPictures, sha1: str, record: PictureRecord | None) -> str:
    by_sha1 = uploaded_key(listed, sha1)
    if by_sha1 or record is None or not sha1 or record.sha1 != sha1:
        return by_sha1
    # A Plex that names its uploads in another way: the key that it gave ours.
    return record.key if any(key == record.key for key, _ in listed) else ""
