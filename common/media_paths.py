"""Compare and take apart paths of media files as two machines see them. Pure.

A path is judged by how it looks, never by the system this runs on (plex 9).
"""

from __future__ import annotations

import re
import unicodedata

_DRIVE = re.compile(r"[A-Za-z]:(?:[\\/]|$)")
# Where macOS keeps what people keep videos on; its file systems do not tell upper from lower case.
_MAC = ("/Volumes/", "/Users/")


def is_windows(path: str) -> bool:
    """Tell whether a path is one of Windows: with a drive letter, or of a share."""
    return (path[1:2] == ":" and bool(_DRIVE.match(path))) or path.startswith("\\\\")


def is_absolute(path: str) -> bool:
    """Tell whether a path begins at the root, a drive or a share."""
    return path.startswith("/") or is_windows(path)


def ignores_case(path: str) -> bool:
    """Tell whether the file system behind a path of Plex does not distinguish upper from lower case."""
    return is_windows(path) or path.startswith(_MAC)


def plain(path: str) -> str:
    """Return a path in one form: NFC; for Windows without the long-path prefix and with ``/`` between its parts."""
    if not path.isascii():
        path = unicodedata.normalize("NFC", path)
    if not is_windows(path):
        return path  # elsewhere a backslash is an ordinary character
    if path[:8].upper() == "\\\\?\\UNC\\":
        path = "\\\\" + path[8:]
    elif path.startswith("\\\\?\\"):
        path = path[4:]
    return path.replace("\\", "/")


def components(path: str) -> list[str]:
    """Return the folders of a path and its name."""
    return plain(path).rstrip("/").split("/")


def base_name(path: str) -> str:
    """Return the name of a file without its folders, in NFC."""
    return plain(path).rsplit("/", 1)[-1]


def folder_of(path: str) -> str:
    """Return the folder of a file, written as the path is."""
    at = max(path.rfind("/"), path.rfind("\\") if is_windows(path) else -1)
    return path[: at or 1] if at >= 0 else ""


def lookup_key(text: str) -> str:
    """Return the key an index finds a path or a name by. Different paths may share one: compare them afterwards."""
    return plain(text).casefold()


def same_path(mapped: str, in_plex: str) -> bool:
    """Tell whether a path, mapped to Plex's view, is the path of a part in Plex."""
    there = plain(in_plex)
    here = plain(mapped)
    return here == there or (ignores_case(in_plex) and here.casefold() == there.casefold())


def same_name(path: str, in_plex: str) -> bool:
    """Tell whether two files have the same name, whatever their folders."""
    here, there = base_name(path), base_name(in_plex)
    return here == there or (ignores_case(in_plex) and here.casefold() == there.casefold())


def same_component(a: str, b: str, fold: bool) -> bool:
    """Tell whether two parts of a path are the same; ``fold`` ignores the case."""
    return a == b or (fold and a.casefold() == b.casefold())


def common_tail(path: str, in_plex: str) -> int:
    """Count the components that two paths share, from the file's name up; the root does not count."""
    here, there = (list(reversed(plain(one).split("/"))) for one in (path, in_plex))
    fold = ignores_case(in_plex)
    count = 0
    for a, b in zip(here, there, strict=False):
        if not a or not same_component(a, b, fold):
            break
        count += 1
    return count
