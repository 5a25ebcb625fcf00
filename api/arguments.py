"""What a caller may write in a task's arguments: ids of scenes, and yes."""

from __future__ import annotations

from common.errors import UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def scene_ids(args: Mapping[str, Any]) -> list[int] | None:
    """The scenes that ``scene`` or ``scenes`` name, ascending and each once; None where neither stands there.

    One id, a list of them, or a text with commas. Raises UserError.
    """
    given = args.get("scenes", args.get("scene"))
    return None if given is None else ids_of(given, "scenes")


def ids_of(given: Any, name: str) -> list[int]:
    """What the argument ``name`` says, as ids of Stash or of Plex, ascending and each once. Raises UserError."""
    whose = "Plex" if name.startswith("rating_key") else "Stash"
    words = given.split(",") if isinstance(given, str) else given if isinstance(given, list) else [given]
    ids = set()
    for word in words:
        text = str(word).strip()
        if isinstance(word, bool) or not text.isascii() or not text.isdecimal() or not 0 < int(text) < 2**63:
            raise UserError(f"{name} are ids of {whose}, like 12 or [12, 13], not {str(word)[:40]!r}")
        ids.add(int(text))
    if not ids:
        what = "no scene" if name == "scenes" else "nothing"
        raise UserError(f"{name} names {what}: give ids of {whose}, like [12, 13]")
    return sorted(ids)


def number(args: Mapping[str, Any], name: str, default: int) -> int:
    """A whole number that is not negative. Raises UserError."""
    given = args.get(name)
    if given is None:
        return default
    text = str(given).strip().removesuffix(".0")
    if isinstance(given, bool) or not text.isascii() or not text.isdecimal():
        raise UserError(f"{name} is a whole number, not {str(given)[:40]!r}")
    return int(text)


def is_yes(args: Mapping[str, Any], name: str, *, default: bool = False) -> bool:
    """Whether an argument says yes: true, or the word for it. Raises UserError where it says neither yes nor no."""
    given = args.get(name)
    if given is None:
        return default
    text = str(given).strip().lower()
    if text in ("true", "1", "yes"):
        return True
    if text in ("false", "0", "no", ""):
        return False
    raise UserError(f"{name} is true or false, not {str(given)[:40]!r}")
