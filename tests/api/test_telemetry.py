import subprocess
import sys

import pytest

PROGRAM = """
from fastapi import FastAPI
from opentelemetry import trace
from starlette.testclient import TestClient

seen = []

class Recorder(trace.Tracer):
    def start_span(self, name, *args, **kwargs):
        seen.append(name)
        return trace.INVALID_SPAN

    def start_as_current_span(self, name, *args, **kwargs):
        seen.append(name)
        return trace.use_span(trace.INVALID_SPAN)

class Provider(trace.TracerProvider):
    def get_tracer(self, *args, **kwargs):
        return Recorder()

trace.set_tracer_provider(Provider())

plain = FastAPI()

@plain.get("/thing")
async def thing():
    return {}

assert TestClient(plain).get("/thing").status_code == 200
assert seen, "the recorder does not record, so this test shows nothing"
seen.clear()

from api.serve_intake import create_alone
from vault.settings import Settings

class Nowhere:
    async def ask(self, message):
        raise AssertionError

app = create_alone(Nowhere(), Settings())
client = TestClient(app, base_url="http://localhost")
assert client.get("/healthz").status_code == 200
assert client.get("/give/").status_code == 200
assert client.post("/give/begin", json={"code": 7}).status_code == 422
print("spans:", len(seen))
"""


@pytest.mark.attack("DP01")
def test_no_telemetry_sees_a_path_or_a_body_even_when_a_provider_is_set() -> None:
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.stdout.strip() == "spans: 0", run.stderr
