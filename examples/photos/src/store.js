// The store at REDIS_URL, which all instances and workers share, in every data center.
import { createClient } from 'redis';

const STORE_TIMEOUT_MS = 3000;

// A client that connects by itself, or null without REDIS_URL.
export function connectStore() {
  const url = process.env.REDIS_URL;
  if (!url) return null;
  // Requests wait for a store that is just being started again, but not for long and not too many.
  const client = createClient({
    url,
    commandsQueueMaxLength: 1000,
    commandOptions: { timeout: STORE_TIMEOUT_MS },
  });
  let told = false;
  client.on('error', (error) => {
    if (!told) console.error(`photos: the session store: ${error.message || error.code}`);
    told = true;
  });
  client.on('ready', () => {
    told = false;
  });
  client.connect().catch(() => {});
  return client;
}
