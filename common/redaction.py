"""Paths in what is said, replaced by stand-ins: for people who show their logs to others (``obfuscate_paths``).

A path becomes one with a short word for each of its parts: ``/data/A film.mp4`` is ``/~k3f9a2c/~x7q2m1d.mp4``, here and
after every restart. The same name has the same word wherever it stands, so that one still sees which folders agree.

What was read from Stash is known to the letter (:meth:`Redactor.learn`). Anything else that looks like a path is
replaced up to where it surely ends; in doubt too much goes, never too little.
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
from common.config_file_watch import FILE as FILE
from common.config_file_watch import read

# Lines are about what was read last: so many files are known to the letter.
KNOWN = 2_000
# A name as short as that may be any word of a sentence.
SHORTEST_NAME = 6

_MARK = "~"
_WORD = _MARK + "[a-z2-7]{7}"
# Of an ending no more is shown than what kind of file it is.
_ENDING = re.compile(
    r"\.(?:3gp|avi|divx|flv|iso|m2ts|m4v|mkv|mov|mp4|mpe?g|m?ts|vob|webm|wmv|jpg|png|webp|nfo|srt|csv|db|json|log|txt|yml|zip)"
    r"(?=$|[\s'\"`,;:)\]}>|]|\.(?:\s|$))",
    re.IGNORECASE,
)
# Where a path may begin: not within a word, an address (http://) or a closing tag (</h1>).
_START = re.compile(
    r"""(?<=file:)/+(?=[^\s/]) | (?<![^\s'"`(\[{=:,;|>]) (?: /(?=[^\s/]) | [A-Za-z]:[\\/]+(?=\S) | \\\\+(?=\S) )
      | (?<![^\s'"`(\[{=,;|>]) //(?=[^\s/])""",
    re.VERBOSE,
)
# Requests to Plex and Stash begin like paths. What they ask for may hold names; where they lead does not.
_ROUTE = re.compile(
    r"/(?:identity|graphql|:/[a-z]+|library(?:/(?:sections|metadata|parts|collections)(?:/[\w.-]+)*)?|scene/\d+(?:/\w+)?)"
    r"(?P<query>\?\S*)?(?=$|[\s'\",;)])"
)
_ASKED = re.compile(r"(?<=[a-z0-9/])\?[\w.%-]+=\S*", re.IGNORECASE)
_STAND_IN = re.compile(rf"(?:[A-Za-z]:)?[\\/]*{_WORD}(?:\.\w+)?(?:[\\/]+{_WORD}(?:\.\w+)?)*(?![\w~])")
# How our own sentences go on after a path that has no ending; no file is called like that.
_GOES_ON = re.compile(
    r" => | -> | is Plex's |, as [\d,]+ scenes? showed|\. As a rule for Path map|\. A rule makes matching "
    r"| has matched no file since |; its libraries (?:lie in|have the folders) "
    r"| \(used because Plex libraries is empty\)"
    r"| (?:is|are) in no Plex library: | (?:is|are) not in Plex, although | is not inside "
)
_OF_OURS = re.compile(r"""[\\/][^\s'"`,;:)\]}>|]*""")
_SEPARATORS = re.compile(r"([\\/]+)")


class Redactor:
    """Replaces paths in texts. ``secret`` is the installation's own, or a stand-in could be guessed; ``ours`` are
    folders that may be named, by the word that stands for them."""

    def __init__(self, secret: bytes, ours: Mapping[str, str] | None = None) -> None:
        self._secret = secret
        named = {folder.rstrip("\\/"): word for folder, word in (ours or {}).items()}
        self._ours = sorted(((f, word) for f, word in named.items() if len(f) > 1), key=lambda one: -len(one[0]))
        self._known: OrderedDict[str, str] = OrderedDict()

    def learn(self, paths: Iterable[str]) -> None:
        """These files will be spoken of: from now on their paths and names are known to the letter."""
        for path in paths:
            name = _SEPARATORS.split(path)[-1] if _is_windows(path) else path.rsplit("/", 1)[-1]
            bare = os.path.splitext(name)[0]
            for text in (path, name, bare):
                if text == path or len(text) >= SHORTEST_NAME:
                    self._known[text] = self.path(text)
                    self._known.move_to_end(text)
        while len(self._known) > 3 * KNOWN:
            self._known.popitem(last=False)

    def path(self, path: str) -> str:
        """The stand-in of a path or a name."""
        if _STAND_IN.fullmatch(path):
            return path
        separators = _SEPARATORS if _is_windows(path) else re.compile("(/+)")
        return "".join(self._part(part) for part in separators.split(path))

    def __call__(self, text: str) -> str:
        """The text with stand-ins for all paths. Twice is the same as once."""
        for known in sorted((one for one in self._known if one in text), key=len, reverse=True):
            text = re.sub(rf"(?<!\w){re.escape(known)}(?!\w)", self._known[known].replace("\\", r"\\"), text)
        return "\n".join(self._line(line) for line in text.split("\n"))

    def _line(self, line: str) -> str:
        said = []
        at = 0
        while (start := _START.search(line, at)) is not None:
            said.append(line[at : start.start()])
            shown, at = self._found(line, start.start())
            said.append(shown)
        said.append(line[at:])
        return _ASKED.sub("?...", "".join(said))

    def _found(self, line: str, start: int) -> tuple[str, int]:
        """What is said in place of the path at ``start``, and where it ends."""
        kept = _STAND_IN.match(line, start)
        if kept is not None:
            return kept[0], kept.end()
        route = _ROUTE.match(line, start)
        if route is not None:
            return line[start : route.start("query")] + "?..." if route["query"] else route[0], route.end()
        for folder, word in self._ours:
            behind = start + len(folder)
            if line.startswith(folder, start) and not line[behind : behind + 1].isalnum():
                # Files of ours have names without spaces.
                rest = _OF_OURS.match(line, behind)
                return word + (rest[0] if rest else ""), rest.end() if rest else behind
        end = _end(line, start)
        return self.path(line[start:end]), end

    def _part(self, part: str) -> str:
        if not part.strip("\\/.") or re.fullmatch(r"[A-Za-z]:|\?", part):
            return part
        ending = _ENDING.search(part)
        shown = ending[0].lower() if ending is not None and ending.end() == len(part) else ""
        name = unicodedata.normalize("NFC", part[: len(part) - len(shown)])
        digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=5, key=self._secret).digest()
        return _MARK + base64.b32encode(digest).decode().lower()[:7] + shown


def _end(line: str, start: int) -> int:
    """Where a path that begins at ``start`` ends at the latest; names may hold spaces, quotes and nearly all else."""
    following = _START.search(line, start + 1)
    limit = len(line) if following is None else following.start()
    quote = line[start - 1 : start]
    if quote in ("'", '"', "`") and quote:
        # The last one that can close it: another may be part of the name.
        closing = [m.start() for m in re.finditer(rf"{quote}(?=$|[\s,;:.)\]}}])", line[start:limit])]
        if closing:
            return start + closing[-1]
    endings = [found.end() for found in _ENDING.finditer(line, start, limit)]
    if endings and not _SEPARATORS.search(line, endings[-1], limit):
        return endings[-1]
    goes_on = _GOES_ON.search(line, start, limit)
    end = limit if goes_on is None else goes_on.start()
    return start + max(1, len(line[start:end].rstrip(" \t\r,;:.)]}'\"`")))


def _is_windows(path: str) -> bool:
    return bool(re.match(r"[A-Za-z]:[\\/]|\\\\", path))


def begin(data_dir: str, plugin_dir: str) -> None:
    """Speak from now on as the settings said when somebody looked last."""
    known = read(data_dir)
    stash_log.through(_made(data_dir, plugin_dir, known) if known.get("on") is True else None)


def heed(data_dir: str, plugin_dir: str, discreet: bool, seen: str = "") -> None:
    """Speak from now on as the settings say, and remember it for processes that do not ask.

    ``seen`` is what Stash's configuration file looked like before the settings were asked for
    (``common.config_file_watch.look``); empty for somebody who did not look.
    """
    known = read(data_dir)
    changed = discreet != (known.get("on") is True) or (discreet and _secret_of(known) is None)
    if changed or (seen and seen != known.get("seen")):
        # The secret stays: switched on again, the words are the same. What was seen with other settings goes.
        stays = "" if changed else known.get("seen")
        secret = _secret_of(known) or secrets.token_hex(16)
        known = {"on": discreet, "secret": secret, "seen": seen or stays}
        with contextlib.suppress(OSError):  # a full disk: it is tried again with the next settings that are read
            _write(data_dir, known)
    if not discreet:
        stash_log.through(None)
    elif changed or not isinstance(stash_log.changed_by(), Redactor):
        stash_log.through(_made(data_dir, plugin_dir, known))


def learn(paths: Iterable[str]) -> None:
    """These files will be spoken of. Costs nothing where nobody is discreet."""
    speaker = stash_log.changed_by()
    if isinstance(speaker, Redactor):
        speaker.learn(paths)


def shown_path(path: str) -> str:
    """A path as it may be shown."""
    speaker = stash_log.changed_by()
    return speaker.path(path) if isinstance(speaker, Redactor) else path


def _made(data_dir: str, plugin_dir: str, known: Mapping[str, object]) -> Redactor:
    ours = {data_dir: "<data>", plugin_dir: "<plugin>", sys.executable: "<python>"}
    ours |= {os.path.join(folder, "lib"): "<python>" for folder in (sys.prefix, sys.base_prefix)}
    return Redactor(bytes.fromhex(_secret_of(known) or secrets.token_hex(16)), ours)


def _secret_of(known: Mapping[str, object]) -> str | None:
    secret = known.get("secret")
    return secret if isinstance(secret, str) and re.fullmatch(r"[0-9a-f]{32}", secret) else None


def _write(data_dir: str, known: Mapping[str, object]) -> None:
    # Not of sync_queue, which nobody here knows: stash stands beside it (design 1).
    temporary = os.path.join(data_dir, f"{FILE}.{os.getpid()}.new")
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(known, file)
    os.replace(temporary, os.path.join(data_dir, FILE))
