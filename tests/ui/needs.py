"""What the tests of the page need that not every machine has: Playwright, a Chromium, and the host page's libraries."""

from __future__ import annotations

import importlib.util
import os
import shutil
from functools import lru_cache

from sandbox import hostpage

PLACES = ("/usr/bin/chromium", "/usr/bin/chromium-browser")


@lru_cache(maxsize=1)
def wanting() -> str | None:
    """Why the page cannot be tested here, or None. Builds the host page where that was not done yet."""
    if importlib.util.find_spec("playwright") is None:
        return "Playwright is not installed (requirements-ui.txt)"
    if chromium() is None:
        return "there is no Chromium ($CHROMIUM, or Debian's package chromium)"
    try:
        hostpage.build()
    except hostpage.NotBuilt as problem:
        return str(problem)
    return None


def chromium() -> str | None:
    """The browser's path."""
    named = os.environ.get("CHROMIUM")
    return next((place for place in ([named] if named else PLACES) if shutil.which(place)), None)
