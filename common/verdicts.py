"""What became of a scene the last time it was synced. These words stand in the ledger, in events and in answers."""

from __future__ import annotations

from enum import Enum


class Verdict(str, Enum):
    """The result of a sync."""

    WRITTEN = "written"
    UNCHANGED = "unchanged"
    GATED = "gated"
    FILTERED = "filtered"
    NOT_IN_PLEX = "not in Plex"
    AMBIGUOUS = "ambiguous"
    SHARED = "shared"
    FAILED = "failed"
    RESTORED = "restored"

    @classmethod
    def _missing_(cls, value: object) -> Verdict | None:
        # A worker of version 0.1.0 that still runs may record its words after the state was migrated.
        return cls(FORMER[value]) if isinstance(value, str) and value in FORMER else None


# The item shows what the scene says.
SYNCED = (Verdict.WRITTEN, Verdict.UNCHANGED)

# What lines of the log call scenes that are not in sync.
VERDICT_LINES = {
    Verdict.GATED.value: "Skipped, too little metadata",
    Verdict.FILTERED.value: "Skipped by your filter settings",
    Verdict.NOT_IN_PLEX.value: "Not in Plex",
    Verdict.AMBIGUOUS.value: "Left alone, the right Plex item is not certain",
    Verdict.SHARED.value: "Left alone, the Plex item belongs to another scene",
    Verdict.RESTORED.value: "Left alone after Give Back to Plex",
    Verdict.FAILED.value: "Failed",
}

# The words of version 0.1.0, where they were others.
FORMER = {
    "pushed": "written",
    "nothing to change": "unchanged",
    "given back": "restored",
    "low confidence": "ambiguous",
    "shared item": "shared",
}
