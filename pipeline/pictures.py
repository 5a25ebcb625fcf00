"""Sync the pictures of a scene's items: Stash's cover becomes poster and background in Plex (plex 5, stash 8).

Neither server is asked if nothing can have changed; a picture that Plex already has is selected, never uploaded again.
The bytes of one scene at a time are in memory.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from common.scene import SceneData
from metadata.picture_choice import (
    THUMB,
    PictureAction,
    PictureRecord,
    PictureState,
    choose_action,
    enabled_pictures,
    is_up_to_date,
    is_user_choice,
    replacement_frame,
    selected_key,
    uploaded_key,
)
from plex.exceptions import PlexNotFound, PlexTemporaryError
from plex.pictures import ListedPicture, PictureRefused, list_pictures, select_picture, select_unlocked, upload_picture
from stash.covers import Cover, CoverAnswer, CoverUnchanged, NoCover, UnusableCover

if TYPE_CHECKING:
    from plex.client import PlexClient
    from settings.config import Stash2PlexConfig

log = logging.getLogger("Stash2Plex.worker")

# Stash's times are whole seconds: in the second of its save a scene may get yet another cover (stash 7.2).
SAME_SECOND_S = 2.0
_NAMES = {THUMB: "poster"}

Fetch = Callable[[str, str], CoverAnswer]
"""Called with a URL and the known ETag or ""; returns the cover as :func:`stash.covers.fetch_cover` does."""
BeforeChange = Callable[[int, str, str], None]
"""Called before our first change of a picture, with rating key, place, and the key that Plex shows ("" for none)."""


@dataclass(frozen=True)
class PictureTarget:
    """One proven item. ``locked`` are its locked fields, ``shown`` the URLs of its pictures by place, "" for none, as
    the full item has them; without them a change in Plex alone goes unnoticed."""

    rating_key: int
    section: int
    locked: frozenset[str] = frozenset()
    shown: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _DuePicture:
    """A picture to check: its place, its URL in Stash, and what is recorded of it."""

    target: PictureTarget
    place: str
    url: str
    record: PictureRecord | None

    @property
    def address(self) -> str | None:
        return self.target.shown.get(self.place)


@dataclass
class PictureOutcome:
    """What happened to a scene's pictures. ``ours`` are the records to keep, by rating key and place.

    ``error`` is why something is left to do; ``notes`` are sentences for the user about pictures that stay as they are.
    ``uploads`` pictures with ``size`` bytes in total were sent to Plex (or would be); ``selected`` ones Plex already
    had, and ``removed`` ones of ours are no longer shown.
    """

    ours: dict[str, dict[str, dict[str, object]]] = field(default_factory=dict)
    error: Exception | None = None
    notes: list[str] = field(default_factory=list)
    uploads: int = 0
    size: int = 0
    selected: int = 0
    removed: int = 0


class PictureSync:
    """Syncs the pictures of items. ``clock`` is epoch seconds."""

    def __init__(
        self, fetch: Fetch, *, before: BeforeChange = lambda *_: None, clock: Callable[[], float] = time.time
    ) -> None:
        self.fetch = fetch
        self.before = before
        self.clock = clock
        # What precedes the SHA-1 in the keys of uploads, by server and place, once a server has shown it.
        self.prefixes: dict[tuple[str, str], str] = {}

    def sync(
        self,
        client: PlexClient,
        data: SceneData,
        updated_at: float | None,
        targets: Iterable[PictureTarget],
        ours: Mapping[str, Mapping[str, Mapping[str, object]]],
        config: Stash2PlexConfig,
        *,
        dry: bool = False,
    ) -> PictureOutcome:
        """Sync the pictures of one scene's items; ``dry`` only counts what would be sent.

        ``updated_at`` is the scene's (epoch seconds, None if unknown), ``ours`` the records by rating key and place.
        Never raises: an error is in the outcome, beside what was done until then.
        """
        outcome = PictureOutcome()
        places = enabled_pictures(config, data)
        if not places:
            return outcome
        preserve = bool(config.preserve_plex_edits)
        try:
            machine = client.machine
            due = [
                _DuePicture(
                    target,
                    place,
                    url,
                    PictureRecord.from_row((ours.get(str(target.rating_key)) or {}).get(place), machine),
                )
                for target in targets
                for place, url in places
            ]
            due = [
                picture for picture in due if not is_up_to_date(picture.record, updated_at, picture.address, preserve)
            ]
            _PictureRun(self, client, outcome, machine, self._proving_time(updated_at), preserve, dry).run(due)
        except Exception as error:  # noqa: BLE001 - the text stands; the pictures are tried again on their own
            outcome.error = error
        return outcome

    def _proving_time(self, updated_at: float | None) -> float | None:
        """Return ``updated_at`` if the cover cannot change any more without changing it."""
        if updated_at is None or abs(self.clock() - updated_at) < SAME_SECOND_S:
            return None
        return updated_at


class _Cover:
    """A cover, fetched at most once, or twice if Stash said "unchanged" and the bytes are needed after all."""

    def __init__(self, fetch: Fetch, url: str, etag: str) -> None:
        self._fetch = fetch
        self._url = url
        self._etag = etag
        self._answer: CoverAnswer | None = None

    @property
    def answer(self) -> CoverAnswer:
        """The answer of Stash."""
        if self._answer is None:
            self._answer = self._fetch(self._url, self._etag)
        return self._answer

    def whole(self) -> CoverAnswer:
        """Return the answer with the bytes."""
        if isinstance(self.answer, CoverUnchanged):
            self._answer = self._fetch(self._url, "")
        return self.answer


class _PictureRun:
    """One sync of one scene's pictures."""

    def __init__(
        self,
        sync: PictureSync,
        client: PlexClient,
        outcome: PictureOutcome,
        machine: str,
        proving_time: float | None,
        preserve: bool,
        dry: bool,
    ) -> None:
        self.outcome = outcome
        self._sync = sync
        self._client = client
        self._machine = machine
        self._proving_time = proving_time
        self._preserve = preserve
        self._dry = dry
        self._covers: dict[str, _Cover] = {}

    def run(self, due: Sequence[_DuePicture]) -> None:
        """Sync every picture. Raise PlexError, StashError if the following pictures would fail the same way."""
        for url in {picture.url for picture in due}:
            # An ETag is sent only if all places of the picture know it by the same.
            records = [picture.record for picture in due if picture.url == url]
            same = len({(record.etag, record.sha1, record.state) if record else None for record in records}) == 1
            self._covers[url] = _Cover(self._sync.fetch, url, records[0].etag if same and records[0] else "")
        for picture in due:
            self._sync_unless_gone(picture)

    def _sync_unless_gone(self, due: _DuePicture) -> None:
        try:
            now = self._sync_picture(due)
        except PlexNotFound as error:
            self.outcome.error = error  # this item is gone, the others are not
            return
        if not self._dry:
            self.outcome.ours.setdefault(str(due.target.rating_key), {})[due.place] = {**now.as_row()}

    def _sync_picture(self, due: _DuePicture) -> PictureRecord:
        """Sync one picture, and return its new record."""
        record = due.record
        before = replace(
            record or PictureRecord(PictureState.NONE), machine=self._machine, updated_at=self._proving_time
        )
        listed: list[ListedPicture] | None = None
        if self._preserve:
            listed = self._list(due)
            if is_user_choice(selected_key(listed), locked=due.place in due.target.locked):
                return replace(before, state=PictureState.KEPT, address="")
        cover = self._covers[due.url]
        answer = cover.answer
        if isinstance(answer, CoverUnchanged) and record and record.state in (PictureState.NONE, PictureState.UNUSABLE):
            return before
        if isinstance(answer, (NoCover, UnusableCover)):
            return self._remove(due, answer, before)
        if isinstance(answer, Cover):
            before = replace(before, etag=answer.etag)
        sha1 = answer.sha1 if isinstance(answer, Cover) else before.sha1
        if (
            record
            and record.sha1 == sha1
            and (record.state is PictureState.UNUSABLE or _is_still_shown(record, due.address))
        ):
            return before  # Plex has refused these bytes, or it shows them
        if listed is None:
            listed = self._list(due)
        now = replace(before, state=PictureState.OURS, sha1=sha1, address="")
        choice = choose_action(listed, sha1, record)
        if choice.action is PictureAction.NOTHING:
            return replace(now, key=choice.key, address=due.address or "")
        if choice.action is PictureAction.SELECT:
            self._select(due, choice.key, listed, before)
            return replace(now, key=choice.key)
        return self._upload(due, cover.whole(), listed, now, before)

    def _list(self, due: _DuePicture) -> list[ListedPicture]:
        return list_pictures(self._client, due.target.rating_key, due.place)

    def _select(self, due: _DuePicture, key: str, listed: list[ListedPicture], before: PictureRecord) -> None:
        self.outcome.selected += 1
        if not self._dry:
            self._record_before(due, listed, before)
            select_picture(self._client, due.target.rating_key, due.place, key)
            self._log(due, "selected, Plex already had it")

    def _upload(
        self,
        due: _DuePicture,
        cover: CoverAnswer,
        listed: list[ListedPicture],
        now: PictureRecord,
        before: PictureRecord,
    ) -> PictureRecord:
        if not isinstance(cover, Cover):  # "unchanged" a moment ago, and gone now
            return self._remove(due, cover, before)
        now = replace(now, sha1=cover.sha1, etag=cover.etag)
        if not self._dry:
            self._record_before(due, listed, before)
            try:
                upload_picture(self._client, due.target.rating_key, due.place, cover.data)
            except PictureRefused as error:
                self._note(due, str(error))
                return replace(before, state=PictureState.UNUSABLE, etag=cover.etag, sha1=cover.sha1, address="")
            self._log(due, f"uploaded, {len(cover.data)} bytes")
        self.outcome.uploads += 1
        self.outcome.size += len(cover.data)
        return now if self._dry else replace(now, key=self._key_of_upload(due, cover.sha1, listed))

    def _key_of_upload(self, due: _DuePicture, sha1: str, listed: list[ListedPicture]) -> str:
        """Return Plex's key of what was just uploaded; looked up until the server has shown that it names by SHA-1."""
        server = (self._machine, due.place)
        if server in self._sync.prefixes:
            return self._sync.prefixes[server] + sha1
        after = self._list(due)
        key = uploaded_key(after, sha1)
        if key and key == selected_key(after):
            self._sync.prefixes[server] = key.removesuffix(sha1)
        elif selected_key(after) == selected_key(listed):
            raise PlexTemporaryError(f"Plex accepted the {_name(due.place)} but does not show it")
        return selected_key(after)

    def _remove(self, due: _DuePicture, answer: CoverAnswer, before: PictureRecord) -> PictureRecord:
        """Remove our picture, since Stash has none to show, as with a field that is emptied. Others stay."""
        if isinstance(answer, UnusableCover):
            self._note(due, answer.reason)
            return replace(before, state=PictureState.UNUSABLE, etag=answer.etag, sha1="", address="")
        frame = replacement_frame(self._list(due), before) if before.key and not self._preserve else ""
        if frame:
            self.outcome.removed += 1
            if not self._dry:
                select_unlocked(self._client, due.target.section, due.target.rating_key, due.place, frame)
                self._log(due, "removed, as in Stash")
        return replace(before, state=PictureState.NONE, etag=getattr(answer, "etag", ""), sha1="", address="")

    def _record_before(self, due: _DuePicture, listed: list[ListedPicture], before: PictureRecord) -> None:
        if not before.key:
            self._sync.before(due.target.rating_key, due.place, selected_key(listed))

    def _note(self, due: _DuePicture, reason: str) -> None:
        sentence = f"the {_name(due.place)} of item {due.target.rating_key} stays as it is: {reason}"
        self.outcome.notes.append(sentence)

    def _log(self, due: _DuePicture, what: str) -> None:
        log.info("Item %s, %s: %s", due.target.rating_key, _name(due.place), what)


def _is_still_shown(record: PictureRecord, address: str | None) -> bool:
    """Return whether Plex shows our picture, as its URL proves."""
    return record.state is PictureState.OURS and bool(record.address) and record.address == address


def _name(place: str) -> str:
    return _NAMES.get(place, "background")
