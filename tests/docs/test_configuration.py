"""``docs/configuration.md`` is generated from the table of settings; ``make docs`` writes it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter
from pathlib import Path

import pytest

from settings import syntax
from settings.table import TABLE, Setting

pytestmark = [pytest.mark.unit, pytest.mark.unmeasured]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "configuration.md"

# A bar would end the cell of a table.
BAR = "\\|"

_BEFORE = """\
# Settings

In Stash: Settings > Plugins > Stash2Plex. Two are required, `plex_url` and `plex_token`; you can leave all others
as they are. A changed setting applies from the next scene that is written; nothing has to be restarted.

"""
_AFTER = """
This page is generated from the table in `settings/table.py`, like the settings in the manifest: `make docs` writes
both.

## How Stash shows settings

- **Order.** Stash sorts settings by name, so those that belong together are not always next to each other. The
  tables above have them by group.
- **Switches.** Stash shows a switch that was never touched as off. Those marked "on" above are on until you turn
  them off. The first task that runs stores them as on, so that the page shows it, and logs that it did. A settings
  page that was open at the time stores what it had loaded: reload it.
- **Emptied numbers.** Stash stores an emptied number field as 0, and the plugin uses the default instead. Only in
  `max_tags` does 0 have a meaning of its own, no limit, which is also its default.
- **Emptied texts.** An emptied text means the default. To turn collections off, use `sync_collection`, not an empty
  `collections`.
- **Unusable values.** A value that cannot be used (a word for a number, a number out of range, an address without
  http://, an unknown placeholder) stops writing, not saving: scenes are still queued, and Stash's log says which
  setting is wrong and what it may be. The plugin does not guess: a wrong title format would rename every item, and
  a lost filter would show what should stay hidden.

## Fields

| in Stash | in Plex |
| --- | --- |
| title | title, by `title_format`; the file name if Stash has no title |
| details | summary, cut at a word if it is too long for a request (15,000 bytes as sent) |
| date | originally available; a year or a month alone gets its first day: 2019 becomes 2019-01-01 |
| studio | studio, and a collection ([below](#collections)) |
| performers | actors in Stash's order; if two share a name, their disambiguation is appended |
| tags | genres; with `max_tags`, the alphabetically first ones |
| director | director, as one name |
| rating | the rating of the token's user; removed only if the plugin wrote it |
| cover | poster and background |

A field that is empty in Stash is emptied in Plex. Sort title, original title, edition and labels are never touched.
Control characters are removed from texts; nothing else is changed in them.

With `preserve_plex_edits`, a field is written only if Plex has nothing in it, and a list only if Plex has no name
in it. Nothing is removed, not even what the plugin wrote itself: in Plex the two look the same.

## Title format

`{title}`, `{studio}`, `{performer}` (all of them, separated by commas), `{date}` (as in Stash), `{filename}`
(without its extension) and `{code}`, with any text between them. `{title}` is the file name if Stash has no title.

If a scene lacks a value, the text before the placeholder is left out too; if the placeholder is the first, the text
after it. Text in round or square brackets is left out as a whole if all its placeholders are empty. With `{studio}
- {title} ({date})`:

| the scene has | title |
| --- | --- |
| everything | `Atlas - Beach (2019-07-31)` |
| no studio | `Beach (2019-07-31)` |
| no date | `Atlas - Beach` |
| neither | `Beach` |

## Collections

`collections` lists kinds of collections, separated by commas:

| kind | collections of a scene |
| --- | --- |
| `studio` | the name of its studio |
| `parent_studio` | the name of the studio above that, if there is one |
| `performer` | the name of each performer |
| `group` | the name of each group |
| `tag(Solo\\|Series/*)` | the name of each of its tags that is [listed](#tags-in-settings); bars separate the tags |
| `organized` | `Organized`, if it is organized |

`collection_prefix` puts text in front of the names of a kind, so that they sort separately: `studio=Studio: ;
performer=Actor: ` makes `Studio: Atlas` and `Actor: Ada`. Spaces at the end of a prefix count; after a colon there
is always one.

The plugin removes an item only from collections to which it added the item. A collection that was there before is
yours and stays, even if it has the same name.

## Tags in settings

`ignore_tags`, `include_tags` and `exclude_tags` hold names or ids, separated by commas. Case does not matter.
Digits alone are an id; use the id for a tag whose name is a number or contains a comma (it is in the address of the
tag's page in Stash). `Name/*` or `12/*` means the tag and all its descendants.

## Filters

A scene must pass all filters: `only_organized`, `only_with_stash_id`, `include_tags`, `exclude_tags`,
`exclude_paths`. The item of a scene that no longer passes stays as it is in Plex.

`exclude_paths` holds folders or files as Stash calls them, separated by commas. Only whole names count, so
`/data/old` does not match `/data/older`. `*` stands for any characters, also across folders, `?` for a single one
(a comma, for instance): `*/trailers` means every folder of that name. Case matters, except in Windows paths.

## Data directory

The queue, the ledger and the log are in `data/` in the plugin's folder. To move them, set the environment variable
`STASH_PLUGIN_DATA` for Stash; each Stash then gets its own directory below it. If the plugin's folder cannot be
written to, the data directory is `stash2plex-data` next to Stash's configuration.
"""


def page() -> str:
    """Return the whole page."""
    groups = [f"## Settings: {name}\n\n{_table(settings)}\n" for name, settings in groupby(TABLE, attrgetter("group"))]
    return _BEFORE + "\n".join(groups) + _AFTER


def _table(settings: Iterable[Setting]) -> str:
    rows = ["| name | in Stash | default | allowed | what it does |", "| --- | --- | --- | --- | --- |"]
    rows += [
        f"| `{setting.name}` | {setting.title} | {_default(setting)} | {_allowed(setting)} |"
        f" {setting.help.replace('|', BAR)} |"
        for setting in settings
    ]
    return "\n".join(rows)


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
    return ", ".join(syntax.INTERVALS) if setting.parser is syntax.parse_interval else "text"


def test_configuration_page_is_generated_from_the_settings_table() -> None:
    if os.environ.get("UPDATE_DOCS"):
        PAGE.write_text(page(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page(), "run: make docs"
