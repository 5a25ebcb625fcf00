"""Makes third-party packages importable: those of a release in ``lib/``, or the installed ones for a checkout.

Hooks do not need any and do not call this.
"""

from __future__ import annotations

import os
import sys

PACKAGES_DIR = "lib"


def add_to_path(plugin_dir: str) -> None:
    """Put ``lib/`` on the import path: after the plugin itself and before installed packages, so that the versions that
    were tested together run together. Calling it twice is harmless."""
    if sys.flags.no_site and "site" not in sys.modules:
        # The manifest starts Python with -S, because hooks need no installed packages.
        import site

        site.main()
    path = os.path.join(plugin_dir, PACKAGES_DIR)
    if path not in sys.path and os.path.isdir(path):
        sys.path.insert(1, path)
