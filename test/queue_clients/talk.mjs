// Takes the steps of a client, by name, as standard input asks for them, and tells of each what it saw as a line of JSON.
import { createInterface } from "node:readline";

export async function talk(steps) {
  for await (const name of createInterface({ input: process.stdin })) {
    const told = await steps[name]().catch((error) => ({ error: String(error.stack ?? error) }));
    process.stdout.write(`${JSON.stringify(told ?? null)}\n`);
  }
}

// A promise, and how the first `count` values that are given to `add` fulfil it.
export function collect(count) {
  const all = [];
  let add;
  const whole = new Promise((resolve) => { add = (value) => all.push(value) === count && resolve(all); });
  return { add, whole };
}
