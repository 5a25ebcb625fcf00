"""Mutations of the server: plugins, jobs, the API key."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from .field_resolvers import Info, Resolver, context
from .go_behavior import atoi, decoded_as_any


class PanicError(Exception):
    """The server's error after a nil pointer (stash 7.1)."""

    detail = "runtime error: invalid memory address or nil pointer dereference"

    def __init__(self) -> None:
        super().__init__(f"Internal system error. Error <{self.detail}>")


class OperationError(Exception):
    """The error of an operation's process; it may be empty."""


def _configure_plugin(_: None, info: Info, plugin_id: str, input: Mapping[str, Any]) -> dict[str, Any]:
    return context(info).core.configure_plugin(plugin_id, input)


def _set_plugins_enabled(_: None, info: Info, enabledMap: Mapping[str, bool]) -> bool:  # noqa: N803
    context(info).core.enable_plugins(enabledMap)
    return True


def _reload_plugins(_: None, info: Info) -> bool:
    context(info).core.plugins.reload()
    return True


def _run_plugin_task(
    _: None,
    info: Info,
    plugin_id: str,
    task_name: str | None = None,
    description: str | None = None,
    args: list[Mapping[str, Any]] | None = None,
    args_map: Mapping[str, Any] | None = None,
) -> int:
    ctx = context(info)
    given = dict(args_map) if args_map is not None else {item["key"]: _plain(item.get("value")) for item in args or ()}
    return ctx.core.queue_task(ctx.caller, plugin_id, task_name, description or task_name or plugin_id, given).id


def _plain(value: Mapping[str, Any] | None) -> Any:
    """Return the value of a PluginValueInput."""
    for name in ("str", "i", "b", "f"):
        if value and value.get(name) is not None:
            return value[name]
    if value and value.get("o") is not None:
        return {item["key"]: _plain(item.get("value")) for item in value["o"]}
    if value and value.get("a") is not None:
        return [_plain(item) for item in value["a"]]
    return None


def _run_plugin_operation(_: None, info: Info, plugin_id: str, args: Mapping[str, Any] | None = None) -> Any:
    ctx = context(info)
    plugins = ctx.core.plugins
    if plugin_id in plugins.disabled:
        raise OperationError(f"plugin {plugin_id} is disabled")
    manifest = plugins.get(plugin_id)
    if manifest is None:
        raise PanicError
    record = plugins.run_operation(manifest, args or {}, ctx.caller)
    if record.error is not None:
        raise OperationError(record.error)
    return decoded_as_any(record.output)


def _stop_job(_: None, info: Info, job_id: str) -> bool:
    context(info).core.jobs.stop(atoi(job_id))
    return True


def _stop_all_jobs(_: None, info: Info) -> bool:
    context(info).core.jobs.stop_all()
    return True


def _generate_api_key(_: None, info: Info, input: Mapping[str, Any]) -> str:
    sessions = context(info).core.sessions
    sessions.api_key = "" if input.get("clear") else secrets.token_urlsafe(48)
    return sessions.api_key


SERVER_MUTATIONS: dict[str, Resolver] = {
    "configurePlugin": _configure_plugin,
    "setPluginsEnabled": _set_plugins_enabled,
    "reloadPlugins": _reload_plugins,
    "runPluginTask": _run_plugin_task,
    "runPluginOperation": _run_plugin_operation,
    "stopJob": _stop_job,
    "stopAllJobs": _stop_all_jobs,
    "generateAPIKey": _generate_api_key,
}
