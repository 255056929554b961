// Sessions: in the store at REDIS_URL, which all instances share, else in this process's memory.
import { RedisStore } from 'connect-redis';
import session from 'express-session';

import { connectStore } from './store.js';

export const SESSION_COOKIE = 'photos.session';
const SIGNED_IN_MS = 7 * 24 * 60 * 60 * 1000;

// A shared secret lets every instance read what another signed.
function cookieSecret() {
  const secret = process.env.SESSION_SECRET;
  if (secret) return secret;
  console.error('photos: SESSION_SECRET is not set; sessions are signed with a well-known key');
  return 'photos-for-development-only';
}

function store() {
  const client = connectStore();
  return client ? new RedisStore({ client, prefix: 'photos:' }) : undefined; // express-session's own
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
