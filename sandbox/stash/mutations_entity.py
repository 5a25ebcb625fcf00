"""Performers, studios, tags and groups: create, change, merge, destroy, with the hooks of each (stash 4.2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from . import hook_payloads
from .core import Context
from .field_resolvers import Info, Resolver, context
from .go_behavior import atoi
from .input_setters import (
    EditError,
    Setter,
    apply,
    custom_fields,
    day,
    first_of_list,
    flag,
    picture,
    plain,
    reference,
    references,
    stash_ids,
    strings,
    sub_groups,
    text,
)
from .model import Group, Performer, Studio, Tag
from .mutations_scene import editing
from .process import CancelledError
from .store import Store
from .table import Table

Given = Mapping[str, Any]


def _tags(store: Store) -> Table[Any]:
    return store.tags


def _texts(names: str) -> dict[str, Setter]:
    return {name: text(name) for name in names.split()}


def _plains(names: str) -> dict[str, Setter]:
    return {name: plain(name) for name in names.split()}


_SHARED: dict[str, Setter] = {
    "name": text("name"),
    "url": first_of_list("urls"),
    "urls": strings("urls"),
    "tag_ids": references("tag_ids", _tags),
    "rating100": plain("rating100"),
    "favorite": flag("favorite"),
    "ignore_auto_tag": flag("ignore_auto_tag"),
    "aliases": strings("aliases"),
    "image": picture("image"),
    "stash_ids": stash_ids,
}
_PERFORMER: dict[str, Setter] = {
    **_SHARED,
    **_texts("disambiguation ethnicity country eye_color hair_color measurements fake_tits career_length"),
    **_texts("tattoos piercings details"),
    **_plains("gender height_cm weight penis_length circumcised"),
    "birthdate": day("birthdate"),
    "death_date": day("death_date"),
    "alias_list": strings("aliases"),
    "custom_fields": custom_fields,
}
_STUDIO: dict[str, Setter] = {
    **_SHARED,
    "details": text("details"),
    "parent_id": reference("parent_id", lambda store: store.studios),
}
_TAG: dict[str, Setter] = {
    **_SHARED,
    **_texts("sort_name description"),
    "parent_ids": references("parent_ids", _tags),
}
_GROUP: dict[str, Setter] = {
    **_texts("name aliases director synopsis"),
    **_plains("duration rating100"),
    "date": day("date"),
    "studio_id": reference("studio_id", lambda store: store.studios),
    "urls": strings("urls"),
    "tag_ids": references("tag_ids", _tags),
    "sub_groups": sub_groups,
    "front_image": picture("image"),
    "back_image": picture("back_image"),
}


@dataclass(frozen=True)
class Entity:
    """One type: its name, trigger prefixes (the deprecated one after the current one) and where it is referenced."""

    word: str
    row: Callable[..., Any]
    table: Callable[[Store], Table[Any]]
    setters: Mapping[str, Setter]
    prefixes: tuple[str, ...]
    inputs: str
    forget: Callable[[Store, int], None]
    same: Callable[[Any], object] | None = field(default=lambda row: row.name)

    def triggers(self, event: str) -> list[str]:
        """Return the hook triggers of an event like ``Create``."""
        return [f"{prefix}.{event}.Post" for prefix in self.prefixes]


def _without(table: Table[Any], attribute: str, number: int) -> None:
    """Remove a reference from every row; ``updated_at`` stays."""
    for row in table:
        value = getattr(row, attribute)
        if isinstance(value, list) and number in value:
            kept: Any = [other for other in value if other != number]
        elif value == number:
            kept = None
        else:
            continue
        table.change(row.id, lambda changed, kept=kept: setattr(changed, attribute, kept))  # type: ignore[misc]  # mypy takes no default in a lambda


def _forget_performer(store: Store, number: int) -> None:
    _without(store.scenes, "performer_ids", number)


def _forget_studio(store: Store, number: int) -> None:
    _without(store.scenes, "studio_id", number)
    _without(store.studios, "parent_id", number)
    _without(store.groups, "studio_id", number)


def _forget_tag(store: Store, number: int) -> None:
    for marker in [marker for marker in store.markers if marker.primary_tag_id == number]:
        store.markers.remove(marker.id)
    for table in (store.scenes, store.performers, store.studios, store.groups, store.markers):
        _without(table, "tag_ids", number)
    _without(store.tags, "parent_ids", number)


def _forget_group(store: Store, number: int) -> None:
    for scene in store.scenes:
        kept = [pair for pair in scene.groups if pair[0] != number]
        if len(kept) != len(scene.groups):
            store.scenes.change(scene.id, lambda row, kept=kept: setattr(row, "groups", kept))  # type: ignore[misc]  # mypy takes no default in a lambda


PERFORMER = Entity(
    "performer",
    Performer,
    lambda store: store.performers,
    _PERFORMER,
    ("Performer",),
    "Performer",
    _forget_performer,
    lambda row: (row.name, row.disambiguation),
)
STUDIO = Entity("studio", Studio, lambda store: store.studios, _STUDIO, ("Studio",), "Studio", _forget_studio)
TAG = Entity("tag", Tag, _tags, _TAG, ("Tag",), "Tag", _forget_tag)
GROUP = Entity(
    "group", Group, lambda store: store.groups, _GROUP, ("Group", "Movie"), "Group", _forget_group, same=None
)


def _checked(entity: Entity, table: Table[Any], row: Any) -> None:
    if not row.name:
        raise EditError(f"{entity.word} name must not be blank")
    if entity.same and any(entity.same(other) == entity.same(row) for other in table if other.id != row.id):
        raise EditError(f"{entity.word} with name '{row.name}' already exists")


def _create(entity: Entity) -> Resolver:
    def resolve(_: None, info: Info, input: Given) -> Any:
        ctx, store = context(info), context(info).store
        table = entity.table(store)
        with store.lock:
            now = store.clock.seconds()
            row = entity.row(table.new_id(), now, now)
            apply(editing(ctx), row, entity.setters, input)
            _checked(entity, table, row)
            table.add(row)
            _set_children(ctx, entity, row.id, input)
        payload = hook_payloads.hook_payload(f"{entity.inputs}CreateInput", input, ctx.core.options.at_least)
        for trigger in entity.triggers("Create"):
            ctx.run_hooks(trigger, row.id, payload)
        return table.get(row.id)

    return resolve


def _existing(ctx: Context, entity: Entity, value: Any) -> int:
    number = atoi(str(value))
    if number not in entity.table(ctx.store):
        raise EditError(f"{entity.word} with id {number} not found")
    return number


def _change(ctx: Context, entity: Entity, number: int, given: Given) -> None:
    table = entity.table(ctx.store)

    def work(row: Any) -> None:
        apply(editing(ctx), row, entity.setters, given)
        _checked(entity, table, row)
        row.updated_at = ctx.store.clock.seconds()

    with ctx.store.lock:
        table.change(number, work)
        _set_children(ctx, entity, number, given)


def _set_children(ctx: Context, entity: Entity, number: int, given: Given) -> None:
    """``child_ids`` of a tag is the other end of its children's ``parent_ids``."""
    if entity is not TAG or "child_ids" not in given:
        return
    children = set(editing(ctx).references(_tags, given["child_ids"], "child ids"))
    for tag in ctx.store.tags:
        others = [parent for parent in tag.parent_ids if parent != number]
        wanted = [*others, number] if tag.id in children else others
        if wanted != tag.parent_ids:
            ctx.store.tags.change(tag.id, lambda row, w=wanted: setattr(row, "parent_ids", w))  # type: ignore[misc]  # mypy takes no default in a lambda


