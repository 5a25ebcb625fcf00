"""``docs/configuration.md`` is made from the table of settings.

``UPDATE_DOCS=1 python -m pytest tests/docs`` writes it anew.
"""

from __future__ import annotations

import os
from pathlib import Path

from stash.settings import TABLE, Setting

PAGE = Path(__file__).resolve().parents[2] / "docs" / "configuration.md"

_BEFORE = """\
# Settings

In Stash: Settings > Plugins > Stash2Plex. Two are needed, `plex_url` and `plex_token`; all others may stay as they are.
A changed setting counts from the next scene that is written; nothing has to be restarted.

This page is made from the table in `stash/settings.py`, like the settings block of the manifest
(`UPDATE_DOCS=1 .venv/bin/python -m pytest tests/docs` writes it anew).

"""
_AFTER = """
## How Stash shows them

- Stash draws a switch that was never touched as off. Those marked "on" above are on until you switch them off: switch
  them on and off again once to make the page show it.
- Stash stores an emptied number field as 0, and an emptied number means the default. `max_tags` is the one number
  where 0 has a meaning of its own: no limit, which is its default too.
- A value that cannot be used (a word for a number, a number out of range, an address without http://) stops writing,
  not saving: scenes go on being queued, and Stash's log says which setting it is and what it may be.

## Data directory

Queue, ledger and log lie in `data/` in the plugin's folder. Set the environment variable `STASH_PLUGIN_DATA` for Stash
to have them elsewhere; each Stash gets a directory of its own below it. Where the plugin's folder cannot be written to,
it is `stash2plex-data` beside Stash's configuration.
"""


def page() -> str:
    """The whole page."""
    rows = ["| name | in Stash | default | allowed | what it does |", "| --- | --- | --- | --- | --- |"]
    rows += [
        f"| `{s.name}` | {s.title} | {_default(s)} | {_allowed(s)} | {s.help.replace('|', ' or ')} |" for s in TABLE
    ]
    return _BEFORE + "\n".join(rows) + "\n" + _AFTER


def _default(setting: Setting) -> str:
    if setting.kind == "BOOLEAN":
        return "on" if setting.default else "off"
    if setting.kind == "NUMBER":
        return f"{setting.default:g}" if isinstance(setting.default, (int, float)) else str(setting.default)
    return str(setting.default) or "empty"


def _allowed(setting: Setting) -> str:
    if setting.kind == "BOOLEAN":
        return "on, off"
    if setting.kind == "NUMBER":
        return f"{setting.low:g} to {setting.high:g}" + (", whole" if setting.whole else "")
    return "text"


def test_the_page_is_that_of_the_table() -> None:
    if os.environ.get("UPDATE_DOCS"):
        PAGE.write_text(page(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page(), "UPDATE_DOCS=1 python -m pytest tests/docs writes it anew"
