"""How many records a topic holds: the distance of its partitions' ends from their beginnings."""

from aiokafka import AIOKafkaConsumer, TopicPartition

from contracts.topics import Topic


async def records_on(bootstrap: str, topic: Topic) -> int:
    """Exact, as long as nobody writes transactions and nothing has been compacted."""
    partitions = [TopicPartition(topic.name, number) for number in range(topic.partitions)]
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap) as consumer:
        first = await consumer.beginning_offsets(partitions)
        ends = await consumer.end_offsets(partitions)
    return sum(int(ends[one]) - int(first[one]) for one in partitions)
