"""What aiokafka cannot read is read record by record, in time that grows with the batch and not with its square."""

from typing import Final

from aiokafka.record.default_records import DefaultRecordBatch, _DefaultRecordBatchBuilderPy

from chassis.kafka.every_record import _records

MANY: Final = 120_000


def batch_with_a_bad_first_record(count: int) -> bytes:
    builder = _DefaultRecordBatchBuilderPy(
        magic=2,
        compression_type=0,
        is_transactional=0,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=64 << 20,
    )
    for offset in range(count):
        name = "name" if offset == 0 else "other"
        builder.append(offset, timestamp=1, key=b"k", value=b"v" * 40, headers=[(name, b"")])
    return bytes(builder.build()).replace(b"name", b"n\xffme", 1)


def test_a_large_batch_with_one_bad_header_name_is_read_to_its_end() -> None:
    """A copy of the batch for each record would take hours, in which the process answers nobody."""
    data = batch_with_a_bad_first_record(MANY)

    read = list(_records(DefaultRecordBatch(data), lambda: data))

    assert [record.offset for record in read] == list(range(MANY))
