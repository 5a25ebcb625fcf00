"""Replaces paths in everything that is logged, so that a log can be shown to others (setting ``obfuscate_paths``).

Each part of a path becomes a short word: ``/data/A film.mp4`` is ``/~k3f9a2c/~x7q2m1d.mp4``, also after a restart. The
same name gives the same word everywhere, so that one can still see which folders agree.

Paths that were read from Stash are known exactly (:meth:`Redactor.add_paths`). Any other text that looks like a path is
replaced up to where it ends for certain: in doubt too much is replaced, never too little.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import re
import secrets
import sys
import unicodedata
from collections import OrderedDict
from collections.abc import Iterable, Mapping

from common import stash_log
from common.config_file_watch import OLD_RECORD_FILE, RECORD_FILE, read_record
from common.files import replace

# Log lines are about the scenes that were read last.
MAX_KNOWN_FILES = 2_000
# A shorter name may be an ordinary word.
MIN_NAME_LENGTH = 6

_MARK = "~"
_WORD = _MARK + "[a-z2-7]{7}"
# File name extensions that are shown.
_EXTENSION = re.compile(
    r"\.(?:3gp|avi|divx|flv|iso|m2ts|m4v|mkv|mov|mp4|mpe?g|m?ts|vob|webm|wmv|jpg|png|webp|nfo|srt|csv|db|json|log|txt|yml|zip)"
    r"(?=$|[\s'\"`,;:)\]}>|]|\.(?:\s|$))",
    re.IGNORECASE,
)
# Where a path may begin: not inside a word, a URL (http://) or a closing tag (</h1>).
_START = re.compile(
    r"""(?<=file:)/+(?=[^\s/]) | (?<![^\s'"`(\[{=:,;|>]) (?: /(?=[^\s/]) | [A-Za-z]:[\\/]+(?=\S) | \\\\+(?=\S) )
      | (?<![^\s'"`(\[{=,;|>]) //(?=[^\s/])""",
    re.VERBOSE,
)
# Requests to Plex and Stash look like paths. Only their queries may contain names.
_ROUTE = re.compile(
    r"/(?:identity|graphql|:/[a-z]+|library(?:/(?:sections|metadata|parts|collections)(?:/[\w.-]+)*)?|scene/\d+(?:/\w+)?)"
    r"(?P<query>\?\S*)?(?=$|[\s'\",;)])"
)
_QUERY = re.compile(r"(?<=[a-z0-9/])\?[\w.%-]+=\S*", re.IGNORECASE)
_STAND_IN = re.compile(rf"(?:[A-Za-z]:)?[\\/]*{_WORD}(?:\.\w+)?(?:[\\/]+{_WORD}(?:\.\w+)?)*(?![\w~])")
# How our own sentences continue after a path without an extension; file names do not look like that.
_CONTINUATION = re.compile(
    r" => | -> | is Plex's |, as [\d,]+ scenes? showed|\. As a rule for Path map|\. A rule makes matching "
    r"| has matched no file since |; its libraries (?:lie in|have the folders) "
    r"| \(used because Plex libraries is empty\)"
    r"| (?:is|are) in no Plex library: | (?:is|are) not in Plex, although | is not inside "
)
_PLUGIN_PATH = re.compile(r"""[\\/][^\s'"`,;:)\]}>|]*""")
_SEPARATORS = re.compile(r"([\\/]+)")


class Redactor:
    """Replaces paths in texts.

    ``secret`` belongs to the installation, so that stand-ins cannot be guessed. ``shown_folders`` maps folders that may
    be recognised (the plugin's own) to the word that replaces them.
    """

    def __init__(self, secret: bytes, shown_folders: Mapping[str, str] | None = None) -> None:
        self._secret = secret
        words = {folder.rstrip("\\/"): word for folder, word in (shown_folders or {}).items()}
        # The longest first: a folder may lie inside another one.
        self._shown_folders = sorted(
            ((folder, word) for folder, word in words.items() if len(folder) > 1), key=lambda entry: -len(entry[0])
        )
        self._stand_ins: OrderedDict[str, str] = OrderedDict()

    def add_paths(self, paths: Iterable[str]) -> None:
        """Replace these paths and their file names exactly from now on."""
        for path in paths:
            name = _SEPARATORS.split(path)[-1] if _is_windows(path) else path.rsplit("/", 1)[-1]
            bare = os.path.splitext(name)[0]
            for text in (path, name, bare):
                if text == path or len(text) >= MIN_NAME_LENGTH:
                    self._stand_ins[text] = self.stand_in(text)
                    self._stand_ins.move_to_end(text)
        while len(self._stand_ins) > 3 * MAX_KNOWN_FILES:
            self._stand_ins.popitem(last=False)

    def stand_in(self, path: str) -> str:
        """Return the stand-in for a path or a name."""
        if _STAND_IN.fullmatch(path):
            return path
        separators = _SEPARATORS if _is_windows(path) else re.compile("(/+)")
        return "".join(self._stand_in_of_part(part) for part in separators.split(path))

    def __call__(self, text: str) -> str:
        """Return the text with stand-ins for all paths. Applying it twice is the same as once."""
        for known in sorted((name for name in self._stand_ins if name in text), key=len, reverse=True):
            stand_in = self._stand_ins[known].replace("\\", r"\\")
            text = re.sub(rf"(?<!\w){re.escape(known)}(?!\w)", stand_in, text)
        return "\n".join(self._redact_line(line) for line in text.split("\n"))

    def _redact_line(self, line: str) -> str:
        pieces = []
        at = 0
        while (start := _START.search(line, at)) is not None:
            pieces.append(line[at : start.start()])
            replacement, at = self._replace_path(line, start.start())
            pieces.append(replacement)
        pieces.append(line[at:])
        return _QUERY.sub("?...", "".join(pieces))

    def _replace_path(self, line: str, start: int) -> tuple[str, int]:
        """Return the replacement of the path at ``start``, and where the path ends."""
        kept = _STAND_IN.match(line, start)
        if kept is not None:
            return kept[0], kept.end()
        route = _ROUTE.match(line, start)
        if route is not None:
            return line[start : route.start("query")] + "?..." if route["query"] else route[0], route.end()
        for folder, word in self._shown_folders:
            folder_end = start + len(folder)
            if line.startswith(folder, start) and not line[folder_end : folder_end + 1].isalnum():
                # The plugin's own files have names without spaces.
                rest = _PLUGIN_PATH.match(line, folder_end)
                return word + (rest[0] if rest else ""), rest.end() if rest else folder_end
        end = _path_end(line, start)
        return self.stand_in(line[start:end]), end

    def _stand_in_of_part(self, part: str) -> str:
        if not part.strip("\\/.") or re.fullmatch(r"[A-Za-z]:|\?", part):
            return part
        found = _EXTENSION.search(part)
        extension = found[0].lower() if found is not None and found.end() == len(part) else ""
        name = unicodedata.normalize("NFC", part[: len(part) - len(extension)])
        digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=5, key=self._secret).digest()
        return _MARK + base64.b32encode(digest).decode().lower()[:7] + extension


def _path_end(line: str, start: int) -> int:
    """Return where the path that begins at ``start`` ends at the latest; names may hold spaces, quotes and more."""
    following = _START.search(line, start + 1)
    limit = len(line) if following is None else following.start()
    quote = line[start - 1 : start]
    if quote in ("'", '"', "`") and quote:
        # The last quote that can close it: an earlier one may be part of the name.
        closing = [match.start() for match in re.finditer(rf"{quote}(?=$|[\s,;:.)\]}}])", line[start:limit])]
        if closing:
            return start + closing[-1]
    extension_ends = [match.end() for match in _EXTENSION.finditer(line, start, limit)]
    if extension_ends and not _SEPARATORS.search(line, extension_ends[-1], limit):
        return extension_ends[-1]
    continuation = _CONTINUATION.search(line, start, limit)
    end = limit if continuation is None else continuation.start()
    return start + max(1, len(line[start:end].rstrip(" \t\r,;:.)]}'\"`")))


def _is_windows(path: str) -> bool:
    return bool(re.match(r"[A-Za-z]:[\\/]|\\\\", path))


def load(data_dir: str, plugin_dir: str) -> None:
    """Redact logs as the settings said when they were read last."""
    record = read_record(data_dir)
    stash_log.set_redactor(_redactor(data_dir, plugin_dir, record) if record.get("on") is True else None)


def apply(data_dir: str, plugin_dir: str, is_on: bool, seen: str = "") -> None:
    """Redact logs as the settings say, and record it for processes that do not ask Stash.

    ``seen`` is the fingerprint of Stash's configuration file from before the settings were read
    (``common.config_file_watch``), empty if it was not taken.
    """
    record = read_record(data_dir)
    has_changed = is_on != (record.get("on") is True) or (is_on and _secret_of(record) is None)
    if has_changed or (seen and seen != record.get("seen")):
        # The secret stays: switched on again, the stand-ins are the same. A fingerprint of other settings does not.
        kept = "" if has_changed else record.get("seen")
        record = {"on": is_on, "secret": _secret_of(record) or secrets.token_hex(16), "seen": seen or kept}
        with contextlib.suppress(OSError):  # the disk is full: the next process that reads the settings tries again
            _write(data_dir, record)
    if not is_on:
        stash_log.set_redactor(None)
    elif has_changed or not isinstance(stash_log.current_redactor(), Redactor):
        stash_log.set_redactor(_redactor(data_dir, plugin_dir, record))


def add_paths(paths: Iterable[str]) -> None:
    """Replace these paths exactly from now on. Costs nothing if redaction is off."""
    redactor = stash_log.current_redactor()
    if isinstance(redactor, Redactor):
        redactor.add_paths(paths)


def redact_path(path: str) -> str:
    """Return a path as it may be logged."""
    redactor = stash_log.current_redactor()
    return redactor.stand_in(path) if isinstance(redactor, Redactor) else path


def _redactor(data_dir: str, plugin_dir: str, record: Mapping[str, object]) -> Redactor:
    shown_folders = {data_dir: "<data>", plugin_dir: "<plugin>", sys.executable: "<python>"}
    shown_folders |= {os.path.join(folder, "lib"): "<python>" for folder in (sys.prefix, sys.base_prefix)}
    return Redactor(bytes.fromhex(_secret_of(record) or secrets.token_hex(16)), shown_folders)


def _secret_of(record: Mapping[str, object]) -> str | None:
    secret = record.get("secret")
    return secret if isinstance(secret, str) and re.fullmatch(r"[0-9a-f]{32}", secret) else None


def _write(data_dir: str, record: Mapping[str, object]) -> None:
    temporary = os.path.join(data_dir, f"{RECORD_FILE}.{os.getpid()}.new")
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(record, file)
    replace(temporary, os.path.join(data_dir, RECORD_FILE))
    with contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.join(data_dir, OLD_RECORD_FILE))
