"""A stand-in for a service: ready at once, shows its settings, and ends when MUST_FAIL is set."""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer


class Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(dict(os.environ)).encode())


if "MUST_FAIL" in os.environ:
    sys.exit("cannot go on: MUST_FAIL is set")
print("answering", flush=True)
HTTPServer((os.environ["HTTP_HOST"], int(os.environ["OPS_PORT"])), Answer).serve_forever()
