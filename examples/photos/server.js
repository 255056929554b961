// Starts the application on $HOST:$PORT and, on SIGTERM or SIGINT, answers what has been asked and
// leaves.
import { createApp } from './src/app.js';

const DRAIN_LIMIT_MS = 8000;

const port = Number(process.env.PORT || 3000);
const host = process.env.HOST || undefined; // all addresses
const state = { draining: false };
const server = createApp(state).listen(port, host, (error) => {
  if (error) {
    console.error(`photos: ${error.message}`);
    process.exit(1);
  }
  const { address, family, port: bound } = server.address();
  console.log(`photos: listening on http://${family === 'IPv6' ? `[${address}]` : address}:${bound}/`);
});
server.requestTimeout = 30_000;
server.headersTimeout = 10_000;
// Longer than a proxy in front keeps an idle connection, so that it is the proxy that closes it:
// else a request may meet a connection that is just being closed.
server.keepAliveTimeout = 75_000;

function drain() {
  if (state.draining) return;
  state.draining = true;
  server.close(() => process.exit(0));
  server.closeIdleConnections();
  setTimeout(() => process.exit(0), DRAIN_LIMIT_MS).unref();
}
process.on('SIGTERM', drain);
process.on('SIGINT', drain);
