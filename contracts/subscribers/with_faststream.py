"""Prints what happens to purchases, with FastStream: `KAFKA_BOOTSTRAP_SERVERS=… python FILE`."""

import asyncio
import os
import sys

from faststream import AckPolicy, FastStream
from faststream.kafka import KafkaBroker, KafkaMessage

from contracts import PURCHASE_EVENTS, Envelope, read

broker = KafkaBroker(os.environ["KAFKA_BOOTSTRAP_SERVERS"])


@broker.subscriber(
    PURCHASE_EVENTS.name,
    group_id=os.environ.get("GROUP_ID", "my-service"),
    auto_offset_reset="earliest",
    ack_policy=AckPolicy.NACK_ON_ERROR,  # FastStream's default commits first: a crash would lose the fact
)
async def on_purchase(message: KafkaMessage) -> None:
    try:
        envelope = Envelope.from_headers(message.headers)
        fact = read(type=envelope.type, value=message.body)  # not the argument that FastStream decodes: the bytes
    except ValueError as error:  # no fact, or one of a later version
        print("passed over:", error, file=sys.stderr)
        return
    print(envelope.id, fact.TYPE, fact.subject, flush=True)  # here: apply it once, by envelope.id


if __name__ == "__main__":
    asyncio.run(FastStream(broker).run())
