"""One release for all tests here, and an installation that has it installed as Stash installs it."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from release.__main__ import build
from release.wheels import WheelsUnavailable
from sandbox.library import Library
from tests.installation import PLUGIN, Installation, files_of, small_library

# 2026-02-03 04:05:06 UTC
RELEASED_AT = 1_770_091_506


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the zip; the index lies beside it.

    If the packages cannot be downloaded (no network, no earlier download), skip the tests that need it; not in CI.
    """
    try:
        return build(tmp_path_factory.mktemp("dist"), RELEASED_AT)
    except WheelsUnavailable as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"the packages of a release cannot be fetched: {error}")


@pytest.fixture(scope="session")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a Python with no packages installed, not even pip."""
    folder = tmp_path_factory.mktemp("bare")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    return str(folder / "bin" / "python")


def install(archive: Path, folder: Path) -> None:
    """Unpack as Stash does (stash 1.5): each file with its mode from the zip."""
    with zipfile.ZipFile(archive) as packed:
        for entry in packed.infolist():
            place = folder / entry.filename
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(packed.read(entry))
            place.chmod(entry.external_attr >> 16 & 0o777)


class Installed(Installation):
    """An installation with the plugin from the zip under ``plugins/<source>/<id>``, run by ``python``."""

    def __init__(self, folder: Path, library: Library, archive: Path, python: str) -> None:
        # Stash starts the plugin with a path relative to its own folder, and without this process's packages.
        environment = {"PYTHONPATH": "", "PYTHONDONTWRITEBYTECODE": ""}
        super().__init__(folder, library, python=python, relative_plugin_dir=True, env=environment)
        self.archive = archive

    @property
    def plugin(self) -> Path:
        """The folder of the plugin."""
        return self.folder / "stash" / "plugins" / "community" / PLUGIN

    @property
    def data(self) -> Path:
        """The plugin's data directory."""
        return self.plugin / "data"

    def open(self) -> None:
        """Start both servers with the files in Plex and the plugin installed but not configured."""
        self.plex.start()
        self.section = self.plex.add_section("Scenes", ["/data"])
        for path, size, duration in files_of(self.library):
            self.plex.add_item(self.section, [(path, size, duration)])
        install(self.archive, self.plugin)
        self.stash.start()


@pytest.fixture
def installed(tmp_path: Path, release: Path, bare_python: str) -> Iterator[Installed]:
    """A running installation of the release without settings."""
    made = Installed(tmp_path, small_library(), release, bare_python)
    made.open()
    yield made
    made.stop()
