"""The tasks of Stash's menu: name, description and default arguments. The manifest is generated from this table.

Names, and the modes in ``tasks.modes`` that they start, are published: Stash stores them in scheduled tasks.
"""

from __future__ import annotations

TASKS: tuple[tuple[str, str, dict[str, str]], ...] = (
    (
        "Sync All Scenes",
        "Queues every scene, including those that were given back to Plex. A scene that is already the same in Plex is "
        "not written.",
        {"mode": "all"},
    ),
    ("Sync Recent Scenes", "Queues the scenes updated in the last 24 hours.", {"mode": "recent"}),
    (
        "Reconcile Library (All)",
        "Compares every scene with Plex and queues those that differ.",
        {"mode": "reconcile_all"},
    ),
    (
        "Reconcile Library (Recent)",
        "Compares the scenes updated in the last 24 hours.",
        {"mode": "reconcile_recent"},
    ),
    (
        "Reconcile Library (Last 7 Days)",
        "Compares the scenes updated in the last seven days.",
        {"mode": "reconcile_7days"},
    ),
    (
        "Reconcile Library (Custom Range)",
        "Compares the scenes in the range of the setting Reconcile scope.",
        {"mode": "reconcile_custom"},
    ),
    (
        "Gap Report",
        "Lists what a reconciliation would find, and what Plex has that Stash does not know. Queues nothing.",
        {"mode": "gap_report"},
    ),
    (
        "Process Queue",
        "Starts the background worker if it is not running, and shows its progress.",
        {"mode": "process_queue"},
    ),
    ("View Queue Status", "Logs what is waiting, what failed, and why.", {"mode": "queue_status"}),
    (
        "Health Check",
        "Checks settings, Plex, Stash, data and worker, and says how to fix what is wrong.",
        {"mode": "health"},
    ),
    (
        "Preview Changes",
        "Shows field by field what syncing the scenes of the last 24 hours would write. Changes nothing.",
        {"mode": "preview"},
    ),
    (
        "Give Back to Plex",
        "Shows what would change if every item went back to what it was before the first sync. With the argument "
        "confirm it is done.",
        {"mode": "give_back"},
    ),
    ("Clear Pending Queue", "Deletes every waiting job.", {"mode": "clear_queue"}),
    ("Retry Dead Letters", "Retries every job that failed for good.", {"mode": "retry_dlq"}),
    ("Clear Dead Letter Queue", "Deletes every job that failed for good.", {"mode": "clear_dlq"}),
    (
        "Purge Old DLQ Entries",
        "Deletes jobs that failed for good more than 30 days ago.",
        {"mode": "purge_dlq", "days": "30"},
    ),
)
