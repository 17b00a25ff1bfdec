"""`python -m sandbox.make_topics`: makes on `KAFKA_BOOTSTRAP_SERVERS` the topics of the contracts, and ends."""

import argparse
import asyncio
import os
import sys

from contracts.topics import ALL_TOPICS
from sandbox.topics import create_topics


def main() -> int:
    bootstrap = os.environ.get("KAFKA_BOOTSTRAP_SERVERS")
    if not bootstrap:
        print("KAFKA_BOOTSTRAP_SERVERS says which Kafka", file=sys.stderr)
        return 2
    asyncio.run(create_topics(bootstrap, ALL_TOPICS, within=60))
    for topic in ALL_TOPICS:
        print(f"{topic.name}: {topic.partitions} partitions, {topic.cleanup_policy}")
    return 0


if __name__ == "__main__":
    argparse.ArgumentParser(prog="python -m sandbox.make_topics", description=__doc__).parse_args()
    sys.exit(main())
