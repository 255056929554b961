// A drill for CI: brings the site up in the lab, kills a data center while visitors come in, and fails when
// they notice more than they may.
//
//   npm run drill
//
// MERIDIAN is the program (else meridian on the PATH), SITE the site.toml (else the one above this folder).
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

// What visitors may notice.
const MAX_FAILED_REQUESTS = 0;
const MAX_REQUEST_MS = 2000;
const MAX_MOVE_MS = 5000; // until nobody is sent to the lost data center any more
const MAX_RETURN_MS = 30_000;

const LOST = 'us-east';
const OTHER = 'us-west';
const PAGE = 'http://photos.example/';

const program = process.env.MERIDIAN ?? 'meridian';
const site = process.env.SITE ?? fileURLToPath(new URL('../site.toml', import.meta.url));
const state = mkdtempSync(path.join(os.tmpdir(), 'drill-'));

function meridian(...words) {
  return new Promise((resolve, reject) => {
    execFile(program, [...words, '--state', state], (error, out, said) => {
      // A visit that failed has status 1, and says so in its JSON.
      if (error && !out.startsWith('{')) reject(new Error(said || error.message));
      else resolve(out);
    });
  });
}

const visit = async (...words) =>
  JSON.parse(await meridian('visit', '--from', 'new-york', PAGE, '--json', ...words));

async function edgeOf(name) {
  const { datacenters } = JSON.parse(await meridian('status', '--json'));
  return `http://${datacenters.find((each) => each.name === name).address}:8080`;
}

// Asks until `holds` is true; fails when that takes longer.
async function within(limitMs, what, holds) {
  const began = Date.now();
  while (!(await holds())) {
    assert.ok(Date.now() - began < limitMs, `after ${limitMs} ms not yet: ${what}`);
  }
  return Date.now() - began;
}

before(() => meridian('up', site, '--detach'));
after(async () => {
  await meridian('down');
  rmSync(state, { recursive: true });
});

test(`${LOST} is lost: nobody sees an error, and who is signed in stays so`, async (t) => {
  const signIn = await fetch(`${await edgeOf(LOST)}/sign-in`, {
    method: 'POST', body: new URLSearchParams({ name: 'Ada' }), redirect: 'manual',
  });
  const cookie = signIn.headers.get('set-cookie').split(';')[0];
  const other = await edgeOf(OTHER);
  const knowsAda = async () => (await (await fetch(other, { headers: { cookie } })).text()).includes('Ada');
  await within(MAX_MOVE_MS, `${OTHER} knows the session`, knowsAda);
  assert.equal((await visit()).by_datacenter[LOST], 1);

  const visits = visit('--repeat', '100', '--every', '50ms');
  await meridian('dc', 'kill', LOST);
  const moved = await within(MAX_MOVE_MS, `visitors are sent to ${OTHER}`, async () =>
    (await visit('--no-fallback')).by_datacenter[OTHER] === 1);
  t.diagnostic(`visitors were sent to ${OTHER} ${moved} ms after the loss`);
  assert.ok(await knowsAda());

  const seen = await visits;
  t.diagnostic(`${seen.requests} requests: ${seen.failed} failed, ${seen.fell_back} fell back, ` +
    `the slowest took ${seen.max_ms} ms`);
  assert.equal(seen.requests, 100);
  assert.ok(seen.failed <= MAX_FAILED_REQUESTS, JSON.stringify(seen.errors));
  assert.ok(seen.max_ms <= MAX_REQUEST_MS);
});

test(`${LOST} comes back`, async () => {
  await meridian('dc', 'start', LOST);
  await within(MAX_RETURN_MS, `${LOST} serves its visitors again`, async () =>
    (await visit()).by_datacenter[LOST] === 1);
});
