"""The mutations of scene markers; the scene itself stays unchanged (stash 4.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import hook_payloads
from .field_resolvers import Info, Resolver, context
from .go_behavior import atoi
from .input_setters import MARKER, EditError, apply
from .model import Marker
from .mutations_scene import editing

Given = Mapping[str, Any]


def _marker_create(_: None, info: Info, input: Given) -> Marker:
    ctx, store = context(info), context(info).store
    with store.lock:
        now = store.clock.seconds()
        marker = Marker(store.markers.new_id(), now, now)
        apply(editing(ctx), marker, MARKER, input)
        store.markers.add(marker)
    payload = hook_payloads.hook_payload("SceneMarkerCreateInput", input, ctx.core.options.at_least)
    ctx.run_hooks("SceneMarker.Create.Post", marker.id, payload)
    return marker


def _marker_update(_: None, info: Info, input: Given) -> Marker:
    ctx, store = context(info), context(info).store
    number = atoi(str(input["id"]))
    if number not in store.markers:
        raise EditError(f"scene marker with id {number} not found")

    def work(marker: Marker) -> None:
        apply(editing(ctx), marker, MARKER, input)
        marker.updated_at = store.clock.seconds()

    with store.lock:
        marker = store.markers.change(number, work)
    payload = hook_payloads.hook_payload("SceneMarkerUpdateInput", input, ctx.core.options.at_least)
    ctx.run_hooks("SceneMarker.Update.Post", number, payload, input)
    return marker


def _marker_destroy(_: None, info: Info, id: str) -> bool:
    ctx, store = context(info), context(info).store
    number = atoi(id)
    if number not in store.markers:
        raise EditError(f"scene marker with id {number} not found")
    with store.lock:
        store.markers.remove(number)
    ctx.run_hooks("SceneMarker.Destroy.Post", number, [id])
    return True


MARKER_MUTATIONS: dict[str, Resolver] = {
    "sceneMarkerCreate": _marker_create,
    "sceneMarkerUpdate": _marker_update,
    "sceneMarkerDestroy": _marker_destroy,
}
