// Takes the steps of a client, by name, as standard input asks for them, and tells of each what it saw as a line of JSON.
import { createInterface } from "node:readline";

export async function talk(steps) {
  for await (const name of createInterface({ input: process.stdin })) {
    console.log(JSON.stringify((await steps[name]()) ?? null));
  }
}

// What an event emitter tells next.
export function next(emitter, event) {
  return new Promise((resolve) => emitter.once(event, (...told) => resolve(told)));
}
