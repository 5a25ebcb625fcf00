"""The packages that a release brings along in ``lib/``. A checkout has none, and uses what is installed.

Not on the hook's path, which needs none of them.
"""

from __future__ import annotations

import os
import sys

FOLDER = "lib"


def use(plugin_dir: str) -> None:
    """Have imports look into ``lib/``, behind the plugin itself and before all that is installed: what was tested
    together runs together."""
    path = os.path.join(plugin_dir, FOLDER)
    if path not in sys.path and os.path.isdir(path):
        sys.path.insert(1, path)
