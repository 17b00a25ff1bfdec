"""`python healthcheck.py [URL]`: exit 0 where it answers with 200; a service's own /livez by default."""

import argparse
import os
import sys
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

parser = argparse.ArgumentParser(prog="healthcheck.py", description=__doc__)
parser.add_argument("url", nargs="?", default=f"http://127.0.0.1:{os.environ.get('OPS_PORT', '9000')}/livez")
url = parser.parse_args().url
try:
    build_opener(ProxyHandler({})).open(url, timeout=2.5).close()
except (URLError, OSError, ValueError) as error:
    sys.exit(f"{url}: {error}")
