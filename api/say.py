"""``say``: the drainer's words in Stash's own log; this process has it on standard error, the drainer has not."""

from __future__ import annotations

from typing import Any

from api.context import Context
from common import stash_log
from common.errors import UserError

MOST = 50
_SPEAK = {"info": stash_log.info, "warning": stash_log.warning, "error": stash_log.error}


def say(context: Context) -> dict[str, Any]:
    """Log ``lines``, a list of [level, text]; level is info, warning or error. Raises UserError for anything else."""
    lines = context.args.get("lines")
    if not isinstance(lines, list):
        raise UserError("say takes lines, a list of [level, text]")
    said = 0
    for line in lines[:MOST]:
        match line:
            case [str(level), str(text)] if level in _SPEAK:
                _SPEAK[level](text[:2000])
                said += 1
            case _:
                raise UserError(f"A line is [info, warning or error, text], not {str(line)[:80]}")
    return {"said": said}
