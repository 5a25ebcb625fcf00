"""Queue one job for an edited performer, studio, tag or group; the worker expands it into its scenes.

Loaded for such events only: a scene's save does not pay for it.
"""

from __future__ import annotations

import time

from common.job_rows import PRIORITY_SCAN, entity_key, entity_row, new_entity_job
from hooks.handlers import say, say_unaffected
from sync_queue.writer import QueueWriter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from common.protocols import JobSink

_ANY = "id ids clientMutationId url urls rating100 details aliases tag_ids"
_PICTURED = f"{_ANY} image stash_ids favorite ignore_auto_tag"

# Fields that change nothing Plex shows of any scene. Everything else may: name, disambiguation, the parent of a studio
# or tag, and whatever a later Stash brings.
_WITHOUT_EFFECT = {
    "performer": f"{_PICTURED} gender birthdate death_date ethnicity country eye_color hair_color height height_cm "
    "weight measurements fake_tits penis_length circumcised career_length tattoos piercings alias_list twitter "
    "instagram custom_fields",
    "studio": _PICTURED,
    "tag": f"{_PICTURED} description sort_name",
    "group": f"{_ANY} duration date studio_id director synopsis containing_groups sub_groups front_image back_image",
}


def concerns_scenes(kind: str, fields: Collection[str]) -> bool:
    """Return whether an update of a performer, studio, tag or group may change what Plex shows of its scenes.

    ``fields`` are those the hook's ``inputFields`` lists; none listed (a merge) is True.
    """
    return not fields or not set(_WITHOUT_EFFECT[kind].split()).issuperset(fields)


def on_entity_update(
    kind: str, entity_id: int, fields: Collection[str], queue: Callable[[], QueueWriter | JobSink]
) -> bool:
    """Queue a performer, studio, tag or group whose scenes may differ now; return whether a job was queued.

    ``queue`` returns a QueueWriter or anything with ``put``; it is called only if there is something to queue.
    Raise what the queue raises.
    """
    if not concerns_scenes(kind, fields):
        say_unaffected(kind.capitalize(), entity_id)
        return False
    where, now = queue(), time.time()
    # Behind the save of a single scene: the scenes that follow are bulk work.
    if isinstance(where, QueueWriter):
        added = where.fold(entity_row(kind, entity_id, priority=PRIORITY_SCAN, now=now), entity_key(kind, entity_id))
    else:
        from sync_queue.operations import put_job

        added = put_job(where, new_entity_job(kind, entity_id, priority=PRIORITY_SCAN, now=now))
    if not added:
        say("debug", f"{kind.capitalize()} {entity_id} already in queue, skipping duplicate")
    return True
