"""The packages that a release brings along in ``lib/``, and those that are installed, which a checkout uses.

Not on the hook's path, which needs none of them.
"""

from __future__ import annotations

import os
import sys

FOLDER = "lib"


def use(plugin_dir: str) -> None:
    """Have imports look into ``lib/``, behind the plugin itself and before all that is installed: what was tested
    together runs together. Once is as good as twice."""
    if sys.flags.no_site and "site" not in sys.modules:
        # The manifest starts Python without looking for installed packages, which no hook needs.
        import site

        site.main()
    path = os.path.join(plugin_dir, FOLDER)
    if path not in sys.path and os.path.isdir(path):
        sys.path.insert(1, path)
