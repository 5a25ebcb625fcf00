"""Parse the arguments of tasks and operations: ids, numbers, yes or no."""

from __future__ import annotations

from common.errors import UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_ID = 2**63 - 1
MAX_QUOTED_CHARS = 40


def scene_ids(args: Mapping[str, object]) -> list[int] | None:
    """Return the ids in ``scene`` or ``scenes``, ascending and each once; None if neither is given.

    One id, a list of them, or a text with commas. Raise UserError.
    """
    given = args.get("scenes", args.get("scene"))
    return None if given is None else ids_of(given, "scenes")


def ids_of(given: object, name: str) -> list[int]:
    """Return the ids of Stash or Plex in the argument ``name``, ascending and each once. Raise UserError."""
    server = "Plex" if name.startswith("rating_key") else "Stash"
    words = given.split(",") if isinstance(given, str) else given if isinstance(given, list) else [given]
    ids = set()
    for word in words:
        text = str(word).strip()
        if isinstance(word, bool) or not text.isascii() or not text.isdecimal() or not 0 < int(text) <= MAX_ID:
            raise UserError(f"{name} are ids of {server}, like 12 or [12, 13], not {_quoted(word)}")
        ids.add(int(text))
    if not ids:
        what = "no scene" if name == "scenes" else "nothing"
        raise UserError(f"{name} names {what}: give ids of {server}, like [12, 13]")
    return sorted(ids)


def number(args: Mapping[str, object], name: str, default: int) -> int:
    """Return a whole number that is not negative. Raise UserError."""
    given = args.get(name)
    if given is None:
        return default
    text = str(given).strip().removesuffix(".0")
    if isinstance(given, bool) or not text.isascii() or not text.isdecimal():
        raise UserError(f"{name} is a whole number, not {_quoted(given)}")
    return int(text)


def is_yes(args: Mapping[str, object], name: str, *, default: bool = False) -> bool:
    """Return whether an argument is true or says yes. Raise UserError if it is neither yes nor no."""
    given = args.get(name)
    if given is None:
        return default
    text = str(given).strip().lower()
    if text in ("true", "1", "yes"):
        return True
    if text in ("false", "0", "no", ""):
        return False
    raise UserError(f"{name} is true or false, not {_quoted(given)}")


def _quoted(given: object) -> str:
    return repr(str(given)[:MAX_QUOTED_CHARS])
