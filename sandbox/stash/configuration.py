"""The answers of the ``configuration`` query (stash 5 and 7.5)."""

from __future__ import annotations

from typing import Any

from .core import CONFIG, Context
from .field_resolvers import Info
from .go_behavior import sorted_map


def configuration(ctx: Context) -> dict[str, Any]:
    """Return the server's settings as the API shows them."""
    return {
        "general": _general(ctx),
        "interface": {
            "cssEnabled": False,
            "javascriptEnabled": False,
            "customLocalesEnabled": False,
            "language": "en-GB",
        },
        "dlna": {
            "serverName": "stash",
            "enabled": False,
            "port": 1338,
            "whitelistedIPs": [],
            "interfaces": [],
            "videoSortOrder": "title",
        },
        "scraping": {
            "scraperUserAgent": "",
            "scraperCDPPath": "",
            "scraperCertCheck": True,
            "excludeTagPatterns": [],
        },
        "defaults": {"deleteFile": False, "deleteGenerated": True},
        "ui": {},
        "plugins": _plugins,
    }


def _plugins(info: Info, include: list[str] | None = None) -> dict[str, Any]:
    """Return stored settings; plugins without any are absent (stash 5). An empty list asks for all."""
    settings = info.context.core.plugins.settings
    found: dict[str, Any] = sorted_map({name: settings[name] for name in settings if not include or name in include})
    return found


def _general(ctx: Context) -> dict[str, Any]:
    options, sessions = ctx.core.options, ctx.core.sessions
    folder = options.config_dir
    roots = sorted({row.path for row in ctx.store.folders if row.parent_id is None})
    return {
        "stashes": [{"path": path, "excludeVideo": False, "excludeImage": False} for path in roots],
        "databasePath": str(folder / "stash-go.sqlite"),
        "generatedPath": str(folder / "generated"),
        "metadataPath": str(folder / "metadata"),
        "configFilePath": str(folder / CONFIG),
        "scrapersPath": str(folder / "scrapers"),
        "pluginsPath": str(folder / "plugins"),
        "cachePath": str(folder / "cache"),
        "blobsPath": str(folder / "blobs"),
        "calculateMD5": False,
        "videoFileNamingAlgorithm": "OSHASH",
        "parallelTasks": options.parallel_tasks,
        "apiKey": sessions.api_key,
        "username": sessions.username,
        "password": sessions.password,
        "maxSessionAge": int(sessions.max_age),
        "logFile": "",
        "logOut": True,
        "logLevel": "Info",
        "logAccess": True,
        "videoExtensions": ["m4v", "mp4", "mov", "wmv", "avi", "mpg", "mpeg", "mkv", "webm", "flv", "ts"],
        "imageExtensions": ["png", "jpg", "jpeg", "gif", "webp", "avif"],
        "galleryExtensions": ["zip", "cbz"],
        "excludes": [],
        "imageExcludes": [],
        "stashBoxes": [],
        "pythonPath": options.python,
    }
