"""The published edge of the engine: settings may arrive as a Stash2PlexConfig, or as any object with some of them."""

from __future__ import annotations

from settings.config import Stash2PlexConfig


def as_settings(config: object) -> Stash2PlexConfig:
    """Return ``config`` if it is a Stash2PlexConfig; else settings with what it has in the right type."""
    if isinstance(config, Stash2PlexConfig):
        return config
    defaults = Stash2PlexConfig()
    libraries = getattr(config, "libraries", None)
    names = libraries if isinstance(libraries, (list, tuple)) else [_text(config, "plex_library")]
    return Stash2PlexConfig(
        plex_url=_text(config, "plex_url"),
        plex_token=_text(config, "plex_token"),
        plex_library=", ".join(str(name) for name in names),
        path_map=_text(config, "path_map"),
        connect_timeout=_seconds(config, "connect_timeout", defaults.connect_timeout),
        read_timeout=_seconds(config, "read_timeout", defaults.read_timeout),
        strict_matching=bool(getattr(config, "strict_matching", True)),
        reconcile_missing=bool(getattr(config, "reconcile_missing", True)),
    )


def _text(config: object, name: str) -> str:
    value = getattr(config, name, "")
    return value if isinstance(value, str) else ""


def _seconds(config: object, name: str, default: float) -> float:
    value = getattr(config, name, default)
    return float(value) if isinstance(value, (int, float)) else default
