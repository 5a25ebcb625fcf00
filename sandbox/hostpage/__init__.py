"""A small page around the simulated Stash, with the libraries and the PluginApi of Stash's own page.

``python -m sandbox.hostpage`` downloads the libraries with npm and bundles them, once, into the user's cache directory.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCES = ("package.json", "main.js", "api.js", "settings.js", "scenes.js", "host.css")
# The files of a bundle: the first is loaded before the plugins, the second is the page around them.
PRODUCTS = ("host.js", "host.css")
_NPM_TIMEOUT_S = 300.0


class NotBuilt(Exception):
    """The host page is missing; the message says why in one sentence."""


def bundle_directory() -> Path:
    """Return the directory of the bundle for exactly these sources, which need not exist.

    It is never below the checkout: npm packages contain .yml files, and Stash takes each of them for a plugin.
    """
    words = b"\0".join((HERE / name).read_bytes() for name in SOURCES)
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(cache) / "stash2plex" / f"hostpage-{hashlib.sha256(words).hexdigest()[:12]}"


def built() -> Path | None:
    """Return the bundle's directory, or None if it has not been built."""
    folder = bundle_directory()
    return folder if all((folder / name).is_file() for name in PRODUCTS) else None


def build() -> Path:
    """Return the bundle's directory, building it if needed. Raise NotBuilt."""
    folder = built()
    if folder is not None:
        return folder
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise NotBuilt("Node and npm are not installed")
    folder = bundle_directory()
    build_folder = folder.with_name(f"{folder.name}-{os.getpid()}")
    try:
        _make(npm, build_folder)
        for product in PRODUCTS:
            folder.mkdir(parents=True, exist_ok=True)
            os.replace(build_folder / "out" / product, folder / product)
    except subprocess.CalledProcessError as error:
        last = (error.stderr or error.stdout or "").strip().splitlines()[-1:] or ["no reason given"]
        raise NotBuilt(f"npm could not fetch or bundle the libraries: {last[0]}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotBuilt(f"npm could not fetch or bundle the libraries: {error}") from error
    finally:
        shutil.rmtree(build_folder, ignore_errors=True)
    return folder


def _make(npm: str, build_folder: Path) -> None:
    build_folder.mkdir(parents=True)
    for name in SOURCES:
        shutil.copy(HERE / name, build_folder / name)
    _run([npm, "install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"], build_folder)
    # Keep React's warnings: the tests treat a line in the console as an error.
    options = ["--bundle", "--format=iife", "--minify", "--loader:.js=jsx", "--target=es2019", "--log-level=error"]
    options += ['--define:process.env.NODE_ENV="development"', "--outfile=out/host.js"]
    _run([str(build_folder / "node_modules/.bin/esbuild"), "main.js", *options], build_folder)


def _run(command: list[str], folder: Path) -> None:
    subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, timeout=_NPM_TIMEOUT_S)
