"""What each ``mode`` runs and what surrounds the run. One row per mode; ``tasks.runner`` runs a row.

Imports nothing: the page asks for the status every few seconds, and each question is a new process.
"""

from __future__ import annotations

# What a mode's function is called with:
# FULL    an ``api.context.Context``: Stash, the settings, the worker
# STATUS  a ``tasks.status_context.StatusContext``: our own files; the settings only if they may have changed
# FILES   the arguments and the data directory: our own files only, no third-party package
FULL, STATUS, FILES = "full", "status", "files"

# Who asks:
# MENU    a person, from Stash's task menu. Errors go to Stash's log
# PAGE    the plugin's page. Errors that a person can act on are answers with the key ``error``
# BOTH    menu and page. Errors as from the menu; the answer carries ``version`` for the page
# API     scripts and the plugin itself, through runPluginOperation. Errors as from the menu
MENU, PAGE, BOTH, API = "menu", "page", "both", "api"

YES, no = True, False


class Mode:
    """A row of the table."""

    __slots__ = (
        *("name", "module", "function", "context", "asked_by"),
        *("reads_settings", "read_only", "starts_worker", "starts_reconciliation"),
    )

    def __init__(
        self,
        name: str,
        function: str,
        context: str,
        asked_by: str,
        reads_settings: bool,
        read_only: bool,
        starts_worker: bool,
        starts_reconciliation: bool,
    ) -> None:
        self.name = name
        self.module, _, self.function = function.partition(":")
        self.context = context
        self.asked_by = asked_by
        # Ask Stash for the settings before the run. Without it a mode asks for them itself if it needs them.
        self.reads_settings = reads_settings
        # Change nothing, not even how Stash's settings page shows a switch.
        self.read_only = read_only
        # After the run, start the worker if jobs are left.
        self.starts_worker = starts_worker
        # After the run, start a reconciliation if one is due.
        self.starts_reconciliation = starts_reconciliation


# fmt: off
_ROWS = (
    #                                                                           reads     read   starts  starts
    # mode                function                                context asked settings  only   worker  reconciliation
    ("all",               "tasks.sync:sync_all",                  FULL,   MENU, YES,      no,    YES,    YES),
    ("recent",            "tasks.sync:sync_recent",               FULL,   MENU, YES,      no,    YES,    YES),
    ("sync",              "tasks.sync:sync_some",                 FULL,   API,  YES,      no,    YES,    YES),
    ("reconcile_all",     "tasks.reconcile:reconcile_all",        FULL,   MENU, YES,      no,    YES,    no),
    ("reconcile_recent",  "tasks.reconcile:reconcile_recent",     FULL,   MENU, YES,      no,    YES,    no),
    ("reconcile_7days",   "tasks.reconcile:reconcile_7days",      FULL,   MENU, YES,      no,    YES,    no),
    ("reconcile_custom",  "tasks.reconcile:reconcile_custom",     FULL,   MENU, YES,      no,    YES,    no),
    ("gap_report",        "tasks.gap_report:gap_report",          FULL,   MENU, YES,      YES,   no,     no),
    ("process_queue",     "tasks.process_queue:process_queue",    FULL,   MENU, YES,      no,    YES,    YES),
    ("queue_status",      "tasks.queue_status:queue_status",      STATUS, MENU, no,       no,    YES,    YES),
    ("health",            "tasks.health.check:health_check",      FULL,   BOTH, YES,      YES,   no,     YES),
    ("preview",           "tasks.preview:preview",                FULL,   BOTH, YES,      YES,   no,     no),
    # With ``confirm`` it queues jobs and starts the worker itself; otherwise it only shows.
    ("give_back",         "tasks.restore:restore",                FULL,   BOTH, YES,      YES,   no,     no),
    ("clear_queue",       "tasks.clear_queue:clear_queue",        FULL,   MENU, YES,      no,    YES,    YES),
    ("retry_dlq",         "tasks.dead_letters:retry",             FULL,   MENU, YES,      no,    YES,    YES),
    ("clear_dlq",         "tasks.dead_letters:clear",             FULL,   MENU, YES,      no,    YES,    YES),
    ("purge_dlq",         "tasks.dead_letters:purge",             FULL,   MENU, YES,      no,    YES,    YES),
    # Operations. They start what they need themselves.
    ("say",               "api.say:say",                          FULL,   API,  no,       no,    no,     no),
    ("wake",              "api.wake:wake",                        FULL,   API,  no,       no,    no,     no),
    ("paths",             "api.settings_choices:paths",           FULL,   PAGE, no,       YES,   no,     no),
    ("sections",          "api.settings_choices:sections",        FULL,   PAGE, no,       YES,   no,     no),
    ("retry",             "api.dead_letters:retry",               FULL,   PAGE, no,       no,    no,     no),
    ("discard",           "api.dead_letters:discard",             FULL,   PAGE, no,       no,    no,     no),
    ("bind",              "api.manual_matches:choose",            FULL,   PAGE, no,       no,    no,     no),
    ("refuse",            "api.manual_matches:reject",            FULL,   PAGE, no,       no,    no,     no),
    ("unbind",            "api.manual_matches:take_back",         FULL,   PAGE, no,       no,    no,     no),
    ("sync_now",          "api.sync_now:sync_now",                FULL,   PAGE, no,       no,    no,     no),
    ("status",            "api.status:status",                    FILES,  PAGE, no,       YES,   no,     no),
    ("scene",             "api.scene:scene",                      FILES,  PAGE, no,       YES,   no,     no),
    ("attention",         "api.needs_you:needs_you",              FILES,  PAGE, no,       YES,   no,     no),
    ("history",           "api.history:history",                  FILES,  PAGE, no,       YES,   no,     no),
)
# fmt: on

MODES = {row[0]: Mode(*row) for row in _ROWS}


def needs_packages(mode: object) -> bool:
    """Return whether a mode may need third-party packages. An unknown mode does not count as one that needs none."""
    row = MODES.get(mode) if isinstance(mode, str) else None
    return row is None or row.context == FULL
