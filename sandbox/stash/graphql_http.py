"""GraphQL over HTTP as gqlgen does it: content types, status codes, form and text of errors (stash 7.1)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    execute,
    parse,
    validate,
)
from graphql.language import FragmentDefinitionNode, SelectionSetNode

from ..http import Request, Response
from .core import Context
from .go_behavior import go_decode_error, go_json
from .mutations_server import PanicError
from .schema import build
from .variables import VariableError, coerced_variables

_PLAIN = "application/json"
_NEW = "application/graphql-response+json"
_never_awaitable: Any = lambda _: False  # noqa: E731 (typed as the executor wants it)


class WireError(Exception):
    """A request that is not executed: status and errors of the answer."""

    def __init__(self, errors: list[dict[str, Any]], status: int | None = None) -> None:
        super().__init__(errors[0]["message"])
        self.errors, self.status = errors, status


@dataclass(frozen=True)
class ParsedRequest:
    """A query that can be executed."""

    document: DocumentNode
    operation: OperationDefinitionNode
    variables: dict[str, Any]

    @property
    def fields(self) -> list[str]:
        """The names of the root fields without aliases."""
        fragments = {d.name.value: d for d in self.document.definitions if isinstance(d, FragmentDefinitionNode)}
        return list(dict.fromkeys(_names(self.operation.selection_set, fragments)))


def _names(selections: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode]) -> list[str]:
    found: list[str] = []
    for node in selections.selections:
        if isinstance(node, FieldNode):
            found.append(node.name.value)
        elif isinstance(node, InlineFragmentNode):
            found += _names(node.selection_set, fragments)
        elif isinstance(node, FragmentSpreadNode):
            found += _names(fragments[node.name.value].selection_set, fragments)
    return found


def media_type(request: Request, version: tuple[int, ...]) -> str:
    """Return the content type of the answer: old servers ignore Accept, newer ones read ``*/*`` as the new type."""
    accept = request.header("accept") or ""
    if version < (0, 29) or not accept.strip():
        return _PLAIN
    for part in accept.split(","):
        wanted = part.partition(";")[0].strip()
        if wanted in (_PLAIN, "application/*"):
            return _PLAIN
        if wanted in (_NEW, "*/*"):
            return _NEW
    return _PLAIN


def parse_request(request: Request, version: tuple[int, ...]) -> ParsedRequest:
    """Parse a request. Raise :class:`WireError` with the server's words."""
    if request.method == "GET":
        query = dict(request.query)
        body: Any = {"query": query.get("query", ""), "operationName": query.get("operationName")}
        body["variables"] = _json(query.get("variables") or "null")
    elif request.method == "POST" and (request.header("content-type") or "").partition(";")[0].strip() == _PLAIN:
        body = _json(request.body.decode("utf-8", "replace"))
    else:
        raise WireError([{"message": "transport not supported"}], 400)
    asked = _asked(build(version), body if isinstance(body, dict) else {})
    if request.method == "GET" and asked.operation.operation.value != "query":
        raise WireError([{"message": "GET requests only allow query operations"}], 406)
    return asked


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        message = f"json request body could not be decoded: {go_decode_error(error)} body:{text}"
        raise WireError([{"message": message}], 400) from error


def _asked(schema: GraphQLSchema, body: Mapping[str, Any]) -> ParsedRequest:
    document, problems = _document(schema, str(body.get("query") or ""))
    if problems:
        raise WireError(problems)
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    name = body.get("operationName")
    chosen = [node for node in operations if not name or (node.name and node.name.value == name)]
    if not operations:
        raise WireError([_invalid("no operation provided")])
    if not chosen or (len(chosen) > 1 and not name):
        raise WireError([_invalid(f"operation {name or ''} not found")])
    try:
        variables = coerced_variables(schema, chosen[0], body.get("variables") or {})
    except VariableError as error:
        raise WireError([{**_invalid(str(error)), "path": error.path}]) from error
    return ParsedRequest(document, chosen[0], variables)


def _invalid(message: str, code: str = "GRAPHQL_VALIDATION_FAILED") -> dict[str, Any]:
    return {"message": message, "extensions": {"code": code}}


@lru_cache(maxsize=256)
def _document(schema: GraphQLSchema, query: str) -> tuple[DocumentNode, list[dict[str, Any]]]:
    """Return the parsed query and its errors, both cached because queries repeat."""
    if not re.sub(r"#.*|[\s,\ufeff]", "", query):
        return DocumentNode(definitions=()), []
    try:
        document = parse(query)
    except GraphQLError as error:
        return DocumentNode(definitions=()), [_located(error, _parser_words(error.message), "GRAPHQL_PARSE_FAILED")]
    errors = validate(schema, document)
    return document, [_located(e, e.message.replace("'", '"'), "GRAPHQL_VALIDATION_FAILED") for e in errors]


def _parser_words(message: str) -> str:
    words = message.removeprefix("Syntax Error: ").rstrip(".")
    words = re.sub(r"(Name|Int|Float|String) '?\"?([^'\"]*)'?\"?", r'\1 "\2"', words) if "found" in words else words
    return re.sub(r"'([^'\w]+)'", r"\1", words).replace("'", '"')


def _located(error: GraphQLError, message: str, code: str) -> dict[str, Any]:
    places = [{"line": place.line, "column": place.column} for place in error.locations or ()]
    return {"message": message, **({"locations": places[-1:]} if places else {}), "extensions": {"code": code}}


def answer(ctx: Context, asked: ParsedRequest, kind: str) -> Response:
    """Execute a query and answer it; errors of resolvers become ``errors`` with status 200."""
    version = ctx.core.options.at_least
    outcome = execute(
        build(version),
        asked.document,
        context_value=ctx,
        variable_values=asked.variables,
        operation_name=asked.operation.name.value if asked.operation.name else None,
        is_awaitable=_never_awaitable,
    )
    errors = [_resolver_error(ctx, error) for error in getattr(outcome, "errors", None) or ()]
    body = {**({"errors": errors} if errors else {}), "data": getattr(outcome, "data", None)}
    return _response(200, kind, body)


def _resolver_error(ctx: Context, error: GraphQLError) -> dict[str, Any]:
    cause = error.original_error
    message = str(cause) if cause is not None else error.message
    path = list(error.path or ())
    if isinstance(cause, PanicError):
        ctx.core.log.write("Error", cause.detail)
    name = path[0] if path else ""
    ctx.core.log.write("Error", f"{name}: input: {'.'.join(map(str, path))} {message}")
    return {"message": message, **({"path": path} if path else {})}


def refused(error: WireError, kind: str) -> Response:
    """Return the answer to a refused request: 422, or 400 for the newer content type or unreadable JSON."""
    if str(error) == "transport not supported":
        kind = "text/plain; charset=utf-8"
    status = error.status or (400 if kind == _NEW else 422)
    return _response(status, kind, {"errors": error.errors, "data": None})


def resolver_fault(message: str, asked: ParsedRequest, kind: str) -> Response:
    """Return an answer in which every root field fails with ``message``, as for a locked database."""
    errors = [{"message": message, "path": [name]} for name in asked.fields]
    return _response(200, kind, {"errors": errors, "data": None})


def _response(status: int, kind: str, body: Any) -> Response:
    return Response(status, go_json(body), [("Cache-Control", "no-store"), ("Content-Type", kind)])
