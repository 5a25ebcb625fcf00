"""The health check's questions to Plex. All of them only read."""

from __future__ import annotations

from collections.abc import Iterator

from common.media_paths import folder_of
from matching.learned_mapping import learned
from matching.path_map import PathRule, parse_path_map
from plex.exceptions import PlexError, PlexLibraryMissing, PlexNotFound, PlexPermanentError, PlexTokenRefused
from plex.libraries import choose_libraries
from tasks.health_probe import HealthFinding, HealthProbe
from worker.status_files import read_status

# Plex lets only who owns the server see its settings (plex 1.1), and only they may edit (plex 1.2).
_FOR_OWNERS = "/:/prefs"


def address(look: HealthProbe) -> Iterator[HealthFinding]:
    """Whether Plex can be reached where the settings say."""
    url = look.plex.url
    try:
        look.connect()
    except PlexTokenRefused:
        yield HealthFinding("Plex address", True, f"Plex answers at {url}")
    except PlexError as error:
        yield HealthFinding(
            "Plex address",
            False,
            f"{url}: {error}",
            "Is Plex running, and is this its address as Stash sees it? In a container, localhost is the container "
            "itself: use the address of the machine, with http:// and the port (32400)",
        )
    else:
        yield HealthFinding("Plex address", True, f"Plex answers at {url}")


def token(look: HealthProbe) -> Iterator[HealthFinding]:
    """Whether Plex accepts the token."""
    try:
        look.connect()
    except PlexTokenRefused:
        yield HealthFinding(
            "Plex token",
            False,
            "Plex does not accept it",
            "Take a fresh one: in Plex Web, Get Info > View XML of any item, X-Plex-Token at the end of the address. "
            "Where the address is a name of your own, Plex may refuse the name: try the number (192.168...)",
        )
    except PlexError as error:
        yield HealthFinding("Plex token", None, f"Plex was not asked: {error}")
    else:
        yield HealthFinding("Plex token", True, "accepted")


def version(look: HealthProbe) -> Iterator[HealthFinding]:
    """Which Plex it is."""
    server = look.connect().server
    yield HealthFinding("Plex version", True, f"{server.version} on {server.platform}, called {server.friendlyName}")


def libraries(look: HealthProbe) -> Iterator[HealthFinding]:
    """Whether each configured library is there."""
    names = look.config.libraries
    for name in names or [""]:
        try:
            chosen = choose_libraries(look.sections, [name] if name else [])
        except PlexLibraryMissing as error:
            yield HealthFinding(
                "Plex libraries", False, str(error), "Mend Plex libraries in Settings > Plugins > Stash2Plex"
            )
            continue
        for section in chosen:
            how = "" if name else " (chosen because Plex libraries is empty)"
            yield HealthFinding(
                "Plex libraries", True, f"{section.title}: {', '.join(section.folders) or 'no folder'}{how}"
            )


def rights(look: HealthProbe) -> Iterator[HealthFinding]:
    """Whether the token may edit; asked by reading what only an owner may read."""
    client = look.connect()
    try:
        client.get(_FOR_OWNERS)
    except PlexPermanentError as error:
        if not isinstance(error, PlexTokenRefused) and "(403)" not in str(error):
            raise
        yield HealthFinding(
            "Right to edit",
            False,
            "the token is not that of the server's owner, and only the owner may edit",
            "Sign in to Plex Web as the owner and take the token there",
        )
    except PlexNotFound:
        yield HealthFinding("Right to edit", None, "this server does not say; the first write will")
    else:
        yield HealthFinding("Right to edit", True, "the token is the owner's")


def path_map(look: HealthProbe) -> Iterator[HealthFinding]:
    """Whether the rules of the path map lead from a folder of Stash to one of Plex."""
    text = look.config.path_map
    rules = parse_path_map(text).rules
    unused = set(read_status(look.data_dir).get("unused_rules") or ()) if _worker_has(look, text) else set()
    for rule in rules:
        yield _judged(look, rule, str(rule) in unused)
    if rules:
        return
    views = learned(look.data_dir)
    for (here, there), number in list(views.items())[:3]:
        yield HealthFinding(
            "Path map",
            None,
            f"no rule; {number:,} scenes were proven by name and size, Stash's {here} being Plex's {there}",
            f"A rule makes that sure and quick: {here} => {there}",
        )
    if not views:
        yield HealthFinding("Path map", True, "no rule: Stash and Plex are taken to see the files at the same place")


def _worker_has(look: HealthProbe, text: str) -> bool:
    return bool(read_status(look.data_dir).get("rules") == text)


def _judged(look: HealthProbe, rule: PathRule, unused: bool) -> HealthFinding:
    folders = [folder for section in look.sections for folder in section.folders]
    wrong = []
    if not any(_touch(rule.here, folder) for folder in look.stash_folders):
        wrong.append(f"Stash has no folder {rule.here} (it has {', '.join(look.stash_folders) or 'none'})")
    if not any(_touch(rule.there, folder) for folder in folders):
        wrong.append(f"Plex has no folder {rule.there} (it has {', '.join(folders) or 'none'})")
    if wrong:
        return HealthFinding("Path map", False, f"{rule}: {'; '.join(wrong)}", "Write the folders as the two call them")
    if unused:
        return HealthFinding(
            "Path map", None, f"{rule}: has concerned no file since the worker's start", "Is it needed?"
        )
    return HealthFinding("Path map", True, f"{rule}: both folders are there")


def _touch(one: str, other: str) -> bool:
    """Whether one folder is the other, or lies in it."""
    return any(
        PathRule(outer, outer).apply(inner.rstrip("\\/") + "/x") is not None
        for outer, inner in ((one, other), (other, one))
    )


def sample(look: HealthProbe) -> Iterator[HealthFinding]:
    """Whether Stash's newest files lie, mapped, where Plex has its libraries."""
    mapped = [parse_path_map(look.config.path_map).to_plex(path) for path in look.files]
    if not mapped:
        yield HealthFinding("Files", None, "Stash has no scene with a file yet")
        return
    folders = [
        folder for section in choose_libraries(look.sections, look.config.libraries) for folder in section.folders
    ]
    inside = sum(any(PathRule(folder, folder).apply(path) is not None for folder in folders) for path in mapped)
    said = f"{inside} of the {len(mapped)} newest files of Stash lie in a library of Plex"
    if inside:
        yield HealthFinding("Files", True, said)
        return
    views = bool(learned(look.data_dir))
    yield HealthFinding(
        "Files",
        None if views else False,
        f"{said}: {folder_of(mapped[0])} is not below {', '.join(folders) or 'any folder'}",
        "They are found by name and size all the same; a rule in Path map makes it sure and quick"
        if views
        else "Add the folder to Plex; where the two call it differently, set Path map, like /data => /media",
    )
