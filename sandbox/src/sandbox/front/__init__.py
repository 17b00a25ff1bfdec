"""The one origin of the pages: a reverse proxy in front of catalog and purchases, with nothing of the API behind it."""
