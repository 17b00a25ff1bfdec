"""The alerts of deploy/observability: by promtool, and on the running product; `make alerts`."""
