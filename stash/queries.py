"""Every query and mutation the plugin sends to Stash. A test validates all of them against two recorded schemas."""

from __future__ import annotations

from collections.abc import Iterable

# Part of each batch, so that a changed setting applies from the next job on.
SETTINGS_FIELDS = 'configuration { plugins(include: ["Stash2Plex"]) general { apiKey } } plugins { id enabled }'
# A query of its own: a Stash that does not know the field must not refuse the rest.
CONFIG_FILE = "query ConfigFile { configuration { general { configFilePath } } }"
SETTINGS = f"query Settings {{ {SETTINGS_FIELDS} }}"

# The fields of a scene that a write to Plex needs, and no others.
SCENE_FIELDS = """id title code details director date rating100 organized updated_at
files { id path basename size duration }
paths { screenshot }
studio { id name parent_studio { id name } }
performers { id name disambiguation }
tags { id name }
groups { group { id name } }
stash_ids { stash_id }"""

# The fields that the quality gate needs before a scene is queued.
QUALITY_GATE_FIELDS = "id updated_at details date studio { id } performers { id } tags { id }"

SCENES_PAGE = f"""query ScenesAfter($after: Int!, $filter: FindFilterType, $since: TimestampCriterionInput) {{
  findScenes(filter: $filter, scene_filter: {{ id: {{ value: $after, modifier: GREATER_THAN }}, updated_at: $since}}) {{
    scenes {{ {QUALITY_GATE_FIELDS} }}
  }}
}}"""
SCENES_COUNT = """query CountScenes($since: TimestampCriterionInput) {
  findScenes(filter: { per_page: 0 }, scene_filter: { updated_at: $since }) { count }
}"""

# Names are compared here and not by Stash, whose EQUALS has wildcards and ignores case in ASCII only (stash 7.3).
TAG_NAMES = "query TagNames { findTags(filter: { per_page: -1 }) { tags { id name } } }"

# For the health check: the version, the library folders, and the paths of the newest files.
HEALTH = """query Health($newest: FindFilterType) {
  version { version }
  configuration { general { stashes { path } } }
  findScenes(filter: $newest) { count scenes { files { path } } }
}"""

# Replaces all of the plugin's settings (stash 5).
CONFIGURE = 'mutation Configure($input: Map!) { configurePlugin(plugin_id: "Stash2Plex", input: $input) }'

RUN_OPERATION = 'mutation Say($args: Map) { runPluginOperation(plugin_id: "Stash2Plex", args: $args) }'


def batch_query(scene_ids: Iterable[int]) -> str:
    """Return one query for many scenes and the settings.

    A scene that does not exist is null under its alias, not an error (stash 7.3).
    """
    aliases = "\n".join(f"s{scene_id:d}: findScene(id: {scene_id:d}) {{ ...S }}" for scene_id in scene_ids)
    fragment = f"\nfragment S on Scene {{ {SCENE_FIELDS} }}" if aliases else ""
    return f"query Batch {{ {aliases} {SETTINGS_FIELDS} }}{fragment}"


def tag_descendants_query(tag_ids: Iterable[int]) -> str:
    """Return one query for all tags below each of the given tags, under an alias for each."""
    aliases = "\n".join(
        f"t{tag_id:d}: findTags(filter: {{ per_page: -1 }}, "
        f"tag_filter: {{ parents: {{ value: [{tag_id:d}], modifier: INCLUDES, depth: -1 }} }}) {{ tags {{ id name }} }}"
        for tag_id in tag_ids
    )
    return f"query Descendants {{ {aliases} }}"


def scene_ids_query(count: int) -> str:
    """Return one query for the ids of ``count`` pages of scenes, each with its own alias and filter."""
    filters = ", ".join(f"$w{number:d}: SceneFilterType" for number in range(count))
    aliases = "\n".join(
        f"w{number:d}: findScenes(filter: $page, scene_filter: $w{number:d}) {{ scenes {{ id }} }}"
        for number in range(count)
    )
    return f"query ScenesOf($page: FindFilterType, {filters}) {{ {aliases} }}"


def all_documents() -> dict[str, str]:
    """Return all documents by name, for validation."""
    return {
        "settings": SETTINGS,
        "config file": CONFIG_FILE,
        "scenes page": SCENES_PAGE,
        "scenes count": SCENES_COUNT,
        "tag names": TAG_NAMES,
        "descendants": tag_descendants_query([1, 2]),
        "scenes of": scene_ids_query(2),
        "health": HEALTH,
        "configure": CONFIGURE,
        "run operation": RUN_OPERATION,
        "batch": batch_query([1, 2]),
        "empty batch": batch_query([]),
    }
