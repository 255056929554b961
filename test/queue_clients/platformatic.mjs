// @platformatic/kafka as applications use it; it speaks only the modern, flexible versions. Argument: the brokers.
import { Admin, Consumer, Producer, ProduceAcks, stringDeserializers, stringSerializers } from "@platformatic/kafka";
import { collect, talk } from "./talk.mjs";

const base = { clientId: "photos", bootstrapBrokers: process.argv[2].split(","), retries: 5, retryDelay: 50 };
const admin = new Admin(base);
const producer = new Producer({ ...base, idempotent: true, acks: ProduceAcks.ALL, serializers: stringSerializers });

// The next `count` values of the topic for a new member of the group, whose offsets are committed when it leaves.
async function consume(group, topic, count) {
  const consumer = new Consumer({ ...base, groupId: group, deserializers: stringDeserializers });
  const { add, whole } = collect(count);
  const stream = await consumer.consume({
    autocommit: false, topics: [topic], mode: "committed", fallbackMode: "earliest", sessionTimeout: 60_000, heartbeatInterval: 500, maxWaitTime: 500,
  });
  stream.on("data", async (message) => {
    await message.commit();
    add({ partition: message.partition, value: message.value, key: message.key || null, header: message.headers.get("kind") ?? null });
  });
  const found = await whole;
  await stream.close();
  await consumer.close();
  return found;
}

async function ends(timestamp) {
  const partitions = [0, 1, 2].map((partitionIndex) => ({ partitionIndex, timestamp }));
  const [topic] = await admin.listOffsets({ topics: [{ name: "uploads", partitions }] });
  return topic.partitions.map((each) => [each.partitionIndex, Number(each.offset)]).sort();
}

await talk({
  admin: async () => {
    const made = await admin.createTopics({ topics: ["uploads"], partitions: 2, replicas: 1, configs: [{ name: "retention.ms", value: "60000" }] });
    const again = await admin.createTopics({ topics: ["uploads"], partitions: 2, replicas: 1 }).then(() => true, () => false);
    await admin.createPartitions({ topics: [{ name: "uploads", count: 3, assignments: [] }] });
    const metadata = await admin.metadata({ topics: ["uploads"], forceUpdate: true });
    const [described] = await admin.describeConfigs({ resources: [{ resourceType: 2, resourceName: "uploads", configurationKeys: null }] });
    return {
      made: made.length === 1 && made[0].name === "uploads", again, partitions: metadata.topics.get("uploads").partitionsCount,
      retention: described.configs.find((entry) => entry.name === "retention.ms").value,
    };
  },
  produce: async () => {
    const headers = { kind: "jpeg" };
    const messages = Array.from({ length: 30 }, (_, i) => ({ topic: "uploads", key: `k${i % 3}`, value: `v${i}`, partition: i % 3, headers }));
    const sent = await producer.send({ messages, compression: "gzip" });
    return sent.offsets.map((each) => [each.partition, 0, Number(each.offset)]).sort();
  },
  more: async () => producer.send({ messages: [{ topic: "uploads", value: "late", partition: 1, headers: { kind: "png" } }] }).then(() => true),
  first: () => consume("thumbnails", "uploads", 30),
  second: () => consume("thumbnails", "uploads", 1),
  groups: async () => {
    const groups = await admin.listGroups();
    const [group] = await admin.listConsumerGroupOffsets({ groups: ["thumbnails"] });
    return {
      groups: [...groups.keys()],
      offsets: group.topics[0].partitions.map((each) => [each.partitionIndex, Number(each.committedOffset)]).sort(),
      ends: await ends(-1n),
    };
  },
  remove: async () => {
    await admin.deleteRecords({ topics: [{ name: "uploads", partitions: [{ partition: 0, offset: 4n }] }] });
    const low = (await ends(-2n))[0][1];
    await admin.deleteGroups({ groups: ["thumbnails"] });
    await admin.deleteTopics({ topics: ["uploads"] });
    return { low, groups: (await admin.listGroups()).size, topics: await admin.listTopics() };
  },
  leave: async () => { await producer.close(); await admin.close(); process.exit(0); },
});
