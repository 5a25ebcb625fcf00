"""What can go wrong with Plex, on three branches, and the one place where plexapi's errors are classified.

PlexError
 ├─ PlexTemporaryError      tried again
 │   ├─ PlexNotFound        the file is not in Plex (yet): a schedule of its own
 │   └─ PlexServerDown      Plex cannot be reached, or is not ready
 └─ PlexPermanentError      trying again will not help
     ├─ PlexTokenRefused    a person has to mend the token (and nothing can be reached with it)
     └─ PlexLibraryMissing  a person has to mend the library's name
"""

from __future__ import annotations

import re

from common.errors import UserFacingError

# plexapi gives the status in the text alone: "(503) service_unavailable; <url> <body>" (plex 1.5).
_STATUS = re.compile(r"\((\d{3})\)")
_STARTING_UP = "starting up"
_TEMPORARY = frozenset({408, 409, 425, 429})


class PlexError(UserFacingError):
    """Something went wrong with Plex."""

    code = "PlexError"


class PlexTemporaryError(PlexError):
    """Plex could not do it now."""

    code = "PlexTemporaryError"


class PlexPermanentError(PlexError):
    """Plex will not do it, however often it is asked."""

    code = "PlexPermanentError"


class PlexNotFound(PlexTemporaryError):
    """Plex does not have the file (yet)."""

    code = "PlexNotFound"


class PlexServerDown(PlexTemporaryError):
    """Plex cannot be reached, or is not ready."""

    code = "PlexServerDown"


class PlexTokenRefused(PlexPermanentError, PlexServerDown):
    """Plex does not accept the token. Both: asking again is useless, and the server is out of reach with it."""

    code = "PlexTokenRefused"


class PlexLibraryMissing(PlexPermanentError):
    """A configured library is not on the server."""

    code = "PlexLibraryMissing"


def status_of(error: BaseException) -> int | None:
    """The HTTP status in a plexapi error, or None."""
    found = _STATUS.match(str(error))
    return int(found[1]) if found else None


def translate_plex_exception(exc: BaseException) -> PlexError:
    """Any error of plexapi, requests or the XML parser as one of ours; ours are given back as they are.

    429 and 5xx arrive from plexapi as BadRequest (plex 1.5), and so does "still starting up" (plex 1.4).
    """
    if isinstance(exc, PlexError):
        return exc
    whole = " ".join(str(exc).split())
    text = whole[:300]
    names = {kind.__name__ for kind in type(exc).__mro__}
    if "BadRequest" in names or "NotFound" in names or "PlexApiException" in names:
        return _of_status(status_of(exc), names, whole)
    if "SSLError" in names:
        return PlexServerDown(
            f"Plex's certificate was refused: use http:// in your network, or the plex.direct name ({text})"
        )
    if names & {"ReadTimeout", "ReadTimeoutError", "ChunkedEncodingError", "ContentDecodingError"}:
        return PlexTemporaryError(f"Plex did not finish its answer ({type(exc).__name__})")
    # HTTPError is what all errors of urllib3 are.
    if names & {"ConnectionError", "Timeout", "RequestException", "HTTPError", "OSError"}:
        return PlexServerDown(f"Plex cannot be reached ({type(exc).__name__})")
    if "ParseError" in names or isinstance(exc, (TypeError, AttributeError, KeyError)):
        # An answer that is not what it should be: a proxy's page, half a body (plex 1.5).
        return PlexTemporaryError(f"Plex answered with something unreadable ({type(exc).__name__}: {text})")
    return PlexPermanentError(f"{type(exc).__name__}: {text}")


def error_of_status(status: int, text: str) -> PlexError:
    """The error that an answer of this HTTP status stands for; ``text`` says what was asked and answered."""
    return _of_status(status, set(), " ".join(text.split()))


def _of_status(status: int | None, names: set[str], whole: str) -> PlexError:
    # What an edit was about is longer than what came of it, which stands behind it.
    text = whole if len(whole) <= 300 else f"{whole[:150]} ... {whole[-150:]}"
    if "Unauthorized" in names or status == 401:
        return PlexTokenRefused(
            "Plex does not accept the token: set it anew in Settings > Plugins > Stash2Plex. In Plex Web it is under "
            "any item, ... > Get Info > View XML, at the end of the address behind X-Plex-Token="
        )
    if status == 403:
        return PlexTokenRefused(
            "Plex does not let this token's user do it: set the token of the server's owner in "
            "Settings > Plugins > Stash2Plex"
        )
    if "NotFound" in names or status == 404:
        return PlexNotFound(f"Plex does not have it: {text}")
    if status == 503 or _STARTING_UP in whole.lower():
        return PlexServerDown(f"Plex is not ready: {text}")
    if status is not None and (300 <= status < 400 or status >= 500 or status in _TEMPORARY):
        return PlexTemporaryError(f"Plex could not do it now: {text}")
    return PlexPermanentError(f"Plex refused: {text}")
