"""What is to be thought of one scene, from everything that is known of it: the ledger's part in finding gaps, and what
becomes of a gap. Pure.

The detector knows instants and paths. The ledger adds what no instant tells: a rename, a merge, a moved folder, another
item in Plex, other settings; and that a try was made already and nothing has changed since.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import Enum

from common.verdicts import SYNCED, Verdict
from matching.presence import PlexPresence, Presence
from reconciliation.detector import MISSING
from state.ledger import LedgerRow


class Decision(Enum):
    """What becomes of a scene that has a gap, or is not to be looked at."""

    ENQUEUE = "queued"
    QUEUED = "waits already"
    KNOWN = "known, and nothing has changed since the last try"
    GATED = "has none of studio, performers, tags, details, date"
    FILTERED = "left out by the filters"
    DOUBTFUL = "its match is doubtful"
    LEFT = "missing ones are not queued (reconcile_missing)"


@dataclass(frozen=True)
class SceneFacts:
    """One scene. ``synced_at`` is its sync timestamp, ``presence`` how it stands in Plex (None: that was not asked).

    ``fingerprint`` is of what would be pushed now ("" unknown), ``speaks`` whether that says anything but title and
    rating; ``settings`` is the fingerprint of the settings ("" unknown). ``evidence`` gives what the index holds under
    the names of its files, ``others`` which of the given items belong to another scene; asked only where it matters.
    """

    scene_id: int
    paths: tuple[str, ...]
    updated_at: float | None = None
    synced_at: float | None = None
    entry: LedgerRow | None = None
    presence: PlexPresence | None = None
    gated: bool = False
    filtered: bool = False
    queued: bool = False
    strict: bool = True
    fingerprint: str = ""
    speaks: bool = True
    settings: str = ""
    evidence: Callable[[], str] = lambda: ""
    others: Callable[[Collection[int]], Collection[int]] = lambda rating_keys: ()

    @property
    def doubtful(self) -> bool:
        """Whether Plex has something like its files, and nothing that is proven."""
        return self.presence is not None and self.presence.presence is Presence.DOUBTFUL


@dataclass(frozen=True)
class StaleReason:
    """Why a scene is stale though no instant says so."""

    reason: str
    by_settings: bool = False


def is_gone(facts: SceneFacts) -> bool:
    """Whether the listing shows that the scene's item is no longer there: its timestamp does not count then."""
    return facts.presence is not None and facts.presence.presence is Presence.ABSENT


def meant_to_be_empty(facts: SceneFacts) -> bool:
    """Whether an item that says nothing may be so on purpose: not where we pushed something, and would again."""
    return not (facts.entry is not None and facts.entry.says and facts.speaks)


def behind(facts: SceneFacts) -> StaleReason | None:
    """What the ledger has against a scene whose instants are in order; None where nothing."""
    entry = facts.entry
    if facts.gated or is_gone(facts) or (facts.doubtful and facts.strict):
        return None
    if entry is None:
        # Whoever was synced before there was a ledger is believed.
        fresh = facts.synced_at is None and _foreign(facts, set())
        return StaleReason("it was never written to Plex") if fresh else None
    if entry.verdict in SYNCED:
        return _changed(facts, entry) or _another_item(facts, entry)
    if entry.verdict is Verdict.RESTORED and entry.updated_at == facts.updated_at:
        return None
    if not _foreign(facts, set()):
        return None
    return StaleReason(f"it was not written yet, last seen as {entry.verdict.value}")


def _changed(facts: SceneFacts, entry: LedgerRow) -> StaleReason | None:
    if entry.fingerprint and facts.fingerprint and entry.fingerprint != facts.fingerprint:
        if entry.settings and facts.settings and entry.settings != facts.settings:
            return StaleReason("the settings have changed since it was written", by_settings=True)
        return StaleReason("what Plex should show has changed since it was written (a rename, a merge, tags)")
    if entry.settings and facts.settings and entry.settings != facts.settings:
        return StaleReason("the settings have changed since it was written", by_settings=True)
    if entry.files and _paths(entry) != set(facts.paths):
        return StaleReason("its files have moved since it was written")
    return None


def _another_item(facts: SceneFacts, entry: LedgerRow) -> StaleReason | None:
    new = _foreign(facts, {item["rating_key"] for item in entry.items})
    return StaleReason(f"Plex has its file as item {min(new)}, which was never written") if new else None


def _foreign(facts: SceneFacts, written: set[int]) -> set[int]:
    """Items that would be written for the scene, were not, and are no other scene's."""
    if facts.presence is None:
        return set()
    new = {item.rating_key for item in facts.presence.items} - written
    return new - set(facts.others(new)) if new else new


def fate(facts: SceneFacts, gap_types: Collection[str], missing_wanted: bool = True) -> Decision:
    """What becomes of a scene that has these gaps."""
    if facts.gated:
        return Decision.GATED
    if facts.doubtful and facts.strict:
        return Decision.DOUBTFUL
    if facts.queued:
        return Decision.QUEUED
    if MISSING in gap_types and not missing_wanted:
        return Decision.LEFT
    return Decision.KNOWN if _is_known(facts) else Decision.ENQUEUE


def _is_known(facts: SceneFacts) -> bool:
    """Whether the last try would only be repeated: same scene, same files, same evidence in Plex."""
    entry = facts.entry
    if entry is None or entry.verdict in SYNCED or entry.updated_at != facts.updated_at:
        return False
    if entry.verdict is Verdict.RESTORED:
        return True
    if entry.files and _paths(entry) != set(facts.paths):
        return False
    if entry.verdict is Verdict.NOT_IN_PLEX:
        return is_gone(facts) and entry.evidence == facts.evidence()
    if entry.verdict is Verdict.SHARED:
        return not _foreign(facts, set())
    if entry.verdict is Verdict.FAILED:
        return entry.settings == facts.settings and entry.evidence == facts.evidence()
    # What was doubtful, gated or filtered, and is no longer, was never tried.
    return False


def _paths(entry: LedgerRow) -> set[str]:
    return {str(file.get("path")) for file in entry.files}
