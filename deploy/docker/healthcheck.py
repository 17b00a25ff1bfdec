"""`python healthcheck.py [URL]`: exit 0 where it answers with 200; a service's own /livez by default."""

import os
import sys
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

url = sys.argv[1] if len(sys.argv) > 1 else f"http://127.0.0.1:{os.environ.get('OPS_PORT', '9000')}/livez"
try:
    build_opener(ProxyHandler({})).open(url, timeout=2.5).close()
except (URLError, OSError, ValueError) as error:
    sys.exit(f"{url}: {error}")
