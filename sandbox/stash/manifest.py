"""Plugin manifests: find, read strictly, turn into objects (stash 1.1 to 1.3)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .yaml_subset import Value, YamlError, load

_LEVELS = {"trace": "Trace", "debug": "Debug", "info": "Info", "warning": "Warning", "progress": "Progress"}
_INTERFACES = ("raw", "rpc", "js")
_SETTING_TYPES = ("STRING", "NUMBER", "BOOLEAN")


class ManifestError(ValueError):
    """The manifest cannot be used; the message goes to the server's log."""


@dataclass(frozen=True)
class Task:
    """A task button of the plugin."""

    name: str
    description: str = ""
    exec_args: tuple[str, ...] = ()
    default_args: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class HookEntry(Task):
    """What to start for one of ``triggers``."""

    triggers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Setting:
    """A row of the settings page."""

    name: str
    display_name: str
    description: str
    type: str


@dataclass(frozen=True)
class Manifest:
    """A plugin as described by its manifest. ``err_log`` is the level of bare stderr lines; None drops them."""

    id: str
    path: Path
    name: str = ""
    description: str | None = None
    url: str | None = None
    version: str | None = None
    exec: tuple[str, ...] = ()
    interface: str = "raw"
    err_log: str | None = "Error"
    tasks: tuple[Task, ...] = ()
    hooks: tuple[HookEntry, ...] = ()
    settings: tuple[Setting, ...] = ()
    javascript: tuple[str, ...] = ()
    css: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    assets: dict[str, str] = field(default_factory=dict)

    @property
    def directory(self) -> Path:
        """The folder of the manifest."""
        return self.path.parent


def discover(folder: Path) -> Iterator[Path]:
    """Return every ``.yml`` below ``folder`` in walk order, following links (stash 1.1)."""
    for entry in sorted(folder.iterdir(), key=lambda path: path.name) if folder.is_dir() else []:
        if entry.is_dir():
            yield from discover(entry)
        elif entry.suffix == ".yml":
            yield entry


def read(path: Path) -> Manifest:
    """Return the plugin of a manifest file. Raise :class:`ManifestError` for what the server refuses to load."""
    try:
        top = _keys(
            load(path.read_text(encoding="utf-8")),
            "name description url version exec interface errLog tasks hooks settings ui",
            "plugin.Config",
        )
        ui = _keys(top.get("ui"), "javascript css requires assets csp", "plugin.UIConfig")
        _keys(ui.get("csp"), "script-src style-src connect-src", "plugin.PluginCSP")
        interface = _text(top.get("interface")) or "raw"
        if interface not in _INTERFACES:
            raise ManifestError(f"invalid interface type {interface}")
        level = _text(top.get("errLog")) or "error"
        return Manifest(
            id=path.stem,
            path=path,
            name=_text(top.get("name")) or "",
            description=_text(top.get("description")),
            url=_text(top.get("url")),
            version=_text(top.get("version")),
            exec=_texts(top.get("exec")),
            interface=interface,
            err_log=None if level == "none" else _LEVELS.get(level, "Error"),
            tasks=tuple(_task(item) for item in _list(top.get("tasks"))),
            hooks=tuple(_hook(item) for item in _list(top.get("hooks"))),
            settings=tuple(_setting(key, item) for key, item in sorted(_map(top.get("settings")).items())),
            javascript=_texts(ui.get("javascript")),
            css=_texts(ui.get("css")),
            requires=_texts(ui.get("requires")),
            assets={key: _text(value) or "" for key, value in _map(ui.get("assets")).items()},
        )
    except (YamlError, ManifestError, OSError, UnicodeDecodeError) as error:
        raise ManifestError(f"Error loading plugin {path}: {error}") from error


def _task(item: Value) -> Task:
    entry = _keys(item, "name description execArgs defaultArgs", "plugin.OperationConfig")
    return Task(**_common(entry))


def _hook(item: Value) -> HookEntry:
    entry = _keys(item, "name description execArgs defaultArgs triggeredBy", "plugin.HookConfig")
    return HookEntry(**_common(entry), triggers=_texts(entry.get("triggeredBy")))


def _common(entry: dict[str, Value]) -> dict[str, Any]:
    return {
        "name": _text(entry.get("name")) or "",
        "description": _text(entry.get("description")) or "",
        "exec_args": _texts(entry.get("execArgs")),
        "default_args": {key: _text(value) or "" for key, value in _map(entry.get("defaultArgs")).items()},
    }


def _setting(key: str, item: Value) -> Setting:
    entry = _keys(item, "displayName description type", "plugin.SettingConfig")
    kind = _text(entry.get("type")) or "STRING"
    if kind not in _SETTING_TYPES:
        raise ManifestError(f"invalid setting type {kind}")
    return Setting(key, _text(entry.get("displayName")) or "", _text(entry.get("description")) or "", kind)


def _keys(value: Value, allowed: str, kind: str) -> dict[str, Value]:
    entry = _map(value)
    unknown = next((key for key in entry if key not in allowed.split()), None)
    if unknown is not None:
        raise ManifestError(f"yaml: unmarshal errors:\n  field {unknown} not found in type {kind}")
    return entry


def _map(value: Value) -> dict[str, Value]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ManifestError("yaml: unmarshal errors:\n  cannot unmarshal a value into a map")
    return value


def _list(value: Value) -> list[Value]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise ManifestError("yaml: unmarshal errors:\n  cannot unmarshal a value into a list")
    return value


def _text(value: Value) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise ManifestError("yaml: unmarshal errors:\n  cannot unmarshal a collection into string")


def _texts(value: Value) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(_text(item) or "" for item in _list(value))


def command(manifest: Manifest, extra: tuple[str, ...], python: str, plugin_dir: str) -> tuple[list[str], bool]:
    """Return (argv, whether it is a Python plugin) of a process; ``{pluginDir}`` is replaced except in the first
    element."""
    argv = [*manifest.exec, *extra]
    argv[1:] = [part.replace("{pluginDir}", plugin_dir) for part in argv[1:]]
    if argv[0] in ("python", "python3"):
        return [_interpreter(python) or argv[0], *argv[1:]], True
    return [_on_path(argv[0]) or str(Path(plugin_dir) / argv[0]), *argv[1:]], False


def _interpreter(python: str) -> str | None:
    return python if python and Path(python).is_file() else _on_path("python3") or _on_path("python")


def _on_path(name: str) -> str | None:
    if os.sep in name:
        return name if Path(name).is_absolute() else None
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        candidate = Path(folder or ".") / name
        if candidate.is_file() and os.access(candidate, os.X_OK):
            return str(candidate)
    return None
