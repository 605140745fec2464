"""The OpenAPI 3.1 description of the JSON API, for signed-in staff, refusals as they are really answered."""

from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi

from api.depends import SignedIn

router = APIRouter()

_PROBLEM = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457. What was sent is never repeated in it.",
    "required": ["type", "title", "status", "detail", "hint"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "A sentence for people."},
        "hint": {"type": "string", "description": "What to do next; may be empty."},
        "pointer": {
            "type": "string",
            "format": "json-pointer",
            "description": "The field at fault (RFC 6901).",
        },
    },
}
_REFUSED = {
    "description": "Refused.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
_OPEN = {("/api/v1/session", "post"), ("/healthz", "get"), ("/readyz", "get")}


@router.get("/api/v1/openapi.json", name="description.read", include_in_schema=False)
async def openapi(request: Request, _actor: SignedIn) -> dict[str, Any]:
    """Describe the JSON API."""
    return describe(request.app)


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI 3.1 document; made once and kept by the application."""
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
        for path, methods in document["paths"].items():
            for method, deed in methods.items():
                answers = {code: said for code, said in deed["responses"].items() if code.startswith("2")}
                deed["responses"] = answers | {"4XX": _REFUSED, "5XX": _REFUSED}
                deed["security"] = [] if (path, method) in _OPEN else [{"session": []}]
        parts = document.setdefault("components", {})
        kept = {n: s for n, s in parts.get("schemas", {}).items() if not n.endswith("ValidationError")}
        parts["schemas"] = kept | {"Problem": _PROBLEM}
        parts["securitySchemes"] = {"session": {"type": "http", "scheme": "bearer"}}
        app.openapi_schema = document
    return app.openapi_schema
