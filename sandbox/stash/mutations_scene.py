"""The mutations of scenes: the change, then the hooks that the real server runs (stash 4.2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from . import hook_payloads
from .core import Context
from .field_resolvers import Info, Resolver, context
from .go_behavior import atoi
from .images import generated_cover
from .input_setters import BULK_SCENE, SCENE, Edit, EditError, Setter, apply
from .model import Scene
from .process import CancelledError

Given = Mapping[str, Any]


def editing(ctx: Context) -> Edit:
    """Return the context of a change of rows."""
    return Edit(ctx.store, partial_dates=ctx.core.options.at_least >= (0, 30))


def _scene_id(ctx: Context, value: Any) -> int:
    number = atoi(str(value))
    if number not in ctx.store.scenes:
        raise EditError(f"scene with id {number} not found")
    return number


def _change(ctx: Context, number: int, setters: Mapping[str, Setter], given: Given, now: str) -> Scene:
    edit = editing(ctx)

    def work(scene: Scene) -> None:
        apply(edit, scene, setters, given)
        scene.updated_at = now

    return ctx.store.scenes.change(number, work)


def change_all(ctx: Context, changes: Sequence[tuple[int, Given]], setters: Mapping[str, Setter]) -> None:
    """Change several scenes in one transaction: an error leaves all as they were."""
    store = ctx.store
    with store.lock:
        now = store.clock.seconds()
        before = [store.scenes[number] for number, _ in changes]
        try:
            for number, given in changes:
                _change(ctx, number, setters, given, now)
        except Exception:  # raised again: Stash rolls back after any error
            for row in before:
                store.scenes.put_back(row)
            raise


def _after_hook(ctx: Context, number: int) -> Scene | None:
    """Return the scene after its hooks; a request whose client has disconnected ends here (stash 2.5)."""
    if ctx.gone():
        raise CancelledError
    return ctx.store.scenes.get(number)


def _scene_update(_: None, info: Info, input: Given) -> Scene | None:
    ctx = context(info)
    number = _scene_id(ctx, input["id"])
    change_all(ctx, [(number, input)], SCENE)
    payload = hook_payloads.hook_payload("SceneUpdateInput", input, ctx.core.options.at_least)
    ctx.run_hooks("Scene.Update.Post", number, payload, input)
    return _after_hook(ctx, number)


def _scenes_update(_: None, info: Info, input: list[Given]) -> list[Scene | None]:
    ctx = context(info)
    numbers = [_scene_id(ctx, item["id"]) for item in input]
    change_all(ctx, list(zip(numbers, input, strict=True)), SCENE)
    payload = [hook_payloads.hook_payload("SceneUpdateInput", item, ctx.core.options.at_least) for item in input]
    found: list[Scene | None] = []
    for number, item in zip(numbers, input, strict=True):
        ctx.run_hooks("Scene.Update.Post", number, payload, item)
        found.append(_after_hook(ctx, number))
    return found


def _bulk_scene_update(_: None, info: Info, input: Given) -> list[Scene]:
    ctx = context(info)
    numbers = [_scene_id(ctx, value) for value in input.get("ids") or ()]
    change_all(ctx, [(number, input) for number in numbers], BULK_SCENE)
    payload = hook_payloads.hook_payload("BulkSceneUpdateInput", input, ctx.core.options.at_least)
    found: list[Scene] = []
    for number in numbers:
        ctx.run_hooks("Scene.Update.Post", number, payload, input)
        scene = _after_hook(ctx, number)
        if scene is not None:
            found.append(scene)
    return found


def _scene_create(_: None, info: Info, input: Given) -> Scene:
    ctx, store = context(info), context(info).store
    files = [atoi(str(value)) for value in input.get("file_ids") or ()]
    if not files and not (input.get("title") or "").strip():
        raise EditError("title must be set if scene has no files")
    if any(number not in store.files for number in files):
        raise EditError("FOREIGN KEY constraint failed")
    with store.lock:
        now = store.clock.seconds()
        scene = Scene(store.scenes.new_id(), now, now, file_ids=files)
        apply(editing(ctx), scene, SCENE, input)
        store.scenes.add(scene)
    ctx.run_hooks("Scene.Create.Post", scene.id, None)
    return store.scenes.get(scene.id) or scene


def _scene_merge(_: None, info: Info, input: Given) -> Scene | None:
    """Move the sources' files, markers and (if requested) histories; no hook (stash 4.2)."""
    ctx = context(info)
    merge_scenes(
        ctx,
        [_scene_id(ctx, value) for value in input["source"]],
        _scene_id(ctx, input["destination"]),
        input.get("values") or {},
        plays=bool(input.get("play_history")),
        o_counts=bool(input.get("o_history")),
    )
    return ctx.store.scenes.get(atoi(str(input["destination"])))


