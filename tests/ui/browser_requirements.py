"""What the browser tests need beyond Python: Playwright, Chromium, and the libraries of the host page.

``python -m tests.ui.browser_requirements`` fails with one sentence if something is missing.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from functools import lru_cache

from sandbox import hostpage

# Set to 1 to leave the browser tests out on a machine that lacks what they need.
WITHOUT_BROWSER = "STASH2PLEX_WITHOUT_BROWSER"
CHROMIUM_PATHS = ("/usr/bin/chromium", "/usr/bin/chromium-browser")


def is_browser_excluded() -> bool:
    """Return whether the environment asks to leave the browser tests out."""
    return os.environ.get(WITHOUT_BROWSER) == "1"


@lru_cache(maxsize=1)
def missing_requirement() -> str | None:
    """Return what is missing, as a clause, or None. Build the host page if necessary."""
    if importlib.util.find_spec("playwright") is None:
        return "Playwright is not installed (pip install -r requirements-ui.txt)"
    if chromium_path() is None:
        return "Chromium was not found (install the package chromium, or set CHROMIUM to its path)"
    try:
        hostpage.build()
    except hostpage.NotBuilt as error:
        return f"the host page could not be built ({error})"
    return None


def chromium_path() -> str | None:
    """Return the path of the browser."""
    configured = os.environ.get("CHROMIUM")
    return next((path for path in ([configured] if configured else CHROMIUM_PATHS) if shutil.which(path)), None)


if __name__ == "__main__":
    missing = None if is_browser_excluded() else missing_requirement()
    sys.exit(missing and f"The page cannot be tested, because {missing}; {WITHOUT_BROWSER}=1 leaves these tests out.")
