"""The OpenAPI 3.1 description of the JSON API, for signed-in staff, refusals as they are really answered."""

from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.routing import iter_route_contexts

from api.depends import SignedIn, TheVault
from api.visiting import MINE_COOKIE
from vault.operations.asking import may
from vault.policy.rights import CUSTOMERS_OWN, RIGHTS

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
        "challenge": {
            "type": "object",
            "description": "With 401: the deed takes a proof of presence. Repeat the request with `presence`, by a "
            "code or by this challenge.",
            "required": ["id", "deed", "passkey", "code", "expires_at"],
            "properties": {
                "id": {"type": "string"},
                "deed": {"type": "string", "description": "What is to be proved, in words."},
                "passkey": {
                    "type": ["object", "null"],
                    "description": "PublicKeyCredentialRequestOptionsJSON; null for who has no passkey.",
                },
                "code": {"type": "boolean", "description": "Whether a one-time code does, too."},
                "expires_at": {"type": "string", "format": "date-time"},
            },
        },
    },
}
_REFUSED = {
    "description": "Refused.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
_BEARER = {"type": "http", "scheme": "bearer"}
_SCHEMES = {
    "session": _BEARER | {"description": "The token of a session: vk_ses_…"},
    "token": _BEARER | {"description": "An API token that was made with this scope: vk_api_…"},
    "enrolment": _BEARER | {"description": "The token of an enrolment under way: vk_enr_…"},
    "signature": {
        "type": "apiKey",
        "in": "header",
        "name": "webhook-signature",
        "description": "Of a helpdesk, over id, time and body (Standard Webhooks); Zammad's is X-Hub-Signature.",
    },
    "visit": {
        "type": "apiKey",
        "in": "cookie",
        "name": MINE_COOKIE,
        "description": "The cookie of a customer on their own page.",
    },
}


@router.get("/api/v1/openapi.json", name="description.read", include_in_schema=False)
async def openapi(request: Request, vault: TheVault, actor: SignedIn) -> dict[str, Any]:
    """Describe the JSON API."""
    await vault.read(may, actor, "description.read")
    return describe(request.app)


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI 3.1 document; made once and kept by the application."""
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
        rights = _rights(app)
        for path, methods in document["paths"].items():
            for method, deed in methods.items():
                deed["summary"] = deed["description"].partition("\n")[0]
                answers = {code: said for code, said in deed["responses"].items() if code.startswith("2")}
                deed["responses"] = answers | {"4XX": _REFUSED, "5XX": _REFUSED}
                deed["security"] = _security(rights[path, method.upper()])
        parts = document.setdefault("components", {})
        kept = {n: s for n, s in parts.get("schemas", {}).items() if not n.endswith("ValidationError")}
        parts["schemas"] = kept | {"Problem": _PROBLEM}
        parts["securitySchemes"] = _SCHEMES
        app.openapi_schema = document
    return app.openapi_schema


def _rights(app: FastAPI) -> dict[tuple[str, str], str]:
    """Which right each route names, by path and method."""
    return {
        (str(context.path), method): str(context.name)
        for context in iter_route_contexts(app.routes)
        for method in context.methods or ()
    }


def _security(right: str) -> list[dict[str, list[str]]]:
    if right in {"open", "enrolment"}:
        return [] if right == "open" else [{right: []}]
    if right == "helpdesk.tell":
        return [{"signature": []}]
    if right in CUSTOMERS_OWN:
        return [{"visit": []}]
    scope = RIGHTS[right].scope
    return [{"session": []}, *([{"token": [scope]}] if scope else [])]
