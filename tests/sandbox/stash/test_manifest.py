"""Manifests: discover, read strictly, install (stash 1)."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.stash import StashSim
from sandbox.stash.manifest import ManifestError, command, discover, read
from sandbox.stash.yaml_subset import YamlError, load

from .support import MANIFEST, probe_source, running

pytestmark = [pytest.mark.integration, pytest.mark.unmeasured]

FULL = """\
# a comment
name: Some Plugin   # trailing
description: >
  folded over
  two lines

  and a paragraph
url: https://example.org/x#anchor
version: 1.10
exec:
- python3
- "{pluginDir}/main.py"
- '--it''s'
errLog: debug
tasks:
  - name: One
    description: |
      first
      second
    execArgs: [--a, "--b, c"]
    defaultArgs:
      days: 30
      on: true
      empty:
hooks:
  -
    name: H
    triggeredBy:
      - Scene.Update.Post
      - Scene.Create.Post
settings:
  zeta: {displayName: Z, type: NUMBER}
  alpha:
    displayName: "A: with \\"quotes\\" and \\u00e9"
ui:
  requires: [Other]
  csp:
    connect-src: ['*']
"""


def test_read_full_manifest(tmp_path: Path) -> None:
    path = tmp_path / "Some.Plugin.yml"
    path.write_text(FULL, encoding="utf-8")
    found = read(path)
    assert (found.id, found.name, found.version, found.err_log) == ("Some.Plugin", "Some Plugin", "1.10", "Debug")
    assert found.description == "folded over two lines\nand a paragraph\n"
    assert found.url == "https://example.org/x#anchor"
    assert found.exec == ("python3", "{pluginDir}/main.py", "--it's")
    assert found.tasks[0].description == "first\nsecond\n"
    assert found.tasks[0].exec_args == ("--a", "--b, c")
    assert found.tasks[0].default_args == {"days": "30", "on": "true", "empty": ""}
    assert found.hooks[0].triggers == ("Scene.Update.Post", "Scene.Create.Post")
    assert [(setting.name, setting.type) for setting in found.settings] == [("alpha", "STRING"), ("zeta", "NUMBER")]
    assert found.settings[0].display_name == 'A: with "quotes" and é'
    assert found.requires == ("Other",)
    argv, is_python = command(found, ("{pluginDir}",), "", "/p")
    assert argv[1:] == ["/p/main.py", "--it's", "/p"]
    assert is_python


@pytest.mark.parametrize(
    "text",
    [
        "name: x\nnames: y\n",
        "name: x\nname: y\n",
        "settings:\n  a:\n    default: 1\n",
        "settings:\n  a:\n    type: SECRET\n",
        "tasks:\n  - name: x\n    runs: y\n",
        "hooks:\n  - name: x\n    triggered_by: []\n",
        "interface: grpc\n",
        "exec: [a, b\n",
        "exec: {pluginDir}/x\n",
        "name: [a]\n",
        "tasks: text\n",
        "name: a: b\n",
        "name: x\n  url: y\n",
        "\tname: x\n",
        "name: &anchor x\n",
        'name: "x\n',
        "ui:\n  css: [a]\n  js: [b]\n",
        "- name\n",
    ],
)
def test_read_refuses_an_invalid_manifest(tmp_path: Path, text: str) -> None:
    path = tmp_path / "Bad.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ManifestError, match="Error loading plugin"):
        read(path)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("---\na: 1\n", {"a": "1"}),
        ("a: ~\nb: ''\n", {"a": None, "b": ""}),
        ("a: x\n  y\n  z\n", {"a": "x y z"}),
        ("a:\n  - b: 1\n    c: 2\n  - - d\n    - e\n", {"a": [{"b": "1", "c": "2"}, ["d", "e"]]}),
        ("a: [x,\n  y,\n]\n", {"a": ["x", "y"]}),
        ("a: {b: [1], 'c': {}}\n", {"a": {"b": ["1"], "c": {}}}),
        ("a: >-\n  x\n  y\nb: |+\n  z\n\n", {"a": "x y", "b": "z\n\n\n"}),
        ('"a b": "line \\\n  on"\n', {"a b": "line \\ on"}),
    ],
)
def test_yaml_value(text: str, value: object) -> None:
    assert load(text) == value


def test_yaml_errors_name_the_line() -> None:
    with pytest.raises(YamlError, match="line 2"):
        load("a: 1\na: 2\n")


def test_discover_finds_every_yml_at_any_depth(tmp_path: Path) -> None:
    for name in ("b/deep/B.yml", "a/A.yml", "a/x.yaml", "C.yml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("name: x\n")
    linked = tmp_path / "plugins" / "linked"
    linked.parent.mkdir()
    linked.symlink_to(tmp_path / "b", target_is_directory=True)
    assert [path.name for path in discover(tmp_path / "plugins")] == ["B.yml"]
    assert [path.name for path in discover(tmp_path)] == ["C.yml", "A.yml", "B.yml", "B.yml"]


def test_invalid_or_duplicate_manifest_is_only_logged(stash: StashSim) -> None:
    folder = stash.core.plugins.folder
    (folder / "Bad.yml").write_text("name: x\nnope: y\n")
    (folder / "zzz").mkdir()
    (folder / "zzz" / "PROBE.yml").write_text("name: second\n")
    before = len(stash.log)
    assert stash.gql("mutation { reloadPlugins }") == {"reloadPlugins": True}
    assert [plugin["id"] for plugin in stash.gql("{ plugins { id } }")["plugins"]] == ["Probe"]
    errors = [line.message for line in stash.log[before:] if line.level == "Error"]
    assert len(errors) == 2
    assert "field nope not found" in errors[0]


def test_install_links_the_shipped_files(tmp_path: Path) -> None:
    with running(tmp_path) as stash:
        source = probe_source(tmp_path, MANIFEST, "Other")
        for name in ("package/__init__.py", "tests/__init__.py", "sandbox/__init__.py", "notes/readme.md"):
            (source / name).parent.mkdir()
            (source / name).write_text("")
        assert stash.add_plugin(source / "Other.yml")
        installed = stash.core.plugins.folder / "Other"
        assert sorted(path.name for path in installed.iterdir()) == ["Other.yml", "package", "probe.py"]
        assert all(path.is_symlink() for path in installed.iterdir())
        third = probe_source(tmp_path, MANIFEST, "Third")
        (third / "package").mkdir()
        assert stash.add_plugin(third, entries=["probe.py", "package"], copy=True)
        assert not any(path.is_symlink() for path in (stash.core.plugins.folder / "Third").iterdir())
        with pytest.raises(FileNotFoundError):
            stash.add_plugin(tmp_path)
