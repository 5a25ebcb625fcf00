"""``docs/configuration.md`` is made from the table of settings.

``make docs`` writes it anew.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from settings import parsers
from settings.config import TABLE, Setting

pytestmark = [pytest.mark.unit, pytest.mark.no_cover]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "configuration.md"

# a bar would end the cell
BAR = "\\|"

_BEFORE = """\
# Settings

In Stash: Settings > Plugins > Stash2Plex. Two are needed, `plex_url` and `plex_token`; all others may stay as they are.
A changed setting counts from the next scene that is written; nothing has to be restarted.

This page is made from the table in `settings/config.py`, like the settings block of the manifest
(`make docs` writes both anew).

"""
_AFTER = """
## How Stash shows them

- Stash sorts settings by their names, so those that belong together do not always stand together. The table above has
  them in the order in which people need them.
- Stash draws a switch that was never touched as off. Those marked "on" above are on until you switch them off. The
  first task that runs stores them as on, so that the page shows it, and says so in the log. A settings page that was
  open meanwhile stores what it had loaded: reload it.
- Stash stores an emptied number field as 0, and an emptied number means the default. `max_tags` is the one number
  where 0 has a meaning of its own: no limit, which is its default too.
- A value that cannot be used (a word for a number, a number out of range, an address without http://, an unknown
  placeholder) stops writing, not saving: scenes go on being queued, and Stash's log says which setting it is and what
  it may be. Nothing is guessed in its place: a wrong title format would rename every item, a lost filter would show
  what should stay out.
- An emptied text is its default. Collections are switched off by `sync_collection`, not by an empty `collections`.

## Fields

| in Stash | in Plex |
| --- | --- |
| title | title, by `title_format`; the file name where Stash has none |
| details | summary, cut at a word where it is too long for a request (15,000 bytes as sent) |
| date | originally available; a year or a month alone is completed with its first day: 2019 becomes 2019-01-01 |
| studio | studio, and a collection (see below) |
| performers | actors in Stash's order; two who share a name have their disambiguation behind it |
| tags | genres; with `max_tags` the first ones of the alphabet |
| director | director, as one name |
| rating | the rating of the token's user; taken away only where the plugin wrote it |
| cover | poster and background |

What is empty in Stash is emptied in Plex. Sort title, original title, edition and labels are never touched. Text loses
its control characters, nothing else.

`preserve_plex_edits` writes a field only where Plex has nothing, a list only where Plex has not one name in it. It
removes nothing, not even what the plugin wrote itself: to Plex both look the same.

## Title format

`{title}`, `{studio}`, `{performer}` (all of them, with commas), `{date}` (as in Stash), `{filename}` (without its
ending) and `{code}`, with any text between them. `{title}` is the file name where Stash has no title.

A value that a scene lacks takes along the text before it; where it is the first, also the text after it. What stands in
round or square brackets goes as one when nothing in it is left. With `{studio} - {title} ({date})`:

| the scene has | title |
| --- | --- |
| all | `Atlas - Beach (2019-07-31)` |
| no studio | `Beach (2019-07-31)` |
| no date | `Atlas - Beach` |
| neither | `Beach` |

## Collections

`collections` names the kinds, comma separated:

| kind | collections of a scene |
| --- | --- |
| `studio` | the name of its studio |
| `parent_studio` | the name of the studio above that, if there is one |
| `performer` | the name of each performer |
| `group` | the name of each group |
| `tag(Solo\\|Series/*)` | the name of each of its tags that is listed, by the rules below; bars separate them |
| `organized` | `Organized`, where it is |

`collection_prefix` puts something before the names of a kind, so that they sort apart:
`studio=Studio: ; performer=Actor: ` makes `Studio: Atlas` and `Actor: Ada`. Spaces behind a prefix count; behind a
colon there is always one.

Only collections that the plugin added an item to are ever removed from it. One that was there before, though it has the
very name, is a person's and stays.

## Tags in settings

`ignore_tags`, `include_tags`, `exclude_tags` hold names or ids, comma separated. Case does not matter. Digits alone are
an id: a tag whose name is a number, or holds a comma, is given by its id (it stands in the address of the tag's page in
Stash). `Name/*` or `12/*` is the tag with all that is below it.

## Filters

A scene must pass all of them: `only_organized`, `only_with_stash_id`, `include_tags`, `exclude_tags`, `exclude_paths`.
One that falls out of them is left in Plex as it is.

`exclude_paths` holds folders or files as Stash calls them, comma separated; whole names count, so `/data/old` is not
`/data/older`. `*` stands for any letters, also across folders, `?` for a single one (a comma, for instance):
`*/trailers` is every folder of that name. Upper and lower case count, but on Windows paths.

## Data directory

Queue, ledger and log lie in `data/` in the plugin's folder. Set the environment variable `STASH_PLUGIN_DATA` for Stash
to have them elsewhere; each Stash gets a directory of its own below it. Where the plugin's folder cannot be written to,
it is `stash2plex-data` beside Stash's configuration.
"""


def page() -> str:
    """The whole page."""
    rows = ["| name | in Stash | default | allowed | what it does |", "| --- | --- | --- | --- | --- |"]
    rows += [f"| `{s.name}` | {s.title} | {_default(s)} | {_allowed(s)} | {s.help.replace('|', BAR)} |" for s in TABLE]
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
    return ", ".join(parsers.INTERVALS) if setting.reader is parsers.interval else "text"


def test_the_page_is_that_of_the_table() -> None:
    if os.environ.get("UPDATE_DOCS"):
        PAGE.write_text(page(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page(), "make docs writes it anew"
