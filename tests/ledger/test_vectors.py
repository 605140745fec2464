"""The tree's verifier against vectors that nobody here wrote."""

import json
from base64 import b64decode
from pathlib import Path

import pytest

from vault.ledger.verify import NotVerified, verify_consistency, verify_inclusion

VECTORS = Path(__file__).parents[3] / "shared" / "vectors" / "merkle"

pytestmark = [
    pytest.mark.promise("P6"),
    pytest.mark.skipif(not VECTORS.is_dir(), reason="the shared vectors are not beside this checkout"),
]


def vectors(kind: str) -> list[dict]:
    return [json.loads(path.read_text()) for path in sorted((VECTORS / kind).rglob("*.json"))]


def hashes(vector: dict) -> list[bytes]:
    return [b64decode(part or "") for part in vector["proof"] or ()]


def refuses(check, *arguments) -> bool:
    try:
        check(*arguments)
    except NotVerified:
        return True
    return False


def test_every_inclusion_vector_behaves_as_it_says():
    found = vectors("inclusion")
    assert (len(found), sum(not vector["wantErr"] for vector in found)) == (98, 6)
    for vector in found:
        refused = refuses(
            verify_inclusion,
            vector["leafIdx"],
            vector["treeSize"],
            b64decode(vector["leafHash"] or ""),
            hashes(vector),
            b64decode(vector["root"] or ""),
        )
        assert refused is vector["wantErr"], vector["desc"]


def test_every_consistency_vector_behaves_as_it_says():
    found = vectors("consistency")
    assert (len(found), sum(not vector["wantErr"] for vector in found)) == (98, 6)
    for vector in found:
        refused = refuses(
            verify_consistency,
            vector["size1"],
            vector["size2"],
            b64decode(vector["root1"] or ""),
            b64decode(vector["root2"] or ""),
            hashes(vector),
        )
        assert refused is vector["wantErr"], vector["desc"]
