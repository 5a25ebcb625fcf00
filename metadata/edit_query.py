"""A diff as the query of one PUT, correct under both readings of indexed tags (plex 4.4). Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from urllib.parse import quote

from metadata.diff import Change, Diff
from metadata.text import tag_key

# In characters. Proxies commonly stop at a request line of 8 kB (plex 4.6); a single field may be longer.
MAX_QUERY_LENGTH = 6_000
MAX_FIELD_LENGTH = 16_000


def edit_queries(diff: Diff, limit: int = MAX_QUERY_LENGTH, unlocked: Collection[str] = ()) -> list[str]:
    """Return the encoded queries for a diff: one, unless it is too long for a request line.

    Every written field is locked, so that Plex's next refresh does not undo it. Fields in ``unlocked`` are unlocked,
    whether they are written or not.
    """
    requests: list[str] = []
    for fragment in _fragments(diff, unlocked):
        if requests and len(requests[-1]) + len(fragment) < limit:
            requests[-1] += "&" + fragment
        else:
            requests.append(fragment)
    return requests


def _fragments(diff: Diff, unlocked: Collection[str]) -> list[str]:
    locks = {change.field: f"{change.field}.locked={int(change.field not in unlocked)}" for change in diff.changes}
    fragments = [_scalar_fragment(change.field, change.new, locks) for change in diff.scalars]
    for change in diff.tags:
        fragments += _tag_fragments(change, locks[change.field])
    if diff.rating is not None:
        new = diff.rating.new
        fragments.append(_scalar_fragment("userRating", "" if new is None else f"{new:.1f}", locks))
    return [*fragments, *(f"{name}.locked=0" for name in unlocked if name not in locks)]


def _scalar_fragment(field: str, value: str, locks: Mapping[str, str]) -> str:
    return f"{field}.value={_encoded(value)}&{locks[field]}"


def _tag_fragments(change: Change[list[str]], lock: str) -> list[str]:
    """Return the complete list by index and the removal of every other name, in as few fragments as fit a request."""
    kept = {tag_key(name) for name in change.new}
    removed = [name for name in change.old if tag_key(name) not in kept]
    adds = [f"{_bracket(change.field, str(i))}.tag.tag={_encoded(name)}" for i, name in enumerate(change.new)]
    removals = [f"{_bracket(change.field, '')}.tag.tag-={names}" for names in _removal_values(removed)]
    portions: list[list[str]] = [[]]
    for piece in [*removals, *adds]:
        if sum(map(len, portions[-1])) + len(piece) > MAX_FIELD_LENGTH:
            portions.append([])
        portions[-1].append(piece)
    return ["&".join([*portion, lock]) for portion in portions]


def _removal_values(names: list[str]) -> list[str]:
    """Return the values that remove these names, each short enough for a request.

    The server splits at commas after it has decoded once: so each name is encoded by itself first (plex 4.4).
    """
    values: list[str] = []
    for name in names:
        value = _encoded(_encoded(name))
        if values and len(values[-1]) + len(value) < MAX_FIELD_LENGTH:
            values[-1] += _encoded(",") + value
        else:
            values.append(value)
    return values


def _bracket(field: str, index: str) -> str:
    return f"{field}%5B{index}%5D"


def _encoded(text: str) -> str:
    return quote(text, safe="")
