"""The API's documentation for people, at `/docs`: Swagger UI, served by ourselves under a policy that fits it."""

import base64
import hashlib
import re
from pathlib import Path
from typing import Final

import fastapi_offline
from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.staticfiles import StaticFiles
from starlette.responses import HTMLResponse, Response

PATH: Final = "/docs"
DOCUMENT: Final = "/openapi.json"
FILES: Final = "/static-offline-docs"
_FOLDER: Final = Path(fastapi_offline.__file__).parent / "static"
_SCRIPT: Final = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def install_docs(app: FastAPI) -> None:
    """Add the page and its files to `app`, which serves its document at DOCUMENT. Nothing is asked of anybody else."""
    page = get_swagger_ui_html(
        openapi_url=DOCUMENT,
        title=f"{app.title} - Swagger UI",
        swagger_js_url=f"{FILES}/swagger-ui-bundle.js",
        swagger_css_url=f"{FILES}/swagger-ui.css",
        swagger_favicon_url=f"{FILES}/favicon.png",
    )
    html = bytes(page.body).decode()
    headers = {"Content-Security-Policy": policy_for(html)}
    app.mount(FILES, StaticFiles(directory=_FOLDER), name="static-offline-docs")

    @app.get(PATH, include_in_schema=False)
    async def docs() -> Response:
        return HTMLResponse(html, headers=headers)


def policy_for(html: str) -> str:
    """Of its inline scripts those that are in it now, by their digests. Swagger UI styles and draws by itself."""
    digests = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in _SCRIPT.findall(html))
    scripts = " ".join(("script-src 'self'", *(f"'sha256-{digest}'" for digest in digests)))
    return "; ".join(
        (
            "default-src 'none'",
            scripts,
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )
