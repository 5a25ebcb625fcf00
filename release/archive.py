"""A zip that is the same, byte for byte, whenever and wherever the same files go into it; and the list Stash reads."""

from __future__ import annotations

import hashlib
import io
import json
import time
import zipfile
from collections.abc import Mapping

from release.manifest import DESCRIPTION, VERSION
from settings.table import PLUGIN_ID

# Stash writes files with the modes that stand in the zip (stash 1.5).
_MODE = 0o100644
_UNIX = 3


def pack(files: Mapping[str, bytes], moment: int) -> bytes:
    """A zip of ``files``: sorted, readable by everybody, and all of one time (epoch seconds, UTC).

    The time is the release's: one that never changed would have Python take compiled code of an older release for that
    of a file of the same size, where somebody unpacks the zip by hand.
    """
    date = time.gmtime(moment)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, (date[0], date[1], date[2], date[3], date[4], date[5]))
            entry.create_system = _UNIX
            entry.external_attr = _MODE << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, files[name])
    return packed.getvalue()


def index(packed: bytes, moment: int) -> str:
    """The source index: one item, in the layout that Stash parses (stash 1.5). ``date`` alone decides on updates."""
    return "\n".join(
        (
            f"- id: {PLUGIN_ID}",
            f"  name: {PLUGIN_ID}",
            f"  version: {VERSION}",
            f"  date: {time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime(moment))}",
            f"  path: {PLUGIN_ID}.zip",
            f"  sha256: {hashlib.sha256(packed).hexdigest()}",
            "  metadata:",
            f"    description: {json.dumps(DESCRIPTION)}",
            "",
        )
    )
