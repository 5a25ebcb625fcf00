"""A reproducible zip (the same files give the same bytes) and the source index that Stash reads."""

from __future__ import annotations

import hashlib
import io
import json
import time
import zipfile
from collections.abc import Mapping

from release.manifest import DESCRIPTION, VERSION
from settings.table import PLUGIN_ID

# Stash unpacks files with the modes in the zip (stash 1.5).
_MODE = 0o100644
_UNIX = 3


def pack(files: Mapping[str, bytes], released_at: int) -> bytes:
    """Return a zip of ``files``: sorted, readable by every user, and all with the release's time (epoch seconds, UTC).

    With a time that never changed, Python could use the compiled code of an older release for a file of the same size
    if a user unpacks the zip by hand.
    """
    date = time.gmtime(released_at)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, (date[0], date[1], date[2], date[3], date[4], date[5]))
            entry.create_system = _UNIX
            entry.external_attr = _MODE << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, files[name])
    return packed.getvalue()


def index(packed: bytes, released_at: int) -> str:
    """Return the source index in the layout that Stash parses (stash 1.5). Only ``date`` decides about updates."""
    return "\n".join(
        (
            f"- id: {PLUGIN_ID}",
            f"  name: {PLUGIN_ID}",
            f"  version: {VERSION}",
            f"  date: {time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime(released_at))}",
            f"  path: {PLUGIN_ID}.zip",
            f"  sha256: {hashlib.sha256(packed).hexdigest()}",
            "  metadata:",
            f"    description: {json.dumps(DESCRIPTION)}",
            "",
        )
    )
