"""One FastAPI route that returns given bytes: what the catalog's list is held against.

`python -m tests.bench.bare_route --port PORT --file FILE --etag ETAG`
"""

import argparse
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Response


def app(body: bytes, etag: str) -> FastAPI:
    """The same bytes and headers as the catalog's."""
    bare = FastAPI()
    headers = {"ETag": etag, "Cache-Control": "public, max-age=0, must-revalidate"}

    @bare.get("/v1/addons")
    async def addons() -> Response:
        return Response(body, media_type="application/json", headers=headers)

    return bare


def main() -> None:
    """Serve until it is stopped."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--file", type=Path, required=True)
    parser.add_argument("--etag", required=True)
    given = parser.parse_args()
    served = app(given.file.read_bytes(), given.etag)
    uvicorn.run(served, port=given.port, http="httptools", loop="uvloop", access_log=False, log_level="warning")


if __name__ == "__main__":
    main()
