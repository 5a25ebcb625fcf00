"""The contents of the zip, and that building it is reproducible."""

from __future__ import annotations

import hashlib
import re
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from release import __main__ as command
from release import archive, contents, wheels
from release.manifest import SCRIPTS, VERSION
from release.pins import name_of, runtime_requirements
from sandbox.stash.manifest import read

from .conftest import RELEASED_AT, install

pytestmark = [pytest.mark.integration, pytest.mark.unmeasured]

ROOT = Path(__file__).resolve().parents[2]
# Packages for developers only.
NOT_SHIPPED = {"benchmarks", "release", "sandbox", "tests"}


@pytest.fixture(scope="session")
def names(release: Path) -> list[str]:
    """The names in the zip."""
    with zipfile.ZipFile(release) as packed:
        return packed.namelist()


def test_every_package_is_shipped_or_listed_as_not_shipped() -> None:
    packages = {entry.parent.name for entry in ROOT.glob("*/__init__.py")}
    assert packages == set(contents.PACKAGES) | NOT_SHIPPED


def test_zip_has_one_manifest_at_its_root(names: list[str]) -> None:
    assert [name for name in names if name.endswith((".yml", ".yaml"))] == ["Stash2Plex.yml"]


def test_zip_has_every_file_that_the_manifest_names(release: Path, names: list[str], tmp_path: Path) -> None:
    install(release, tmp_path / "Stash2Plex")
    manifest = read(tmp_path / "Stash2Plex" / "Stash2Plex.yml")
    assert manifest.exec[-1] == "{pluginDir}/Stash2Plex.py"
    assert {*SCRIPTS, "LICENSE", "Stash2Plex.py", "requirements.txt"} <= set(names)


def test_zip_has_no_tests_caches_or_compiled_files(names: list[str]) -> None:
    odd = re.compile(r"(^|/)(tests?|__pycache__|benchmarks|sandbox|release|data)/|\.(pyc|so|pyd|js\.map|db|log)$")
    assert [name for name in names if odd.search(name)] == []
    assert {name.partition("/")[0] for name in names if "/" in name} == {*contents.PACKAGES, "lib", "ui"}


def test_zip_lists_version_and_licence_of_every_package(release: Path, names: list[str]) -> None:
    pinned = [line.split()[0].split("==") for line in wheels.PINS.read_text().splitlines() if "==" in line]
    with zipfile.ZipFile(release) as packed:
        listed = packed.read("lib/LICENCES.txt").decode()
    for name, version in pinned:
        [about] = [entry for entry in names if re.fullmatch(rf"lib/{name.replace('-', '_')}-.*/METADATA", entry)]
        assert re.search(rf"^{name} {re.escape(version)}: \S", listed, re.MULTILINE | re.IGNORECASE)
        folder = about.rpartition("/")[0]
        assert [entry for entry in names if entry.startswith(folder) and "LICEN" in entry]
    assert listed.count("LICEN") >= len(pinned)


def test_pins_satisfy_the_requirements() -> None:
    pinned = dict(line.split()[0].split("==") for line in wheels.PINS.read_text().splitlines() if "==" in line)
    wanted = runtime_requirements((ROOT / "requirements.txt").read_text())
    assert [name_of(line) for line in wanted] == ["stashapp-tools", "plexapi", "persist-queue"]
    for line in wanted:
        assert Requirement(line).specifier.contains(pinned[name_of(line)])


def test_zip_modes_times_and_size_suit_stash(release: Path) -> None:
    assert release.stat().st_size < command.MAX_DOWNLOAD_BYTES
    with zipfile.ZipFile(release) as packed:
        entries = packed.infolist()
    assert {stat.filemode(entry.external_attr >> 16) for entry in entries} == {"-rw-r--r--"}
    assert {entry.date_time for entry in entries} == {(2026, 2, 3, 4, 5, 6)}
    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)
    assert not [entry.filename for entry in entries if entry.is_dir()]


def test_build_of_the_same_input_gives_the_same_bytes(release: Path, tmp_path: Path) -> None:
    again = command.build(tmp_path, RELEASED_AT)
    assert again.read_bytes() == release.read_bytes()
    assert (tmp_path / "index.yaml").read_text() == (release.parent / "index.yaml").read_text()


def test_pack_ignores_the_order_of_files() -> None:
    files = {"b/c": b"1", "a": b"2", "b.py": b"3"}
    assert archive.pack(files, RELEASED_AT) == archive.pack(dict(reversed(files.items())), RELEASED_AT)


