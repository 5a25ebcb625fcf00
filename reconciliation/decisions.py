"""Decide about one scene from everything that is known of it: what the ledger adds to the gaps, and what becomes of a
gap. Pure.

The detector compares times and paths. The ledger adds what no time tells: a rename, a merge, a moved folder, another
item in Plex, other settings; and that a sync was tried already and nothing has changed since.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import Enum

from common.verdicts import SYNCED, Verdict
from matching.plex_presence import PlexPresence, Presence
from reconciliation.detector import MISSING
from state.ledger import LedgerRow


class Decision(Enum):
    """What becomes of a scene that has a gap or a doubtful match. The values are shown to users."""

    ENQUEUE = "queued"
    QUEUED = "already queued"
    KNOWN = "not queued: nothing has changed since the last try"
    GATED = "not queued: it has none of studio, performers, tags, details, date"
    DOUBTFUL = "not queued: its match is doubtful"
    MISSING_NOT_WANTED = "not queued: Reconcile missing scenes is off"


@dataclass(frozen=True)
class SceneFacts:
    """What is known of one scene.

    ``synced_at`` is its sync timestamp, ``row`` its row of the ledger, ``presence`` how it stands in Plex (None: not
    asked). ``fingerprint`` is that of its desired state ("" unknown), ``has_metadata`` whether that shows more than
    title and rating; ``settings`` is the fingerprint of the settings ("" unknown). ``evidence`` returns what the index
    has under the names of its files, ``owned_by_others`` which of some items belong to another scene; both are called
    only where they matter.
    """

    scene_id: int
    paths: tuple[str, ...]
    updated_at: float | None = None
    synced_at: float | None = None
    row: LedgerRow | None = None
    presence: PlexPresence | None = None
    gated: bool = False
    filtered: bool = False
    queued: bool = False
    strict: bool = True
    fingerprint: str = ""
    has_metadata: bool = True
    settings: str = ""
    evidence: Callable[[], str] = lambda: ""
    owned_by_others: Callable[[Collection[int]], Collection[int]] = lambda rating_keys: ()

    @property
    def doubtful(self) -> bool:
        """Whether Plex has something like its files and nothing proven, for a scene that would be written."""
        is_doubtful = self.presence is not None and self.presence.presence is Presence.DOUBTFUL
        return is_doubtful and not self.gated and not self.filtered


@dataclass(frozen=True)
class StaleReason:
    """Why a scene is stale though its times are in order."""

    reason: str
    by_settings: bool = False


def is_absent(facts: SceneFacts) -> bool:
    """Tell whether Plex no longer has the scene's item: its sync timestamp does not count then."""
    return facts.presence is not None and facts.presence.presence is Presence.ABSENT


def is_empty_on_purpose(facts: SceneFacts) -> bool:
    """Tell whether an item without metadata may be so on purpose: not if we wrote some to it, and would again."""
    return not (facts.row is not None and facts.row.says and facts.has_metadata)


def stale_reason(facts: SceneFacts) -> StaleReason | None:
    """Return why a scene is stale by the ledger, though its times are in order; None if it is not."""
    row = facts.row
    if facts.gated or is_absent(facts) or (facts.doubtful and facts.strict):
        return None
    if row is None:
        # A scene that was synced before there was a ledger counts as synced.
        is_new = facts.synced_at is None and _unowned_items(facts, set())
        return StaleReason("it was never written to Plex") if is_new else None
    if row.verdict in SYNCED:
        return _changed(facts, row) or _another_item(facts, row)
    if row.verdict is Verdict.RESTORED and row.updated_at == facts.updated_at:
        return None
    if not _unowned_items(facts, set()):
        return None
    return StaleReason(f"it is not written yet; the result of the last sync was: {row.verdict.value}")


def _changed(facts: SceneFacts, row: LedgerRow) -> StaleReason | None:
    if row.fingerprint and facts.fingerprint and row.fingerprint != facts.fingerprint:
        if row.settings and facts.settings and row.settings != facts.settings:
            return StaleReason("the settings have changed since it was written", by_settings=True)
        return StaleReason("what Plex should show has changed since it was written (a rename, a merge, tags)")
    if row.settings and facts.settings and row.settings != facts.settings:
        return StaleReason("the settings have changed since it was written", by_settings=True)
    if row.files and _paths(row) != set(facts.paths):
        return StaleReason("its files have moved since it was written")
    return None


def _another_item(facts: SceneFacts, row: LedgerRow) -> StaleReason | None:
    new = _unowned_items(facts, {item.rating_key for item in row.items})
    return StaleReason(f"Plex has its file as item {min(new)}, which was never written") if new else None


def _unowned_items(facts: SceneFacts, written: set[int]) -> set[int]:
    """Return the items that would be written for the scene, were not, and belong to no other scene."""
    if facts.presence is None:
        return set()
    new = {item.rating_key for item in facts.presence.items} - written
    return new - set(facts.owned_by_others(new)) if new else new


def decide(facts: SceneFacts, gap_types: Collection[str], missing_wanted: bool = True) -> Decision:
    """Return what becomes of a scene with these gaps."""
    if facts.gated:
        return Decision.GATED
    if facts.doubtful and facts.strict:
        return Decision.DOUBTFUL
    if facts.queued:
        return Decision.QUEUED
    if MISSING in gap_types and not missing_wanted:
        return Decision.MISSING_NOT_WANTED
    return Decision.KNOWN if _is_known(facts) else Decision.ENQUEUE


def _is_known(facts: SceneFacts) -> bool:
    """Tell whether a sync would only repeat the last one: same scene, same files, same evidence in Plex."""
    row = facts.row
    if row is None or row.verdict in SYNCED or row.updated_at != facts.updated_at:
        return False
    if row.verdict is Verdict.RESTORED:
        return True
    if row.files and _paths(row) != set(facts.paths):
        return False
    if row.verdict is Verdict.NOT_IN_PLEX:
        return is_absent(facts) and row.evidence == facts.evidence()
    if row.verdict is Verdict.SHARED:
        return not _unowned_items(facts, set())
    if row.verdict is Verdict.FAILED:
        return row.settings == facts.settings and row.evidence == facts.evidence()
    # A scene that was doubtful, gated or filtered, and is no longer, was never tried.
    return False


def _paths(row: LedgerRow) -> set[str]:
    return {file.path for file in row.files}