def merge_scenes(
    ctx: Context, sources: Iterable[int], destination: int, values: Given, *, plays: bool, o_counts: bool
) -> None:
    """Merge scenes into another one. Raise EditError."""
    store = ctx.store
    numbers = [number for number in dict.fromkeys(sources) if number != destination]
    if not numbers:
        raise EditError("cannot merge scene into itself")
    with store.lock:
        merged = [store.scenes[number] for number in numbers]

        def take(scene: Scene) -> None:
            scene.file_ids = [*scene.file_ids, *(number for other in merged for number in other.file_ids)]
            if plays:
                scene.play_history = sorted(sum((o.play_history for o in merged), scene.play_history), reverse=True)
            if o_counts:
                scene.o_history = sorted(sum((o.o_history for o in merged), scene.o_history), reverse=True)
            apply(editing(ctx), scene, SCENE, {key: value for key, value in values.items() if key != "id"})
            scene.updated_at = store.clock.seconds()

        store.scenes.change(destination, take)
        for number in numbers:
            store.scenes.remove(number)
        for marker in store.markers:
            if marker.scene_id in numbers:
                store.markers.change(marker.id, lambda row: setattr(row, "scene_id", destination))


def _scene_destroy(_: None, info: Info, input: Given) -> bool:
    ctx = context(info)
    _destroy(ctx, [_scene_id(ctx, input["id"])], input, "id delete_file delete_generated")
    return True


def _scenes_destroy(_: None, info: Info, input: Given) -> bool:
    ctx = context(info)
    _destroy(ctx, [_scene_id(ctx, value) for value in input["ids"]], input, "ids delete_file delete_generated")
    return True


def _destroy(ctx: Context, numbers: Sequence[int], given: Given, names: str) -> None:
    """Commit once, then run a hook for each scene; nothing is read in between, so every hook is started (stash 2.5)."""
    gone = [remove_scene(ctx, number) for number in numbers]
    for scene, path in gone:
        ctx.run_hooks(
            "Scene.Destroy.Post",
            scene.id,
            hook_payloads.destroy_payload(given, names, ctx.store.oshash_of(scene), path),
        )


def remove_scene(ctx: Context, number: int) -> tuple[Scene, str]:
    """Remove a scene and its markers. Return it and the path of its primary file (``""`` without)."""
    store = ctx.store
    with store.lock:
        scene = store.scenes.remove(number)
        for marker in [marker for marker in store.markers if marker.scene_id == number]:
            store.markers.remove(marker.id)
    return scene, next(iter(store.paths_of(scene)), "")


def _history(attribute: str, *, add: bool) -> Resolver:
    """Change play and o counts: no hook, ``updated_at`` stays (stash 4.2)."""

    def resolve(_: None, info: Info, id: str, times: list[str] | None = None) -> dict[str, Any]:
        ctx = context(info)
        number, clock = _scene_id(ctx, id), ctx.store.clock
        moments = [clock.timestamp(text) for text in times or ()]

        def work(scene: Scene) -> None:
            history = list(getattr(scene, attribute))
            if add:
                history += moments or [clock.timestamp("<0s")]
            else:
                for moment in moments or history[:1]:
                    if moment in history:
                        history.remove(moment)
            setattr(scene, attribute, sorted(history, reverse=True))

        with ctx.store.lock:
            scene = ctx.store.scenes.change(number, work)
        found = getattr(scene, attribute)
        return {"count": len(found), "history": found}

    return resolve


