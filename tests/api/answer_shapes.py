"""What the answers of the operations look like (docs/operations.md), to hold them to."""

from __future__ import annotations

from typing import Any

NUMBER = (int, float)
MAYBE_NUMBER = (int, float, type(None))
MAYBE_TEXT = (str, type(None))


class Maybe:
    """A shape, or null."""

    def __init__(self, shape: Any) -> None:
        self.shape = shape


class Each:
    """An object whose values all have a shape, whatever their names."""

    def __init__(self, shape: Any) -> None:
        self.shape = shape


CANDIDATE = {
    "rating_key": int,
    "section": int,
    "library": MAYBE_TEXT,
    "title": str,
    "path": str,
    "size": (int, type(None)),
    "duration": MAYBE_NUMBER,
    "reasons": [str],
}
RUN = {"at": NUMBER, "scope": str, "checked": int, "found": int, "queued": int, "error": MAYBE_TEXT}
EVENT = {"id": int, "at": NUMBER, "kind": str, "scene_id": (int, type(None)), "detail": str}
SERVER = {"name": MAYBE_TEXT, "version": MAYBE_TEXT, "machine": MAYBE_TEXT}

SHAPES: dict[str, Any] = {
    "status": {
        "server": SERVER,
        "queue": {"waiting": int, "in_flight": int},
        "writing": [int],
        "in_step": int,
        "needs_you": int,
        "newest_letter": MAYBE_NUMBER,
        "attention": MAYBE_TEXT,
        "drainer": {
            "state": MAYBE_TEXT,
            "reason": MAYBE_TEXT,
            "since": MAYBE_NUMBER,
            "alive": bool,
            "breaker": MAYBE_TEXT,
            "written": int,
            "rate": MAYBE_NUMBER,
            "left": MAYBE_NUMBER,
        },
        "outage": Maybe({"began": NUMBER, "reason": str, "waiting": int}),
        "compared": Maybe({"when": NUMBER, "scope": str, "complete": bool}),
        "last_full": MAYBE_NUMBER,
        "next_run": MAYBE_NUMBER,
        "enabled": bool,
        "moving": bool,
        "now": NUMBER,
        "plex_web_url": MAYBE_TEXT,
        "show_marks": bool,
    },
    "attention": {
        "groups": [{"cause": str, "what_to_do": str, "count": int, "kind": str, "by_itself": bool}],
        "rows": [
            {
                "id": str,
                "kind": str,
                "cause": str,
                "scene_id": (int, type(None)),
                "title": str,
                "path": str,
                "message": str,
                "attempts": int,
                "first_at": NUMBER,
                "last_at": NUMBER,
                "pictures": bool,
                "candidates": [CANDIDATE],
                "files": [{"path": str, "size": (int, type(None)), "duration": MAYBE_NUMBER}],
            }
        ],
        "old": int,
        "folders": [{"folder": str, "count": int, "rule": MAYBE_TEXT}],
        "next": (int, type(None)),
    },
    "history": {
        "buckets": [{"at": NUMBER, "written": int, "unchanged": int, "failed": int}],
        "outages": [{"began": NUMBER, "ended": MAYBE_NUMBER, "reason": str, "waiting": int}],
        "reconciliations": [RUN],
        "events": [EVENT],
        "next": (int, type(None)),
    },
    "paths": {
        "rules": [{"here": str, "there": str, "used": (bool, type(None))}],
        "learned": [{"stash": str, "plex": str, "files": int, "rule": MAYBE_TEXT}],
    },
    "sections": {
        "server": SERVER,
        "sections": [{"key": int, "name": str, "type": str, "usable": bool, "chosen": bool, "folders": [str]}],
        "all_chosen": bool,
        "missing": [str],
    },
    "health": {
        "healthy": bool,
        "checks": [{"check": str, "ok": (bool, type(None)), "finding": str, "advice": str}],
    },
    "scene": {
        "now": NUMBER,
        "machine": MAYBE_TEXT,
        "plex_web_url": MAYBE_TEXT,
        "show_marks": bool,
        "scenes": Each(
            {
                "state": str,
                "verdict": MAYBE_TEXT,
                "reason": str,
                "at": MAYBE_NUMBER,
                "items": [
                    {"rating_key": int, "section": int, "library": MAYBE_TEXT, "path": str, "proof": str},
                ],
                "waiting": Maybe({"since": NUMBER, "next": MAYBE_NUMBER, "error": MAYBE_TEXT, "for_file": bool}),
                "bound": (int, type(None)),
                "refused": int,
            }
        ),
    },
    "retry": {"queued": int},
    "discard": {"discarded": int},
    "bind": {"bound": int},
    "refuse": {"refused": [int]},
    "unbind": {"unbound": bool, "can_give_back": bool},
    "sync_now": {"queued": int},
}


def check_answer(mode: str, answer: Any) -> None:
    """Fails the test where an answer is not as the contract says; one with an error may hold nothing else."""
    assert answer["version"] == 1
    if "error" in answer:
        assert isinstance(answer["error"], str)
        assert len(answer["error"].splitlines()) == 1
        return
    if mode in SHAPES:
        _check(mode, {"version": int, **SHAPES[mode]}, answer)


def _check(where: str, shape: Any, value: Any) -> None:
    if isinstance(shape, Maybe):
        if value is not None:
            _check(where, shape.shape, value)
    elif isinstance(shape, Each):
        for name, one in value.items():
            _check(f"{where}.{name}", shape.shape, one)
    elif isinstance(shape, dict):
        assert sorted(value) == sorted(shape), where
        for name, inner in shape.items():
            _check(f"{where}.{name}", inner, value[name])
    elif isinstance(shape, list):
        assert isinstance(value, list), where
        assert len(value) <= 200, where
        for one in value:
            _check(f"{where}[]", shape[0], one)
    else:
        kinds = shape if isinstance(shape, tuple) else (shape,)
        assert isinstance(value, kinds), f"{where}: {value!r}"
        assert bool in kinds or not isinstance(value, bool), f"{where}: {value!r}"
