"""A short hash of what would be pushed, images aside: where it differs from the last push, the scene is stale. Pure."""

from __future__ import annotations

import hashlib
import json

from metadata.desired_state import ORDERED_TAGS, DesiredState
from metadata.text import tag_key


def fingerprint(desired: DesiredState) -> str:
    """Sixteen hex digits: the same for two wishes that Plex would show the same way.

    Tags count as Plex compares them, their order only where it shows (actors). Fields that are not wished for differ
    from empty ones.
    """
    tags = {
        kind: [tag_key(name) for name in names] if kind in ORDERED_TAGS else sorted(map(tag_key, names))
        for kind, names in desired.tags.items()
    }
    rating = [desired.rating] if desired.has_rating else []
    pushed = [desired.scalars, tags, rating, sorted(desired.partial)]
    return hashlib.sha256(json.dumps(pushed, sort_keys=True).encode()).hexdigest()[:16]