def test_index_has_the_keys_that_stash_reads(release: Path) -> None:
    lines = (release.parent / "index.yaml").read_text().splitlines()
    assert lines[:6] == [
        "- id: Stash2Plex",
        "  name: Stash2Plex",
        f"  version: {VERSION}",
        "  date: 2026-02-03 04:05:06",
        "  path: Stash2Plex.zip",
        f"  sha256: {hashlib.sha256(release.read_bytes()).hexdigest()}",
    ]
    assert release.name == "Stash2Plex.zip"


def test_version_is_the_same_everywhere() -> None:
    project = (ROOT / "pyproject.toml").read_text()
    changes = (ROOT / "CHANGELOG.md").read_text()
    assert f'\nversion = "{VERSION}"\n' in project
    assert re.search(r"^## (\d\S+)", changes, re.MULTILINE).group(1) == VERSION  # type: ignore[union-attr]


def test_library_files_refuses_a_package_with_compiled_parts(tmp_path: Path) -> None:
    wheel = tmp_path / "quick-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as packed:
        packed.writestr("quick/fast.so", b"")
    with pytest.raises(contents.CompiledPackage, match=r"quick-1.*fast\.so"):
        contents.library_files([wheel])


def test_command_without_packages_reports_pips_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pins = tmp_path / "pins.txt"
    pins.write_text(f"plexapi==4.18.3 --hash=sha256:{'0' * 64}  # not its checksum\n")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(wheels.WheelsUnavailable, match="plexapi"):
        wheels.fetch(tmp_path / "wheels", pins)
    monkeypatch.setattr(command, "fetch", lambda folder: wheels.fetch(tmp_path / "wheels", pins))
    assert command.main([str(tmp_path / "dist")]) == 1
    assert "plexapi" in capsys.readouterr().err
    assert not (tmp_path / "dist").exists()


def test_release_time_comes_from_the_environment_or_the_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert command.release_time(tmp_path) == 1_700_000_000
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nothing"))
    with pytest.raises(command.ReleaseDateUnknown, match="SOURCE_DATE_EPOCH"):
        command.release_time(tmp_path)


def test_has_uncommitted_changes_sees_only_uncommitted_changes(tmp_path: Path) -> None:
    def git(*words: str) -> None:
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *words], cwd=tmp_path, check=True)

    assert not command.has_uncommitted_changes(tmp_path)
    git("init", "-q")
    (tmp_path / "file").write_text("one")
    git("add", "file")
    git("commit", "-q", "-m", "one")
    assert not command.has_uncommitted_changes(tmp_path)
    (tmp_path / "file").write_text("two")
    assert command.has_uncommitted_changes(tmp_path)


def test_command_reports_version_and_size(
    release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(RELEASED_AT))
    assert command.main([str(tmp_path)]) == 0
    output = capsys.readouterr().out
    assert f"version {VERSION}, {release.stat().st_size:,} bytes" in output
    assert (tmp_path / release.name).read_bytes() == release.read_bytes()
    monkeypatch.setattr(command, "MAX_DOWNLOAD_BYTES", 10)
    assert command.main([str(tmp_path)]) == 1
    assert "larger than 10 bytes" in capsys.readouterr().err


def test_pins_are_resolved_from_the_requirements(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from release import pins

    asked: list[str] = []

    def download(folder: Path, what: list[str], *, deps: bool) -> None:
        asked.extend(what)
        for name in ("PlexAPI-4.18.9-py3-none-any.whl", "charset_normalizer-3.9-py3-none-any.whl"):
            (folder / name).write_bytes(b"")

    place = tmp_path / "requirements.txt"
    place.write_text("# kept\nold==1 --hash=sha256:00\n")
    monkeypatch.setattr(pins, "download", download)
    monkeypatch.setattr(pins, "PINS", place)
    pins.main()
    nothing = hashlib.sha256(b"").hexdigest()
    assert [name_of(line) for line in asked] == ["stashapp-tools", "plexapi", "persist-queue"]
    assert place.read_text().splitlines() == [
        "# kept",
        f"charset-normalizer==3.9 --hash=sha256:{nothing}",
        f"plexapi==4.18.9 --hash=sha256:{nothing}",
    ]
    assert wheels.checksums(place) == {nothing}


def test_this_python_is_not_older_than_what_is_promised() -> None:
    assert sys.version_info >= tuple(map(int, wheels.OLDEST_PYTHON_OPTIONS[1].split(".")))
