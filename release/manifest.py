"""Generate the manifest from the tables of settings, tasks and hooks.

``python -m release.manifest > Stash2Plex.yml`` writes it.

Stash reads it strictly: an unknown key anywhere and the plugin does not load (stash 1.1, 1.2).
"""

from __future__ import annotations

import json

from settings.table import PLUGIN_ID, TABLE
from tasks.menu import TASKS

VERSION = "0.1.0"
DESCRIPTION = "Keeps Plex equal to Stash: save a scene in Stash, and a second later Plex shows it."

# Loaded into Stash's own page, in this order: the namespace and what all scripts share, the sections of the page, the
# page, and the additions to Stash's pages.
SCRIPTS = (
    *("ui/start_worker.js", "ui/setup.js", "ui/format.js", "ui/wording.js", "ui/operations.js", "ui/status_store.js"),
    *("ui/live_updates.js", "ui/stash_jobs.js", "ui/components.js", "ui/field_changes.js"),
    *("ui/section_status.js", "ui/section_needs_you.js", "ui/section_preview.js", "ui/section_history.js"),
    *("ui/section_health.js", "ui/section_tasks.js", "ui/page.js", "ui/top_bar_icon.js"),
    *("ui/scene_tab.js", "ui/card_marks.js", "ui/settings_block.js"),
)
STYLES = ("ui/stash2plex.css",)
TRIGGERS = (
    *("Scene.Update.Post", "Scene.Create.Post", "Scene.Destroy.Post"),
    *("Performer.Update.Post", "Studio.Update.Post", "Tag.Update.Post", "Tag.Merge.Post", "Group.Update.Post"),
)


def manifest_text() -> str:
    """Return the text of the manifest."""
    lines = [
        f"name: {PLUGIN_ID}",
        f"description: {_quoted(DESCRIPTION)}",
        f"version: {VERSION}",
        "exec:",
        "  - python3",
        # Without site-packages a hook starts a quarter faster; the worker and tasks add them on their own.
        "  - -S",
        '  - "{pluginDir}/Stash2Plex.py"',
        "interface: raw",
        "ui:",
        "  javascript:",
        *(f"    - {script}" for script in SCRIPTS),
        "  css:",
        *(f"    - {style}" for style in STYLES),
        "tasks:",
    ]
    for name, description, arguments in TASKS:
        lines += [f"  - name: {_quoted(name)}", f"    description: {_quoted(description)}", "    defaultArgs:"]
        lines += [f"      {key}: {_quoted(value)}" for key, value in arguments.items()]
    lines += [
        "hooks:",
        "  - name: Queue what was saved",
        "    description: Queues the scene, or all scenes of the performer, studio, tag or group.",
        "    triggeredBy:",
        *(f"      - {trigger}" for trigger in TRIGGERS),
        "settings:",
    ]
    for setting in TABLE:
        lines += [
            f"  {setting.name}:",
            f"    displayName: {_quoted(setting.title)}",
            f"    description: {_quoted(setting.help)}",
            f"    type: {setting.kind}",
        ]
    return "\n".join(lines) + "\n"


def _quoted(value: str) -> str:
    # Every JSON string is a YAML string.
    return json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    import sys

    sys.stdout.write(manifest_text())
