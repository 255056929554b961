// kafkajs as applications use it. Argument: the brokers.
import { CompressionTypes, Kafka, logLevel } from "kafkajs";
import { collect, talk } from "./talk.mjs";

const kafka = new Kafka({ clientId: "photos", brokers: process.argv[2].split(","), logLevel: logLevel.NOTHING, connectionTimeout: 20_000, retry: { initialRetryTime: 50 } });
const admin = kafka.admin();
const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });

// The next `count` values of the topic for a new member of the group, whose offsets are committed when it leaves.
async function consume(group, topic, count) {
  const consumer = kafka.consumer({ groupId: group, sessionTimeout: 60_000, heartbeatInterval: 500 });
  const { add, whole } = collect(count);
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ partition, message }) => add({
      partition, value: message.value.toString(), key: message.key?.toString() ?? null, header: message.headers.kind?.toString() ?? null,
    }),
  });
  const found = await whole;
  await consumer.disconnect();
  return found;
}

await talk({
  admin: async () => {
    await admin.connect();
    const made = await admin.createTopics({ topics: [{ topic: "uploads", numPartitions: 2, configEntries: [{ name: "retention.ms", value: "60000" }] }] });
    const again = await admin.createTopics({ topics: [{ topic: "uploads" }] });
    await admin.createPartitions({ topicPartitions: [{ topic: "uploads", count: 3 }] });
    const { topics } = await admin.fetchTopicMetadata({ topics: ["uploads"] });
    const { resources } = await admin.describeConfigs({ resources: [{ type: 2, name: "uploads" }] });
    return {
      made, again, partitions: topics[0].partitions.length,
      retention: resources[0].configEntries.find((entry) => entry.configName === "retention.ms").configValue,
    };
  },
  produce: async () => {
    await producer.connect();
    const messages = Array.from({ length: 30 }, (_, i) => ({ key: `k${i % 3}`, value: `v${i}`, partition: i % 3, headers: { kind: "jpeg" } }));
    const sent = await producer.send({ topic: "uploads", acks: -1, compression: CompressionTypes.GZIP, messages });
    return sent.map((each) => [each.partition, each.errorCode, Number(each.baseOffset)]).sort();
  },
  more: async () => producer.send({ topic: "uploads", messages: [{ value: "late", partition: 1, headers: { kind: "png" } }] }).then(() => true),
  first: () => consume("thumbnails", "uploads", 30),
  second: () => consume("thumbnails", "uploads", 1),
  groups: async () => {
    const { groups } = await admin.listGroups();
    const offsets = await admin.fetchOffsets({ groupId: "thumbnails", topics: ["uploads"] });
    const ends = await admin.fetchTopicOffsets("uploads");
    return {
      groups: groups.map((each) => each.groupId),
      offsets: offsets[0].partitions.map((each) => [each.partition, Number(each.offset)]).sort(),
      ends: ends.map((each) => [each.partition, Number(each.high)]).sort(),
    };
  },
  remove: async () => {
    await admin.deleteTopicRecords({ topic: "uploads", partitions: [{ partition: 0, offset: "4" }] });
    const low = (await admin.fetchTopicOffsets("uploads")).find((each) => each.partition === 0).low;
    await admin.deleteGroups(["thumbnails"]);
    await admin.deleteTopics({ topics: ["uploads"] });
    return { low: Number(low), groups: (await admin.listGroups()).groups.length, topics: await admin.listTopics() };
  },
  leave: async () => { await producer.disconnect(); await admin.disconnect(); process.exit(0); },
});
