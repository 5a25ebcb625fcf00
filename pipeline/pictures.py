"""Pictures of a scene's items: Stash's cover becomes poster and background in Plex (design 4, plex 5, stash 8).

Nobody is asked where nothing can have changed; what is there already is selected, never uploaded again. One scene's
bytes at a time are in memory.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

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

log = logging.getLogger("Stash2Plex.worker")

# Stash's times are whole seconds: in the second it was saved a scene may get yet another cover (stash 7.2).
_SAME_MOMENT = 2.0
_NAMES = {THUMB: "poster"}

Fetch = Callable[[str, str], CoverAnswer]
"""(address, ETag known or "") to the cover, as :func:`stash.covers.fetch_cover` gives it."""
Before = Callable[[int, str, str], None]
"""Called with rating key, place and the key that Plex shows there ("" for none) before the first change of it."""


@dataclass(frozen=True)
class PictureTarget:
    """One proven item. ``locked``: its locked fields. ``shown``: the addresses of its pictures by place, "" for none,
    as the item read in full says; without them nobody notices that a picture was changed in Plex alone."""

    rating_key: int
    section: int
    locked: frozenset[str] = frozenset()
    shown: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Due:
    """A place to look at: its picture's address in Stash, and what is remembered of it."""

    target: PictureTarget
    place: str
    url: str
    memory: PictureRecord | None

    @property
    def address(self) -> str | None:
        return self.target.shown.get(self.place)


@dataclass
class PictureOutcome:
    """What became of a scene's pictures. ``ours`` is to be merged into the ledger's entry: by rating key, then place.
    ``error`` is why something is left to do; ``notes`` are sentences for people about what was left alone. ``uploads``
    pictures of together ``size`` bytes were sent to Plex (or would be); ``selected`` ones were there already, and
    ``removed`` ones of ours are shown no more."""

    ours: dict[str, dict[str, Any]] = field(default_factory=dict)
    error: Exception | None = None
    notes: list[str] = field(default_factory=list)
    uploads: int = 0
    size: int = 0
    selected: int = 0
    removed: int = 0


class PictureSync:
    """Gives items their pictures. ``clock`` is epoch seconds."""

    def __init__(
        self, fetch: Fetch, *, before: Before = lambda *_: None, clock: Callable[[], float] = time.time
    ) -> None:
        self.fetch = fetch
        self.before = before
        self.clock = clock
        # What stands before the SHA-1 in the names a server gives to uploads, by server and place, once it was seen.
        self.prefixes: dict[tuple[str, str], str] = {}

    def sync(
        self,
        client: PlexClient,
        data: SceneData,
        updated_at: float | None,
        targets: Iterable[PictureTarget],
        ours: Mapping[str, Mapping[str, Any]],
        config: Any,
        *,
        dry: bool = False,
    ) -> PictureOutcome:
        """Bring the pictures of one scene's items in step; ``dry`` only counts what would be sent.

        ``data`` is the job's, ``updated_at`` the scene's (epoch seconds, None where nobody said), ``ours`` what the
        ledger has of the scene. Never raises: what went wrong is in the outcome, beside what was done until then.
        """
        outcome = PictureOutcome()
        places = enabled_pictures(config, data)
        if not places:
            return outcome
        preserve = bool(config.preserve_plex_edits)
        try:
            machine = client.machine
            due = [
                _Due(
                    target,
                    place,
                    url,
                    PictureRecord.from_row((ours.get(str(target.rating_key)) or {}).get(place), machine),
                )
                for target in targets
                for place, url in places
            ]
            due = [one for one in due if not is_up_to_date(one.memory, updated_at, one.address, preserve)]
            run = _Run(self, client, outcome, machine, self._moment(updated_at), preserve, dry)
            run.work_off(due)
        except Exception as error:  # noqa: BLE001 - the text stands; the pictures are tried again on their own
            outcome.error = error
        return outcome

    def _moment(self, updated_at: float | None) -> float | None:
        if updated_at is None or abs(self.clock() - updated_at) < _SAME_MOMENT:
            return None
        return updated_at


class _Cover:
    """A cover, asked for at most once, or twice where Stash said "unchanged" and the bytes are needed after all."""

    def __init__(self, fetch: Fetch, url: str, etag: str) -> None:
        self._fetch = fetch
        self._url = url
        self._etag = etag
        self._answer: CoverAnswer | None = None

    @property
    def answer(self) -> CoverAnswer:
        """What Stash says."""
        if self._answer is None:
            self._answer = self._fetch(self._url, self._etag)
        return self._answer

    def whole(self) -> CoverAnswer:
        """The same, with the bytes."""
        if isinstance(self.answer, CoverUnchanged):
            self._answer = self._fetch(self._url, "")
        return self.answer


