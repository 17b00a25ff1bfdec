"""`python -m webhook_gateway` runs the service."""

from chassis.process import run
from webhook_gateway.main import main

run(main)
