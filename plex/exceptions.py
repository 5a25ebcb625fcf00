"""The errors of Plex, and the tables that turn those of plexapi, requests and urllib3 into them.

UserFacingError
 └─ PlexError
     ├─ PlexTemporaryError          retried
     │   ├─ PlexNotFound            the file is not in Plex (yet): a schedule of its own
     │   └─ PlexServerDown          Plex cannot be reached, or is not ready
     │       └─ PlexTokenRefused    both: the user has to enter another token, and nothing is reached until then
     └─ PlexPermanentError          a retry would not help
         ├─ PlexTokenRefused
         ├─ PlexLibraryMissing      the user has to correct the library's name
         └─ PictureRefused          Plex does not take the bytes of a picture (plex.pictures)
"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection
from typing import NamedTuple

from common.errors import UserFacingError

# plexapi gives the status in the text alone: "(503) service_unavailable; <url> <body>" (plex 1.5).
_STATUS = re.compile(r"\((\d{3})\)")
_STARTING_UP = "starting up"
_MAX_TEXT = 300


class PlexError(UserFacingError):
    """Something went wrong with Plex."""

    code = "PlexError"


class PlexTemporaryError(PlexError):
    """Plex could not do it now; a retry may help."""

    code = "PlexTemporaryError"


class PlexPermanentError(PlexError):
    """Plex refuses; a retry would not help."""

    code = "PlexPermanentError"


class PlexNotFound(PlexTemporaryError):
    """Plex does not have the file (yet)."""

    code = "PlexNotFound"


class PlexServerDown(PlexTemporaryError):
    """Plex cannot be reached, or is not ready."""

    code = "PlexServerDown"


class PlexTokenRefused(PlexPermanentError, PlexServerDown):
    """Plex does not accept the token: a retry is useless, and the server cannot be reached with it."""

    code = "PlexTokenRefused"


class PlexLibraryMissing(PlexPermanentError):
    """A configured library is not on the server."""

    code = "PlexLibraryMissing"


def status_of(error: BaseException) -> int | None:
    """Return the HTTP status in the text of a plexapi error, or None."""
    match = _STATUS.match(str(error))
    return int(match[1]) if match else None


class _ErrorRule(NamedTuple):
    """Errors of these classes are a ``kind`` of ours. The sentence may hold {name} and {text} of the error."""

    classes: tuple[str, ...]
    kind: type[PlexError]
    sentence: str


class _StatusRule(NamedTuple):
    """Answers of these statuses are a ``kind`` of ours. The sentence may hold {text}: what was asked and answered."""

    statuses: Collection[int]
    kind: type[PlexError]
    sentence: str


# The first rule that applies decides.
_ERROR_RULES = (
    _ErrorRule(
        ("requests.exceptions.SSLError", "urllib3.exceptions.SSLError", "ssl.SSLError"),
        PlexServerDown,
        "Plex's certificate was refused: use http:// in your network, or the plex.direct name ({text})",
    ),
    _ErrorRule(
        (
            *("requests.exceptions.ReadTimeout", "urllib3.exceptions.ReadTimeoutError"),
            *("requests.exceptions.ChunkedEncodingError", "requests.exceptions.ContentDecodingError"),
        ),
        PlexTemporaryError,
        "Plex did not finish its answer ({name})",
    ),
    _ErrorRule(
        # urllib3's HTTPError is the base of all its errors.
        ("requests.exceptions.RequestException", "urllib3.exceptions.HTTPError", "builtins.OSError"),
        PlexServerDown,
        "Plex cannot be reached ({name})",
    ),
    _ErrorRule(
        # A proxy's page or half a body (plex 1.5).
        (
            *("xml.etree.ElementTree.ParseError", "builtins.TypeError"),
            *("builtins.AttributeError", "builtins.KeyError"),
        ),
        PlexTemporaryError,
        "Plex sent an unreadable answer ({name}: {text})",
    ),
)
_STATUS_RULES = (
    _StatusRule(
        {401},
        PlexTokenRefused,
        "Plex does not accept the token: enter it again in Settings > Plugins > Stash2Plex. In Plex Web it is under "
        "any item, ... > Get Info > View XML, at the end of the address after X-Plex-Token=",
    ),
    _StatusRule(
        {403},
        PlexTokenRefused,
        "Plex does not allow this token's user to do it: enter the token of the server's owner in "
        "Settings > Plugins > Stash2Plex",
    ),
    _StatusRule({404}, PlexNotFound, "Plex does not have it: {text}"),
    _StatusRule({503}, PlexServerDown, "Plex is not ready: {text}"),
    _StatusRule(
        {*range(300, 400), 408, 409, 425, 429, *range(500, 1000)},
        PlexTemporaryError,
        "Plex could not do it now: {text}",
    ),
)
_REFUSED = _StatusRule((), PlexPermanentError, "Plex refused: {text}")
# plexapi's classes that stand for a status; all its other errors have it in their text.
_PLEXAPI_STATUSES = (("plexapi.exceptions.Unauthorized", 401), ("plexapi.exceptions.NotFound", 404))


def translate_plex_exception(exc: BaseException) -> PlexError:
    """Return any error of plexapi, requests, urllib3 or the XML parser as one of ours, and one of ours unchanged."""
    if isinstance(exc, PlexError):
        return exc
    whole = " ".join(str(exc).split())
    if isinstance(exc, _loaded("plexapi.exceptions.PlexApiException")):
        by_class = (status for name, status in _PLEXAPI_STATUSES if isinstance(exc, _loaded(name)))
        return error_of_status(next(by_class, status_of(exc)), whole)
    name, text = type(exc).__name__, whole[:_MAX_TEXT]
    for rule in _ERROR_RULES:
        if any(isinstance(exc, _loaded(path)) for path in rule.classes):
            return rule.kind(rule.sentence.format(name=name, text=text))
    return PlexPermanentError(f"{name}: {text}")


def error_of_status(status: int | None, text: str) -> PlexError:
    """Return the error for an answer with this HTTP status; ``text`` says what was asked and answered."""
    whole = " ".join(text.split())
    rule = next((rule for rule in _STATUS_RULES if status in rule.statuses), _REFUSED)
    if rule.kind not in (PlexTokenRefused, PlexNotFound) and _STARTING_UP in whole.lower():
        # 400 of a server that is not ready to write yet (plex 1.4).
        rule = next(rule for rule in _STATUS_RULES if rule.kind is PlexServerDown)
    # A request may be longer than the answer, which stands at the end.
    shown = whole if len(whole) <= _MAX_TEXT else f"{whole[: _MAX_TEXT // 2]} ... {whole[-_MAX_TEXT // 2 :]}"
    return rule.kind(rule.sentence.format(text=shown))


def _loaded(path: str) -> tuple[type[BaseException], ...]:
    """Return a class by its module and name, or nothing if the module was never imported: then nothing raised it."""
    module, _, name = path.rpartition(".")
    error_type: type[BaseException] | None = getattr(sys.modules.get(module), name, None)
    return () if error_type is None else (error_type,)