class _Run:
    """One scene, once."""

    def __init__(
        self,
        house: PictureSync,
        client: PlexClient,
        outcome: PictureOutcome,
        machine: str,
        moment: float | None,
        preserve: bool,
        dry: bool,
    ) -> None:
        self.outcome = outcome
        self._house = house
        self._client = client
        self._machine = machine
        self._moment = moment
        self._preserve = preserve
        self._dry = dry
        self._covers: dict[str, _Cover] = {}

    def work_off(self, due: Iterable[_Due]) -> None:
        """Bring every place in step. Raises PlexError, StashError, of which all places behind it would die too."""
        due = list(due)
        for url in {one.url for one in due}:
            # An ETag is sent along only where all who need the picture know it by that.
            memories = [one.memory for one in due if one.url == url]
            same = len({(m.etag, m.sha1, m.state) if m else None for m in memories}) == 1
            self._covers[url] = _Cover(self._house.fetch, url, memories[0].etag if same and memories[0] else "")
        for one in due:
            self._attempt(one)

    def _attempt(self, due: _Due) -> None:
        try:
            now = self._one(due)
        except PlexNotFound as error:
            self.outcome.error = error  # this item is gone, the others are not
            return
        if not self._dry:
            self.outcome.ours.setdefault(str(due.target.rating_key), {})[due.place] = now.as_row()

    def _one(self, due: _Due) -> PictureRecord:
        """Bring one place in step; gives what is to be remembered of it."""
        memory = due.memory
        before = replace(memory or PictureRecord(PictureState.NONE), machine=self._machine, updated_at=self._moment)
        listed: list[ListedPicture] | None = None
        if self._preserve:
            listed = self._list(due)
            if is_user_choice(selected_key(listed), locked=due.place in due.target.locked):
                return replace(before, state=PictureState.KEPT, address="")
        cover = self._covers[due.url]
        answer = cover.answer
        if isinstance(answer, CoverUnchanged) and memory and memory.state in (PictureState.NONE, PictureState.UNUSABLE):
            return before
        if isinstance(answer, (NoCover, UnusableCover)):
            return self._without(due, answer, before)
        if isinstance(answer, Cover):
            before = replace(before, etag=answer.etag)
        sha1 = answer.sha1 if isinstance(answer, Cover) else before.sha1
        if (
            memory
            and memory.sha1 == sha1
            and (memory.state is PictureState.UNUSABLE or _still_shown(memory, due.address))
        ):
            return before  # Plex has refused these bytes, or it shows them
        if listed is None:
            listed = self._list(due)
        now = replace(before, state=PictureState.OURS, sha1=sha1, address="")
        choice = choose_action(listed, sha1, memory)
        if choice.action is PictureAction.NOTHING:
            return replace(now, key=choice.key, address=due.address or "")
        if choice.action is PictureAction.SELECT:
            self._select(due, choice.key, listed, before)
            return replace(now, key=choice.key)
        return self._upload(due, cover.whole(), listed, now, before)

    def _list(self, due: _Due) -> list[ListedPicture]:
        return list_pictures(self._client, due.target.rating_key, due.place)

    def _select(self, due: _Due, key: str, listed: list[ListedPicture], before: PictureRecord) -> None:
        self.outcome.selected += 1
        if not self._dry:
            self._keep(due, listed, before)
            select_picture(self._client, due.target.rating_key, due.place, key)
            self._say(due, "selected, it was there already")

    def _upload(
        self, due: _Due, cover: CoverAnswer, listed: list[ListedPicture], now: PictureRecord, before: PictureRecord
    ) -> PictureRecord:
        if not isinstance(cover, Cover):  # "unchanged" a moment ago, and gone now
            return self._without(due, cover, before)
        now = replace(now, sha1=cover.sha1, etag=cover.etag)
        if not self._dry:
            self._keep(due, listed, before)
            try:
                upload_picture(self._client, due.target.rating_key, due.place, cover.data)
            except PictureRefused as error:
                self._note(due, str(error))
                return replace(before, state=PictureState.UNUSABLE, etag=cover.etag, sha1=cover.sha1, address="")
            self._say(due, f"uploaded, {len(cover.data)} bytes")
        self.outcome.uploads += 1
        self.outcome.size += len(cover.data)
        return now if self._dry else replace(now, key=self._key_of_upload(due, cover.sha1, listed))

    def _key_of_upload(self, due: _Due, sha1: str, listed: list[ListedPicture]) -> str:
        """What Plex calls what was just uploaded. Looked up until the server has shown that it names by SHA-1."""
        server = (self._machine, due.place)
        if server in self._house.prefixes:
            return self._house.prefixes[server] + sha1
        after = self._list(due)
        key = uploaded_key(after, sha1)
        if key and key == selected_key(after):
            self._house.prefixes[server] = key.removesuffix(sha1)
        elif selected_key(after) == selected_key(listed):
            raise PlexTemporaryError(f"Plex took the {_name(due.place)} and does not show it")
        return selected_key(after)

    def _without(self, due: _Due, answer: CoverAnswer, before: PictureRecord) -> PictureRecord:
        """Stash has nothing to show. What is ours goes, as with a field that is emptied; what is not stays."""
        if isinstance(answer, UnusableCover):
            self._note(due, answer.reason)
            return replace(before, state=PictureState.UNUSABLE, etag=answer.etag, sha1="", address="")
        frame = replacement_frame(self._list(due), before) if before.key and not self._preserve else ""
        if frame:
            self.outcome.removed += 1
            if not self._dry:
                select_unlocked(self._client, due.target.section, due.target.rating_key, due.place, frame)
                self._say(due, "gone, as in Stash")
        return replace(before, state=PictureState.NONE, etag=getattr(answer, "etag", ""), sha1="", address="")

    def _keep(self, due: _Due, listed: list[ListedPicture], before: PictureRecord) -> None:
        if not before.key:
            self._house.before(due.target.rating_key, due.place, selected_key(listed))

    def _note(self, due: _Due, reason: str) -> None:
        sentence = f"the {_name(due.place)} of item {due.target.rating_key} stays as it is: {reason}"
        self.outcome.notes.append(sentence)

    def _say(self, due: _Due, what: str) -> None:
        log.info("Item %s, %s: %s", due.target.rating_key, _name(due.place), what)


def _still_shown(memory: PictureRecord, address: str | None) -> bool:
    """Whether Plex shows our picture, as its address proves."""
    return memory.state is PictureState.OURS and bool(memory.address) and memory.address == address


def _name(place: str) -> str:
    return _NAMES.get(place, "background")