def _update(entity: Entity) -> Resolver:
    def resolve(_: None, info: Info, input: Given) -> Any:
        ctx = context(info)
        number = _existing(ctx, entity, input["id"])
        _change(ctx, entity, number, input)
        payload = hook_payloads.hook_payload(f"{entity.inputs}UpdateInput", input, ctx.core.options.at_least)
        for trigger in entity.triggers("Update"):
            ctx.run_hooks(trigger, number, payload, input)
        return entity.table(ctx.store).get(number)

    return resolve


def _bulk_performer_update(_: None, info: Info, input: Given) -> list[Any]:
    ctx = context(info)
    numbers = [_existing(ctx, PERFORMER, value) for value in input.get("ids") or ()]
    with ctx.store.lock:
        for number in numbers:
            _change(ctx, PERFORMER, number, input)
    payload = hook_payloads.hook_payload("BulkPerformerUpdateInput", input, ctx.core.options.at_least)
    for number in numbers:
        ctx.run_hooks("Performer.Update.Post", number, payload, input)
        if ctx.gone():
            raise CancelledError
    return [row for number in numbers if (row := ctx.store.performers.get(number)) is not None]


def _destroy(entity: Entity) -> Resolver:
    def resolve(_: None, info: Info, input: Given) -> bool:
        ctx = context(info)
        _destroy_all(ctx, entity, [_existing(ctx, entity, input["id"])], {"id": input["id"]})
        return True

    return resolve


