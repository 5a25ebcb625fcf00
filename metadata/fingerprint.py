"""The fingerprint of a desired state, without pictures: if it differs from the last write, the scene is stale. Pure."""

from __future__ import annotations

import hashlib
import json

from metadata.desired_state import ORDERED_TAGS, DesiredState
from metadata.text import tag_key


def fingerprint(desired: DesiredState) -> str:
    """Return sixteen hex digits, the same for two desired states that Plex would show the same way.

    Tags count as Plex compares them, their order only if Plex shows it (actors). An absent field differs from an empty
    one.
    """
    tags = {
        kind: [tag_key(name) for name in names] if kind in ORDERED_TAGS else sorted(map(tag_key, names))
        for kind, names in desired.tags.items()
    }
    rating = [desired.rating] if desired.has_rating else []
    parts = [desired.scalars, tags, rating, sorted(desired.partial)]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
