"""Read what happened in Stash from a hook's context (stash 2.2, 4.3).

Contract: :func:`read_document` (from text, by SQLite) and :func:`event_of` (from decoded JSON) return the same event
for the same context; tests hold them together. SQLite reads a document in less time than it takes to import the json
module, and a hook has SQLite open anyway (libraries A7, the benchmark row "hook").
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class HookEvent:
    """One hook. ``id`` is that of its scene, performer, ..., or None if the context names none; ``fields`` are those
    that ``inputFields`` lists; ``given``: it carries input (a scan carries none); ``many``: it was one of several."""

    __slots__ = ("fields", "given", "id", "kind", "many")

    def __init__(self, kind: object, id: int | None, fields: list[str], *, given: bool, many: bool) -> None:
        self.kind = kind
        self.id = id
        self.fields = fields
        self.given = given
        self.many = many


def event_of(hook_context: Mapping[str, object]) -> HookEvent:
    """Return the event of a hook context that was decoded already."""
    given = hook_context.get("input")
    from_input = given.get("id") if isinstance(given, dict) else None
    ids = given.get("ids") if isinstance(given, dict) else given
    listed = hook_context.get("inputFields")
    fields = [name for name in listed if isinstance(name, str)] if isinstance(listed, list) else []
    return HookEvent(
        hook_context.get("type"),
        _id(hook_context.get("id"), from_input),
        fields,
        given=given is not None,
        many=isinstance(ids, list) and len(ids) > 1,
    )


_READ = """SELECT json_type(:d,'$.args.hookContext'),
    json_extract(:d,'$.args.hookContext.type'),
    CASE json_type(:d,'$.args.hookContext.id') WHEN 'true' THEN NULL ELSE json_extract(:d,'$.args.hookContext.id') END,
    CASE json_type(:d,'$.args.hookContext.input.id') WHEN 'true' THEN NULL
        ELSE json_extract(:d,'$.args.hookContext.input.id') END,
    COALESCE(json_type(:d,'$.args.hookContext.input'), 'null'),
    COALESCE(json_array_length(:d,'$.args.hookContext.input.ids'), json_array_length(:d,'$.args.hookContext.input'), 0),
    json_extract(:d,'$.server_connection'),
    json_extract(:d,'$.server_connection.Dir'),
    json_extract(:d,'$.server_connection.Port')"""
_FIELDS = """SELECT value FROM json_each(:d,'$.args.hookContext.inputFields')
    WHERE type = 'text' AND json_type(:d,'$.args.hookContext.inputFields') = 'array'"""


def read_document(document: str) -> tuple[HookEvent, str, dict[str, object]]:
    """Return the event of a document from Stash, its connection as JSON text, and of that ``Dir`` and ``Port``.

    Raise sqlite3.Error if the text is not JSON (or this SQLite has no JSON functions), ValueError if it holds no
    hook context.
    """
    from _sqlite3 import connect

    db = connect(":memory:")
    try:
        context, kind, number, from_input, input_type, many, connection, directory, port = db.execute(
            _READ, {"d": document}
        ).fetchone()
        if context != "object":
            raise ValueError("args.hookContext must be an object")
        fields = [row[0] for row in db.execute(_FIELDS, {"d": document})]
    finally:
        db.close()
    event = HookEvent(kind, _id(number, from_input), fields, given=input_type != "null", many=many > 1)
    return event, connection or "{}", {"Dir": directory, "Port": port}


def _id(*candidates: object) -> int | None:
    for value in candidates:
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
        if isinstance(value, str) and value.isdecimal() and int(value) > 0:
            return int(value)
    return None
