"""Prints what happens to purchases, with aiokafka: `KAFKA_BOOTSTRAP_SERVERS=… python FILE`."""

import asyncio
import os
import sys

from aiokafka import AIOKafkaConsumer

from contracts import PURCHASE_EVENTS, Envelope, read


async def main() -> None:
    async with AIOKafkaConsumer(
        PURCHASE_EVENTS.name,
        bootstrap_servers=os.environ["KAFKA_BOOTSTRAP_SERVERS"],
        group_id=os.environ.get("GROUP_ID", "my-service"),
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    ) as consumer:
        async for record in consumer:
            try:
                envelope = Envelope.from_headers(record.headers)
                fact = read(type=envelope.type, value=record.value)
            except ValueError as error:  # no fact, or one of a later version
                print("passed over:", error, file=sys.stderr)
                continue
            print(envelope.id, fact.TYPE, fact.subject, flush=True)  # here: apply it once, by envelope.id
            await consumer.commit()


if __name__ == "__main__":
    asyncio.run(main())