def _save_activity(
    _: None,
    info: Info,
    id: str,
    resume_time: float | None = None,
    playDuration: float | None = None,  # noqa: N803 - as Stash spells it
) -> bool:
    def work(scene: Scene) -> None:
        scene.resume_time = scene.resume_time if resume_time is None else resume_time
        scene.play_duration += playDuration or 0.0

    return _quietly(context(info), id, work)


def _reset_activity(
    _: None, info: Info, id: str, reset_resume: bool | None = None, reset_duration: bool | None = None
) -> bool:
    def work(scene: Scene) -> None:
        scene.resume_time = 0.0 if reset_resume else scene.resume_time
        scene.play_duration = 0.0 if reset_duration else scene.play_duration

    return _quietly(context(info), id, work)


def _quietly(ctx: Context, id: str, work: Any) -> bool:
    with ctx.store.lock:
        ctx.store.scenes.change(_scene_id(ctx, id), work)
    return True


def _generate_screenshot(_: None, info: Info, id: str, at: float | None = None) -> str:
    """Generate a cover in a job, which changes ``updated_at`` and runs no hook (stash 4.2)."""
    ctx = context(info)
    number = _scene_id(ctx, id)

    def work(scene: Scene) -> None:
        scene.cover = generated_cover(scene.id, at or 0.0)
        scene.updated_at = ctx.store.clock.seconds()

    def job(_: Any) -> None:
        with ctx.store.lock:
            ctx.store.scenes.change(number, work)

    ctx.core.jobs.add(f"Generating screenshot for scene id {number}", job)
    return "todo"


def _assign_file(_: None, info: Info, input: Given) -> bool:
    """Reassign a file; no hook, ``updated_at`` stays (stash 4.2)."""
    ctx, store = context(info), context(info).store
    number, file = _scene_id(ctx, input["scene_id"]), atoi(str(input["file_id"]))
    if file not in store.files:
        raise EditError(f"file with id {file} not found")
    with store.lock:
        for other in store.scenes_of_file(file):
            store.scenes.change(other.id, lambda row: setattr(row, "file_ids", [n for n in row.file_ids if n != file]))
        store.scenes.change(number, lambda row: setattr(row, "file_ids", [*row.file_ids, file]))
    return True


def _delete_files(_: None, info: Info, ids: list[str]) -> bool:
    """Delete secondary files; no hook, ``updated_at`` stays (stash 4.2)."""
    store = context(info).store
    numbers = [atoi(value) for value in ids]
    with store.lock:
        for number in numbers:
            if number not in store.files:
                raise EditError(f"file with id {number} not found")
            if any(scene.file_ids[0] == number for scene in store.scenes_of_file(number)):
                raise EditError(f"cannot delete primary file {store.path(store.files[number])}")
        for number in numbers:
            for scene in store.scenes_of_file(number):
                kept = [other for other in scene.file_ids if other != number]
                store.scenes.change(scene.id, lambda row, kept=kept: setattr(row, "file_ids", kept))  # type: ignore[misc]  # mypy takes no default in a lambda
            store.files.remove(number)
    return True


SCENE_MUTATIONS: dict[str, Resolver] = {
    "sceneUpdate": _scene_update,
    "scenesUpdate": _scenes_update,
    "bulkSceneUpdate": _bulk_scene_update,
    "sceneCreate": _scene_create,
    "sceneMerge": _scene_merge,
    "sceneDestroy": _scene_destroy,
    "scenesDestroy": _scenes_destroy,
    "sceneAddPlay": _history("play_history", add=True),
    "sceneDeletePlay": _history("play_history", add=False),
    "sceneAddO": _history("o_history", add=True),
    "sceneDeleteO": _history("o_history", add=False),
    "sceneSaveActivity": _save_activity,
    "sceneResetActivity": _reset_activity,
    "sceneGenerateScreenshot": _generate_screenshot,
    "sceneAssignFile": _assign_file,
    "deleteFiles": _delete_files,
}
