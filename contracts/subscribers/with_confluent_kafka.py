"""Prints what happens to purchases, with confluent-kafka: `KAFKA_BOOTSTRAP_SERVERS=… python FILE`."""

import os
import sys

from confluent_kafka import Consumer

from contracts import PURCHASE_EVENTS, Envelope, read

consumer = Consumer(
    {
        "bootstrap.servers": os.environ["KAFKA_BOOTSTRAP_SERVERS"],
        "group.id": os.environ.get("GROUP_ID", "my-service"),
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
    }
)
consumer.subscribe([PURCHASE_EVENTS.name])
while True:
    message = consumer.poll(1.0)
    if message is None or message.error():
        continue  # the client tries again by itself
    try:
        envelope = Envelope.from_headers(message.headers())
        fact = read(type=envelope.type, value=message.value())
    except ValueError as error:  # no fact, or one of a later version
        print("passed over:", error, file=sys.stderr)
        continue
    print(envelope.id, fact.TYPE, fact.subject, flush=True)  # here: apply it once, by envelope.id
    consumer.commit(message=message, asynchronous=False)
