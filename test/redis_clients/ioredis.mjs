// ioredis as applications use it. Argument: the URL.
import { Redis } from "ioredis";
import { next, talk } from "./talk.mjs";

const client = new Redis(process.argv[2], { lazyConnect: true, connectionName: "photos", retryStrategy: () => 20, maxRetriesPerRequest: null });
const lost = [];
client.on("error", (error) => lost.push(error.code));
client.on("close", () => lost.push("closed"));

async function collect(stream) {
  const found = [];
  for await (const page of stream) found.push(...page);
  return found;
}

const valuesOf = (replies) => replies.map(([error, value]) => error?.message ?? value);

async function refusedTransaction() {
  const other = client.duplicate();
  await client.watch("stock");
  await other.set("stock", "2");
  const replies = await client.multi().set("stock", "3").exec();
  other.disconnect();
  return replies === null;
}

await talk({
  connect: async () => {
    await client.connect();
    const info = await client.client("INFO");
    return { ping: await client.ping(), name: await client.client("GETNAME"), library: /lib-name=(\S*)/.exec(info)[1], ready: client.status === "ready" };
  },
  session: async () => ({
    set: await client.set("sess:1", '{"user":1}', "EX", 60),
    get: await client.get("sess:1"),
    touched: await client.expire("sess:1", 600),
    ttl: await client.ttl("sess:1"),
    many: await client.mget("sess:1", "sess:2"),
    deleted: await client.del("sess:1"),
    after: await client.get("sess:1"),
  }),
  types: async () => ({
    fields: await client.hset("h", { user: "Ada", seen: "1" }),
    hash: await client.hgetall("h"),
    members: await client.sadd("s", "a", "b"),
    set: (await client.smembers("s")).sort(),
    count: await client.incrby("count", 5),
    wrong: await client.incr("h").catch((error) => error.message),
  }),
  pipeline: async () => {
    const pipeline = client.pipeline();
    for (let i = 0; i < 1000; i++) pipeline.incrby("sum", i);
    return valuesOf(await pipeline.exec());
  },
  transaction: async () => ({
    replies: valuesOf(await client.multi().set("a", "1").incr("a").hset("b", "f", "v").get("a").exec()),
    refused: await refusedTransaction(),
    stock: await client.get("stock"),
  }),
  messages: async () => {
    const listener = client.duplicate();
    await listener.subscribe("news");
    await listener.psubscribe("new*");
    const heard = Promise.all([next(listener, "message"), next(listener, "pmessage").then(([, channel, message]) => [channel, message])]);
    await client.publish("news", "hello");
    const all = await heard;
    await listener.unsubscribe("news");
    await listener.punsubscribe("new*");
    const usable = await listener.ping();
    await listener.quit();
    return { all, usable };
  },
  scan: async () => {
    await client.mset(Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`scan:${i}`, "x"])));
    await client.hset("fields", Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`f${i}`, `${i}`])));
    await client.sadd("members", Array.from({ length: 1000 }, (_, i) => `m${i}`));
    const fields = await collect(client.hscanStream("fields", { count: 100 }));
    return {
      keys: new Set(await collect(client.scanStream({ match: "scan:*", count: 50 }))).size,
      fields: new Set(fields.filter((_, i) => i % 2 === 0)).size,
      members: new Set(await collect(client.sscanStream("members", { count: 100 }))).size,
    };
  },
  expiry: async () => {
    await client.config("SET", "notify-keyspace-events", "Ex");
    const listener = client.duplicate();
    await listener.subscribe("__keyevent@0__:expired");
    await client.set("brief", "x", "PX", 50);
    const [, key] = await next(listener, "message");
    listener.disconnect();
    return { key, value: await client.get("brief") };
  },
  write: async () => client.set("kept", "before"),
  loss: async () => lost.length > 0 || Boolean(await next(client, "close")),
  again: async () => ({ kept: await client.get("kept"), set: await client.set("kept", "after"), lost: lost.length > 0 }),
  leave: async () => client.quit(),
});
