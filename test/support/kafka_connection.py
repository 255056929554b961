"""A connection that sends the bytes of Kafka's protocol as a test writes them, for what no client library would send."""

import socket
import struct
import time

from kafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder

PRODUCE, FETCH, METADATA, JOIN_GROUP, HEARTBEAT, SYNC_GROUP, API_VERSIONS, DELETE_RECORDS, INIT_PRODUCER_ID = 0, 1, 3, 11, 12, 14, 18, 21, 22
CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}


def string(text):
    return struct.pack(">h", -1) if text is None else struct.pack(">h", len(text.encode())) + text.encode()


def sized(content):
    return struct.pack(">i", len(content)) + content


def array(items):
    return struct.pack(">i", len(items)) + b"".join(items)


def request(api, version, body, correlation_id=1):
    """With its length, and header version 1."""
    return sized(struct.pack(">hhi", api, version, correlation_id) + string("raw") + body)


def batch(*values, key=None, producer=(-1, -1, -1)):
    """A record batch without compression. `producer`: of an idempotent one, its id, epoch and the batch's first sequence number.

    Its messages are of now: retention removes what is old.
    """
    time_ms = int(time.time() * 1000)
    builder = DefaultRecordBatchBuilder(2, 0, 0, *producer, 1 << 20)
    for offset, value in enumerate(values):
        builder.append(offset, time_ms, key, value, [])
    return bytes(builder.build())


def produce_body(topic, batches, acks=-1, timeout_ms=20_000):
    """`batches`: of each partition, by its index."""
    partitions = array([struct.pack(">i", index) + sized(content) for index, content in batches.items()])
    return string(None) + struct.pack(">hi", acks, timeout_ms) + array([string(topic) + partitions])


def fetch_body(topic, offset=0, partition=0, max_wait_ms=0, min_bytes=1, partition_max_bytes=1 << 20):
    """Of version 11."""
    wanted = struct.pack(">iiqqi", partition, -1, offset, -1, partition_max_bytes)
    return struct.pack(">iiiibii", -1, max_wait_ms, min_bytes, 1 << 20, 0, 0, -1) + array([string(topic) + array([wanted])]) + array([]) + string("")


def join_body(group, session_timeout_ms=30_000, member=""):
    """Of version 2."""
    return string(group) + struct.pack(">ii", session_timeout_ms, 30_000) + string(member) + string("consumer") + array([string("range") + sized(b"")])


def joined(response):
    """Of a JoinGroup response of version 2: (error, generation, member)."""
    reader = Reader(response)
    _, error, generation = reader.take("ihi")
    reader.string()
    reader.string()
    return error, generation, reader.string()


class Reader:
    """Takes the fields of a response in their order."""

    def __init__(self, content):
        self.content = content
        self.position = 0

    def take(self, layout):
        """What struct's layout says: a value, or several."""
        values = struct.unpack_from(">" + layout, self.content, self.position)
        self.position += struct.calcsize(">" + layout)
        return values[0] if len(values) == 1 else values

    def bytes(self, length):
        self.position += length
        return self.content[self.position - length:self.position]

    def string(self):
        length = self.take("h")
        return None if length < 0 else self.bytes(length).decode()

    def rest(self):
        return self.content[self.position:]


def produced(response):
    """Of a response of versions 3 and 4: {partition: (error, base offset)} of its only topic."""
    reader = Reader(response)
    assert reader.take("i") == 1
    reader.string()
    return {index: (error, base) for index, error, base, _ in (reader.take("ihqq") for _ in range(reader.take("i")))}


def fetched(response):
    """Of a response of version 11 with one partition: (error, high watermark, batches)."""
    reader = Reader(response)
    reader.take("ihii")  # throttle time, error, session, number of topics
    reader.string()
    _, _, error, high_watermark, _, _, aborted = reader.take("iihqqqi")
    assert aborted <= 0
    _, length = reader.take("ii")
    return error, high_watermark, batches_of(reader.bytes(max(length, 0)))


def batches_of(content):
    """Batches, one after the other; the last may be cut off."""
    found = []
    while len(content) >= 12 and len(content) >= (size := 12 + struct.unpack_from(">i", content, 8)[0]):
        found.append(content[:size])
        content = content[size:]
    return found


def codec_of(content):
    return content[22] & 7


def values_of(batches):
    return [record.value for content in batches for record in DefaultRecordBatch(content)]


class KafkaConnection:
    """To be used in a `with` block."""

    def __init__(self, address, port=9092, seconds=60):
        self.socket = socket.create_connection((address, port), timeout=seconds)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, content):
        self.socket.sendall(content)

    def receive(self, length):
        content = b""
        while len(content) < length:
            piece = self.socket.recv(length - len(content))
            if not piece:
                raise ConnectionError(f"closed after {len(content)} of {length} bytes")
            content += piece
        return content

    def response(self):
        """(correlation id, body)."""
        content = self.receive(struct.unpack(">i", self.receive(4))[0])
        return struct.unpack_from(">i", content)[0], content[4:]

    def ask(self, api, version, body):
        self.send(request(api, version, body))
        return self.response()[1]

    def produce(self, topic, batches, **options):
        return produced(self.ask(PRODUCE, 3, produce_body(topic, batches, **options)))

    def fetch(self, topic, **options):
        return fetched(self.ask(FETCH, 11, fetch_body(topic, **options)))

    def make_topic(self, topic):
        """By asking for it: with as many partitions as [queue] says."""
        self.ask(METADATA, 1, array([string(topic)]))

    def delete_records(self, topic, partition, offset):
        """Those below the offset; (error, log start offset)."""
        body = array([string(topic) + array([struct.pack(">iq", partition, offset)])]) + struct.pack(">i", 20_000)
        reader = Reader(self.ask(DELETE_RECORDS, 1, body))
        reader.take("ii")
        reader.string()
        _, _, low_watermark, error = reader.take("iiqh")
        return error, low_watermark

    def join(self, group):
        """Becomes the only member of a new group; (generation, member)."""
        error, generation, member = joined(self.ask(JOIN_GROUP, 2, join_body(group)))
        assert error == 0
        assignment = array([string(member) + sized(b"all")])
        answer = self.ask(SYNC_GROUP, 1, string(group) + struct.pack(">i", generation) + string(member) + assignment)
        assert answer[4:6] == b"\x00\x00"
        return generation, member

    def heartbeat(self, group, generation, member):
        """The error."""
        return struct.unpack(">ih", self.ask(HEARTBEAT, 1, string(group) + struct.pack(">i", generation) + string(member)))[1]

    def new_producer(self):
        """(id, epoch)."""
        _, error, producer_id, epoch = struct.unpack(">ihqh", self.ask(INIT_PRODUCER_ID, 0, string(None) + struct.pack(">i", 60_000)))
        assert error == 0
        return producer_id, epoch

    def is_closed_by_the_server(self):
        """Waits for the end, after no byte more. A reset is an end too."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True
