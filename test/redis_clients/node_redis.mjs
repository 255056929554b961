// node-redis as applications use it. Arguments: the URL, and the version of RESP.
import { createClient, WatchError } from "redis";
import { next, talk } from "./talk.mjs";

const [url, version] = process.argv.slice(2);
const client = createClient({ url, RESP: Number(version), name: "photos", socket: { reconnectStrategy: 20 } });
const lost = [];
client.on("error", (error) => lost.push(error.code ?? error.name));

async function collect(iterator) {
  const found = [];
  for await (const page of iterator) found.push(...page);
  return found;
}

async function refusedTransaction() {
  const other = await client.duplicate().connect();
  try {
    await client.watch("stock");
    await other.set("stock", "2");
    await client.multi().set("stock", "3").exec();
    return false;
  } catch (error) {
    return error instanceof WatchError;
  } finally {
    other.destroy();
  }
}

await talk({
  connect: async () => {
    await client.connect();
    const info = await client.clientInfo();
    return { ping: await client.ping(), name: info.name, library: info.libName, version: info.resp, ready: client.isReady };
  },
  session: async () => ({
    set: await client.set("sess:1", '{"user":1}', { expiration: { type: "EX", value: 60 } }),
    get: await client.get("sess:1"),
    touched: await client.expire("sess:1", 600),
    ttl: await client.ttl("sess:1"),
    many: await client.mGet(["sess:1", "sess:2"]),
    deleted: await client.del("sess:1"),
    after: await client.get("sess:1"),
  }),
  types: async () => ({
    fields: await client.hSet("h", { user: "Ada", seen: "1" }),
    hash: await client.hGetAll("h"),
    members: await client.sAdd("s", ["a", "b"]),
    set: [...(await client.sMembers("s"))].sort(),
    count: await client.incrBy("count", 5),
    wrong: await client.incr("h").catch((error) => error.message),
  }),
  // Within one turn they are written at once.
  pipeline: async () => Promise.all(Array.from({ length: 1000 }, (_, i) => client.incrBy("sum", i))),
  transaction: async () => ({
    replies: await client.multi().set("a", "1").incr("a").hSet("b", "f", "v").get("a").exec(),
    refused: await refusedTransaction(),
    stock: await client.get("stock"),
  }),
  messages: async () => {
    const listener = await client.duplicate().connect();
    const heard = new Promise((resolve) => {
      const all = [];
      const hear = (message, channel) => all.push([channel, message]) === 2 && resolve(all.sort());
      listener.subscribe("news", hear).then(() => listener.pSubscribe("new*", hear)).then(() => client.publish("news", "hello"));
    });
    const all = await heard;
    // By name: without one, and with the other kind left, both clients wait for a count of 0 that does not come from Redis either.
    await listener.unsubscribe("news");
    await listener.pUnsubscribe("new*");
    const usable = String(await listener.ping()); // in RESP2 a Buffer
    await listener.close();
    return { all, usable };
  },
  scan: async () => {
    await client.mSet(Array.from({ length: 1000 }, (_, i) => [`scan:${i}`, "x"]));
    await client.hSet("fields", Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`f${i}`, `${i}`])));
    await client.sAdd("members", Array.from({ length: 1000 }, (_, i) => `m${i}`));
    const fields = await collect(client.hScanIterator("fields", { COUNT: 100 }));
    return {
      keys: new Set(await collect(client.scanIterator({ MATCH: "scan:*", COUNT: 50 }))).size,
      fields: new Set(fields.map((each) => each.field)).size,
      members: new Set(await collect(client.sScanIterator("members", { COUNT: 100 }))).size,
    };
  },
  expiry: async () => {
    await client.configSet("notify-keyspace-events", "Ex");
    const listener = await client.duplicate().connect();
    const ended = new Promise((resolve) => { listener.subscribe("__keyevent@0__:expired", resolve).then(() => client.set("brief", "x", { PX: 50 })); });
    const key = await ended;
    listener.destroy();
    return { key, value: await client.get("brief") };
  },
  write: async () => client.set("kept", "before"),
  // A command that was sent before the client has noticed would be rejected, as node-redis cannot know whether it was executed.
  loss: async () => lost.length > 0 || Boolean(await next(client, "error")),
  // Asked while nobody is there, it is answered when somebody is again.
  again: async () => ({ kept: await client.get("kept"), set: await client.set("kept", "after"), lost: lost.length > 0 }),
  leave: async () => client.close(),
});
