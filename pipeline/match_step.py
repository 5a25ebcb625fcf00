"""The match step of a batch: find each scene's items, prove them, and leave items to the scenes that own them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence

from common.job_rows import PRIORITY_BULK
from common.scene import SceneFile
from common.verdicts import Verdict
from matching import manual_match
from matching.low_confidence import LowConfidence
from matching.ownership import Claimant, owner_among, why_not_owner
from matching.ranking import Match, MatchConfidence
from matching.refresh_policy import Urgency
from pipeline.plex_session import PlexSession
from pipeline.scene_records import SceneRecords
from pipeline.scene_sync import SceneSync
from plex.exceptions import PlexError, PlexNotFound
from plex.items import FullItem
from settings.config import Stash2PlexConfig
from state.manual_matches import ManualMatch

log = logging.getLogger("Stash2Plex.worker")

# In batches smaller than this, Plex is asked for single files by name.
SMALL_BATCH_SIZE = 20
REJECTED = "you rejected every Plex item found for this scene"


class MatchStep:
    """Matches over the Plex session and the settings in force; both are asked for each time, since they change."""

    def __init__(
        self,
        session: Callable[[], PlexSession],
        config: Callable[[], Stash2PlexConfig],
        records: SceneRecords,
    ) -> None:
        self._session = session
        self._config = config
        self._records = records
        self._is_small_batch = False

    def run(self, batch: Sequence[SceneSync]) -> None:
        """Give each open scene of a batch its proven items, or a verdict or an error. Raise sqlite3.Error."""
        self._is_small_batch = len(batch) < SMALL_BATCH_SIZE
        self._find_matches(batch)
        matched = [work for work in batch if work.is_open]
        if not matched:
            return
        try:
            items = self._session().item_reader.read(key for work in matched for key in work.keys)
        except Exception as error:  # noqa: BLE001 - every job of the batch ends with it, classified when it is recorded
            for work in matched:
                work.error = error
            return
        self._records.items.load(items)
        for work in matched:
            self._prove(work, items)
        self._leave_items_to_owners(batch)

    def evidence(self, scene_id: int, files: Iterable[SceneFile]) -> str:
        """Return the checksum of what the index has for a scene: its verdict stands until that changes."""
        return self._session().matcher.evidence(files, self._records.manual_match(scene_id))

    def _find_matches(self, batch: Sequence[SceneSync]) -> None:
        plex_error: PlexError | None = None
        for work in batch:
            if not work.is_open:
                continue
            try:
                if plex_error is not None:
                    raise plex_error
                self._find_match(work)
            except Exception as error:  # noqa: BLE001 - the job ends with it, classified when it is recorded
                work.error = error
                if isinstance(error, PlexError) and not isinstance(error, PlexNotFound):
                    # The server or the settings are at fault, not this scene: the others would fail the same way.
                    plex_error = error

    def _find_match(self, work: SceneSync) -> None:
        matcher = self._session().matcher
        chosen = self._records.manual_match(work.scene_id)
        if chosen is not None and matcher.is_in_force(chosen):
            work.evidence = matcher.evidence(work.files, chosen)
            work.manual_match, work.match = chosen, manual_match.match_of(chosen, work.files[0])
            return
        rejected = self._records.rejected_files(work.scene_id)
        is_retry = bool(work.job.retry.tries or work.job.retry.retry_count)
        urgency = Urgency.WAITING if is_retry or work.job.priority == PRIORITY_BULK else Urgency.SAVE
        work.match, work.evidence = matcher.match(
            work.files, urgency, ask_by_name=self._is_small_batch and not is_retry, rejected=rejected
        )
        if chosen is not None:
            work.evidence = matcher.evidence(work.files, chosen)
        log.debug("Scene %s: %s", work.scene_id, work.match.reason if work.match else "Plex has no file of its name")
        if work.match is None or not work.match.chosen:
            self._decide_without_match(work, bool(rejected))
        elif work.match.confidence is MatchConfidence.LOW:
            doubt = LowConfidence(work.scene_id, work.known_scene.paths[0], work.match)
            if self._config().strict_matching:
                raise doubt
            log.warning("%s", doubt.synced_text())

    def _decide_without_match(self, work: SceneSync, has_rejected: bool) -> None:
        if has_rejected:
            # Not retried: whatever comes new under the names of its files queues the scene again.
            work.verdict, work.reason = Verdict.NOT_IN_PLEX, REJECTED
            return
        session = self._session()
        path = work.known_scene.paths[0]
        if self._config().trigger_plex_scan and (folder := session.scans.request(path)) is not None:
            log.info("Asked Plex to scan %s", folder)
        reason = f"Plex has no item with the file {path}; its libraries have the folders {session.folders()}"
        if not self._config().skip_not_found:
            raise PlexNotFound(reason)
        work.verdict, work.reason = Verdict.NOT_IN_PLEX, reason

    def _prove(self, work: SceneSync, items: Mapping[int, FullItem]) -> None:
        try:
            if work.manual_match is not None:
                self._prove_manual_match(work, work.manual_match, items)
            elif work.match is not None:
                self._prove_match(work, work.match, items)
        except Exception as error:  # noqa: BLE001 - the job ends with it, classified when it is recorded
            work.error = error

    def _prove_match(self, work: SceneSync, match: Match, items: Mapping[int, FullItem]) -> None:
        """Raise LowConfidence, PlexError."""
        session = self._session()
        work.items = session.matcher.prove(match, items, work.files)
        if work.items:
            return
        # The index was out of date; what was wrong in it is dropped by now. Once more, for this scene alone.
        self._find_match(work)
        if not work.is_open or work.match is None:
            return
        work.items = session.matcher.prove(work.match, session.item_reader.read(work.keys), work.files)
        if not work.items:
            # Should the index have an item again later, that is news.
            work.match, work.evidence = None, self.evidence(work.scene_id, work.files)
            raise PlexNotFound(f"Plex has no item with the file {work.known_scene.paths[0]} any more")

    def _prove_manual_match(self, work: SceneSync, chosen: ManualMatch, items: Mapping[int, FullItem]) -> None:
        """Take the item that the user chose if it is still the same, else the one that has its file now."""
        item = items.get(chosen.rating_key)
        if item is None or not manual_match.is_unchanged(chosen, item):
            session = self._session()
            item = manual_match.find_again(
                chosen, session.item_reader.read(session.matcher.keys_with_file_of(chosen)).values()
            )
            if item is None:
                raise self._lost_manual_match(work)
            chosen = work.manual_match = manual_match.renewed(chosen, item)
        work.match = manual_match.match_of(chosen, work.files[0], item)
        work.items = [item]

    def _lost_manual_match(self, work: SceneSync) -> LowConfidence:
        """Return the error that asks the user to choose again, whatever else Plex has for the scene."""
        rejected = self._records.rejected_files(work.scene_id)
        others = self._session().matcher.match(work.files, rejected=rejected).match
        ranked = others.ranked if others is not None else ()
        lost = Match(MatchConfidence.LOW, (), ranked, manual_match.LOST)
        return LowConfidence(work.scene_id, work.known_scene.paths[0], lost)

    def _leave_items_to_owners(self, batch: Sequence[SceneSync]) -> None:
        """Take from each scene the items that another one owns; a scene that keeps none is SHARED.

        What the ledger says of a scene of this batch is out of date, unless it failed.
        """
        decided = {work.scene_id: work for work in batch if work.error is None}
        claimants: dict[int, list[Claimant]] = {}
        for work in decided.values():
            for item in work.items:
                claimants.setdefault(item.rating_key, []).append(claimant_of(work))
        for work in decided.values():
            try:
                reasons = {
                    item.rating_key: self._why_not_owner(work, item, claimants[item.rating_key], decided)
                    for item in work.items
                }
            except Exception as error:  # noqa: BLE001 - the job ends with it, classified when it is recorded
                work.error = error
                continue
            for reason in filter(None, reasons.values()):
                work.reason = reason
            if work.items and all(reasons.values()):
                work.verdict = Verdict.SHARED
            work.items = [item for item in work.items if not reasons[item.rating_key]]

    def _why_not_owner(
        self, work: SceneSync, item: FullItem, claimants: Sequence[Claimant], decided: Mapping[int, SceneSync]
    ) -> str | None:
        """Return why an item is another scene's, or None where it is this one's."""
        matcher = self._session().matcher
        machine = self._session().client.machine
        rivals = [
            *(claimant for claimant in claimants if claimant.scene_id != work.scene_id),
            *(
                rival
                for rival in self._records.rivals(item, machine, work.scene_id, matcher.is_in_force)
                if rival.scene_id not in decided
            ),
        ]
        if not rivals:
            return None  # nearly always
        own = claimant_of(work)
        owner = owner_among(item, [own, *rivals], matcher.path_map)
        if owner is None or owner.scene_id == work.scene_id:
            return None
        return why_not_owner(item, owner, own, matcher.path_map)


def claimant_of(work: SceneSync) -> Claimant:
    """Return a matched scene as one that claims its items."""
    return Claimant(work.scene_id, tuple(work.files), work.manual_match, is_guess=work.is_guess)
