// Sessions: in the store at REDIS_URL, which all instances share, else in this process's memory.
import { RedisStore } from 'connect-redis';
import session from 'express-session';
import { createClient } from 'redis';

export const SESSION_COOKIE = 'photos.session';
const STORE_TIMEOUT_MS = 3000;
const SIGNED_IN_MS = 7 * 24 * 60 * 60 * 1000;

// A shared secret lets every instance read what another signed.
function cookieSecret() {
  const secret = process.env.SESSION_SECRET;
  if (secret) return secret;
  console.error('photos: SESSION_SECRET is not set; sessions are signed with a well-known key');
  return 'photos-for-development-only';
}

function store() {
  const url = process.env.REDIS_URL;
  if (!url) return undefined; // express-session's own
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
  return new RedisStore({ client, prefix: 'photos:' });
}

export function sessions() {
  return session({
    name: SESSION_COOKIE,
    secret: cookieSecret(),
    store: store(),
    resave: false,
    saveUninitialized: false,
    rolling: true,
    cookie: { httpOnly: true, sameSite: 'lax', maxAge: SIGNED_IN_MS },
  });
}
