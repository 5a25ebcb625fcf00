"""Operation ``say``: log the worker's lines. Stash reads the standard error of this process, not the worker's."""

from __future__ import annotations

from api.context import Context
from common import stash_log
from common.errors import UserError

MAX_LINES = 50
MAX_LINE_CHARS = 2000
_LOG_BY_LEVEL = {"info": stash_log.info, "warning": stash_log.warning, "error": stash_log.error}


def say(context: Context) -> dict[str, object]:
    """Log ``lines``, a list of [level, text]; level is info, warning or error. Raise UserError for anything else."""
    lines = context.args.get("lines")
    if not isinstance(lines, list):
        raise UserError("say takes lines, a list of [level, text]")
    said = 0
    for line in lines[:MAX_LINES]:
        match line:
            case [str(level), str(text)] if level in _LOG_BY_LEVEL:
                _LOG_BY_LEVEL[level](text[:MAX_LINE_CHARS])
                said += 1
            case _:
                raise UserError(f"A line is [info, warning or error, text], not {str(line)[:80]}")
    return {"said": said}