def _destroy_several(entity: Entity) -> Resolver:
    def resolve(_: None, info: Info, ids: list[str]) -> bool:
        ctx = context(info)
        _destroy_all(ctx, entity, [_existing(ctx, entity, value) for value in ids], list(ids))
        return True

    return resolve


def _destroy_all(ctx: Context, entity: Entity, numbers: list[int], payload: Any) -> None:
    with ctx.store.lock:
        for number in numbers:
            entity.forget(ctx.store, number)
            entity.table(ctx.store).remove(number)
    for number in numbers:
        for trigger in entity.triggers("Destroy"):
            ctx.run_hooks(trigger, number, payload)


def _tags_merge(_: None, info: Info, input: Given) -> Any:
    """Merge tags: the sources' names become aliases of the destination, which replaces them; ``updated_at`` of scenes
    stays (stash 4.2)."""
    ctx, store = context(info), context(info).store
    destination = _existing(ctx, TAG, input["destination"])
    sources = [_existing(ctx, TAG, value) for value in input["source"]]
    if destination in sources:
        raise EditError("cannot merge tag into itself")
    with store.lock:
        for number in sources:
            for table in (store.scenes, store.performers, store.studios, store.groups, store.markers):
                _replaced(table, number, destination)
            for marker in [marker for marker in store.markers if marker.primary_tag_id == number]:
                store.markers.change(marker.id, lambda row: setattr(row, "primary_tag_id", destination))
            gone = store.tags[number]
            names = [gone.name, *gone.aliases]
            store.tags.change(destination, lambda row, n=names: setattr(row, "aliases", [*row.aliases, *n]))  # type: ignore[misc]  # mypy takes no default in a lambda
            _forget_tag(store, number)
            store.tags.remove(number)
    ctx.run_hooks("Tag.Merge.Post", destination, {"source": list(input["source"]), "destination": input["destination"]})
    return store.tags.get(destination)


def _replaced(table: Table[Any], old: int, new: int) -> None:
    for row in table:
        if old in row.tag_ids:
            tags = list(dict.fromkeys(new if number == old else number for number in row.tag_ids))
            table.change(row.id, lambda changed, tags=tags: setattr(changed, "tag_ids", tags))  # type: ignore[misc]  # mypy takes no default in a lambda


ENTITY_MUTATIONS: dict[str, Resolver] = {
    **{f"{entity.word}Create": _create(entity) for entity in (PERFORMER, STUDIO, TAG, GROUP)},
    **{f"{entity.word}Update": _update(entity) for entity in (PERFORMER, STUDIO, TAG, GROUP)},
    **{f"{entity.word}Destroy": _destroy(entity) for entity in (PERFORMER, STUDIO, TAG, GROUP)},
    **{f"{entity.word}sDestroy": _destroy_several(entity) for entity in (PERFORMER, STUDIO, TAG, GROUP)},
    "bulkPerformerUpdate": _bulk_performer_update,
    "tagsMerge": _tags_merge,
}
