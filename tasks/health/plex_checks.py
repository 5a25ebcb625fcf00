"""Checks of Plex: address, token, libraries, and whether Stash's files are there."""

from __future__ import annotations

from collections.abc import Iterator

from common.human_text import counted
from common.media_paths import folder_of
from matching.learned_mapping import learned
from matching.path_map import PathRule, parse_path_map
from plex.exceptions import PlexError, PlexLibraryMissing, PlexNotFound, PlexPermanentError, PlexTokenRefused
from plex.libraries import choose_libraries
from state.worker_status import read_status
from tasks.health.finding import HealthFinding
from tasks.health.probe import HealthProbe

# Plex shows the server's settings only to its owner (plex 1.1), and only the owner may edit (plex 1.2).
_OWNER_ONLY_PATH = "/:/prefs"
MAX_LEARNED_PAIRS = 3


def check_address(probe: HealthProbe) -> Iterator[HealthFinding]:
    """Check that Plex answers at the address of the settings."""
    url = probe.plex.url
    try:
        probe.connect()
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


def check_token(probe: HealthProbe) -> Iterator[HealthFinding]:
    """Check that Plex accepts the token."""
    try:
        probe.connect()
    except PlexTokenRefused:
        yield HealthFinding(
            "Plex token",
            False,
            "Plex does not accept it",
            "Copy a new one: in Plex Web, Get Info > View XML of any item, X-Plex-Token at the end of the address. If "
            "the address in the settings is a host name, Plex may reject the name: try the number (192.168...)",
        )
    except PlexError as error:
        yield HealthFinding("Plex token", None, f"not checked, because Plex does not answer: {error}")
    else:
        yield HealthFinding("Plex token", True, "accepted")


def check_version(probe: HealthProbe) -> Iterator[HealthFinding]:
    """Say which Plex server it is."""
    server = probe.connect().server
    yield HealthFinding("Plex version", True, f"{server.version} on {server.platform}, called {server.friendlyName}")


def check_libraries(probe: HealthProbe) -> Iterator[HealthFinding]:
    """Check that each library of the settings exists."""
    names = probe.config.libraries
    for name in names or [""]:
        try:
            chosen = choose_libraries(probe.libraries, [name] if name else [])
        except PlexLibraryMissing as error:
            yield HealthFinding(
                "Plex libraries", False, str(error), "Correct Plex libraries in Settings > Plugins > Stash2Plex"
            )
            continue
        for library in chosen:
            reason = "" if name else " (used because Plex libraries is empty)"
            yield HealthFinding(
                "Plex libraries", True, f"{library.title}: {', '.join(library.folders) or 'no folder'}{reason}"
            )


def check_right_to_edit(probe: HealthProbe) -> Iterator[HealthFinding]:
    """Check that the token may edit, by reading what only the owner may read."""
    client = probe.connect()
    try:
        client.get(_OWNER_ONLY_PATH)
    except PlexPermanentError as error:
        if not isinstance(error, PlexTokenRefused) and "(403)" not in str(error):
            raise
        yield HealthFinding(
            "Right to edit",
            False,
            "this is not the token of the server's owner, and only the owner may edit",
            "Sign in to Plex Web as the owner and copy the token there",
        )
    except PlexNotFound:
        yield HealthFinding("Right to edit", None, "this server does not say. The first write will show it")
    else:
        yield HealthFinding("Right to edit", True, "this is the owner's token")


def check_path_map(probe: HealthProbe) -> Iterator[HealthFinding]:
    """Check that the rules of Path map lead from a folder of Stash to a folder of Plex."""
    text = probe.config.path_map
    rules = parse_path_map(text).rules
    worker = read_status(probe.data_dir)
    unused = set(worker.get("unused_rules") or ()) if worker.get("rules") == text else set()
    for rule in rules:
        yield _check_rule(probe, rule, str(rule) in unused)
    if rules:
        return
    pairs = learned(probe.data_dir)
    for (stash, plex), scenes in list(pairs.items())[:MAX_LEARNED_PAIRS]:
        yield HealthFinding(
            "Path map",
            None,
            f"no rules. {counted(scenes, 'scene')} matched by name and size show that Stash's {stash} is Plex's {plex}",
            f"A rule makes matching certain and fast: {stash} => {plex}",
        )
    if not pairs:
        yield HealthFinding("Path map", True, "no rules: Stash and Plex are expected to use the same paths")


def _check_rule(probe: HealthProbe, rule: PathRule, unused: bool) -> HealthFinding:
    plex_folders = [folder for library in probe.libraries for folder in library.folders]
    problems = []
    if not any(overlap(rule.stash_folder, folder) for folder in probe.stash_folders):
        problems.append(f"Stash has no folder {rule.stash_folder} (it has {', '.join(probe.stash_folders) or 'none'})")
    if not any(overlap(rule.plex_folder, folder) for folder in plex_folders):
        problems.append(f"Plex has no folder {rule.plex_folder} (it has {', '.join(plex_folders) or 'none'})")
    if problems:
        return HealthFinding(
            "Path map", False, f"{rule}: {'; '.join(problems)}", "Write each folder as Stash and Plex call it"
        )
    if unused:
        return HealthFinding(
            "Path map", None, f"{rule}: has matched no file since the worker started", "Check whether it is needed"
        )
    return HealthFinding("Path map", True, f"{rule}: both folders exist")


def overlap(folder: str, other: str) -> bool:
    """Return whether one folder is the other, or is inside it."""
    return any(
        PathRule(outer, outer).apply(inner.rstrip("\\/") + "/x") is not None
        for outer, inner in ((folder, other), (other, folder))
    )


def check_newest_files(probe: HealthProbe) -> Iterator[HealthFinding]:
    """Check that Stash's newest files are, after Path map, inside a library of Plex."""
    plex_paths = [parse_path_map(probe.config.path_map).to_plex(path) for path in probe.newest_files]
    if not plex_paths:
        yield HealthFinding("Files", None, "Stash has no scene with a file yet")
        return
    libraries = choose_libraries(probe.libraries, probe.config.libraries)
    folders = [folder for library in libraries for folder in library.folders]
    inside = sum(any(PathRule(folder, folder).apply(path) is not None for folder in folders) for path in plex_paths)
    result = f"{inside} of Stash's {counted(len(plex_paths), 'newest file')} are in a Plex library"
    if inside:
        yield HealthFinding("Files", True, result)
        return
    result += f": {folder_of(plex_paths[0])} is not inside {', '.join(folders) or 'any folder'}"
    if learned(probe.data_dir):
        yield HealthFinding(
            "Files",
            None,
            result,
            "They are still matched by name and size. A rule in Path map makes that certain and fast",
        )
    else:
        yield HealthFinding(
            "Files",
            False,
            result,
            "Add the folder to Plex. If Plex calls it differently, set Path map, like /data => /media",
        )
