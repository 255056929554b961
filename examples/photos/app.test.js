import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';

import jpegJs from 'jpeg-js';
import { PNG } from 'pngjs';

const folder = mkdtempSync(path.join(os.tmpdir(), 'photos-test-'));
process.env.UPLOAD_DIR = folder;
process.env.SESSION_SECRET = 'test';
delete process.env.REDIS_URL;
delete process.env.KAFKA_BROKERS;
const { createApp } = await import('./src/app.js');
const { nextTopic } = await import('./src/messages.js');
const { makeThumbnail, THUMBNAIL_WIDTH } = await import('./src/thumbnail.js');
const { MAX_PHOTO_BYTES, MAX_PHOTOS, UploadStore } = await import('./src/uploads.js');

const state = { draining: false };
let server;
let base;

before(async () => {
  server = createApp(state).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  base = `http://127.0.0.1:${server.address().port}`;
});
after(() => {
  server.close();
  server.closeAllConnections();
  rmSync(folder, { recursive: true });
});

const get = (where, headers = {}) => fetch(base + where, { headers, redirect: 'manual' });
const post = (where, body, headers = {}) =>
  fetch(base + where, { method: 'POST', body, headers, redirect: 'manual' });

function upload(bytes, title = 'A title', headers = {}) {
  const form = new FormData();
  form.set('title', title);
  form.set('photo', new Blob([bytes]), 'x.txt');
  return post('/photos', form, headers);
}

const JPEG = Buffer.from([0xff, 0xd8, 0xff, 0xe0]);
const jpeg = (size) => Buffer.concat([JPEG, Buffer.alloc(size - JPEG.length)]);

test('the sample image is cacheable and tagged', async () => {
  const response = await get('/images/sample.jpg');
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'image/jpeg');
  assert.equal(response.headers.get('cache-control'), 'public, max-age=60');
  assert.equal(response.headers.get('surrogate-key'), 'images');
});

test('pages are the visitor\'s own', async () => {
  const response = await get('/');
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('cache-control'), 'private, no-cache');
  assert.match(await response.text(), /Morning lake/);
});

test('behind an edge pages link to versions of the files, else to the files', async () => {
  const plain = await (await get('/', { Via: '1.1 varnish' })).text();
  assert.match(plain, /src="\/images\/sample\.jpg"/);
  assert.doesNotMatch(plain, /"\/v\//);
  const versioned = await (await get('/', { Via: '1.1 meridian-edge, 1.1 meridian-balancer' })).text();
  const [, hash] = versioned.match(/src="\/v\/([0-9a-f]{32})\/images\/sample\.jpg"/);
  const image = Buffer.from(await (await get('/images/sample.jpg')).arrayBuffer());
  assert.equal(createHash('sha256').update(image).digest('hex').slice(0, 32), hash);
  assert.match(versioned, /href="\/v\/[0-9a-f]{32}\/assets\/style\.css"/);
});

test('a sign-in is remembered, escaped, and can be ended', async () => {
  const response = await post('/sign-in', new URLSearchParams({ name: ' <b>\u0007 Ada ' }));
  assert.equal(response.status, 303);
  const cookie = response.headers.get('set-cookie').split(';')[0];
  assert.match(await (await get('/', { cookie })).text(), /Hello, <strong>&lt;b&gt; Ada<\/strong>/);
  const forged = cookie.slice(0, -1) + (cookie.endsWith('A') ? 'B' : 'A');
  assert.doesNotMatch(await (await get('/', { cookie: forged })).text(), /Hello/);
  const out = await post('/sign-out', '', { cookie });
  assert.match(out.headers.get('set-cookie'), /^photos\.session=;/);
  assert.doesNotMatch(await (await get('/', { cookie })).text(), /Hello/);
});

test('a sign-in without a name is refused', async () => {
  assert.equal((await post('/sign-in', new URLSearchParams({ name: ' ' }))).status, 400);
  assert.equal((await post('/sign-in', new URLSearchParams({ name: 'x'.repeat(5000) }))).status, 413);
});

test('an uploaded photo has a page and is served by its true type', async () => {
  const response = await upload(jpeg(100), '<i>mine</i>');
  assert.equal(response.status, 303);
  const page = await (await get(response.headers.get('location'))).text();
  assert.match(page, /&lt;i&gt;mine&lt;\/i&gt;/);
  const image = await get(/src="(\/uploads\/[^"]+)"/.exec(page)[1]);
  assert.equal(image.headers.get('content-type'), 'image/jpeg');
  assert.equal(image.headers.get('surrogate-key'), 'images uploads');
});

test('uploads up to the limit and not one byte more', async () => {
  assert.equal((await upload(jpeg(MAX_PHOTO_BYTES))).status, 303);
  assert.equal((await upload(jpeg(MAX_PHOTO_BYTES + 1))).status, 413);
});

test('what is not a picture is refused', async () => {
  assert.equal((await upload('<script>')).status, 400);
  assert.equal((await post('/photos', new FormData())).status, 400);
  assert.equal((await post('/photos', 'x', { 'content-type': 'multipart/form-data' })).status, 400);
});

test('only the newest uploads are kept', async () => {
  for (let i = 0; i <= MAX_PHOTOS; ++i) assert.equal((await upload(jpeg(10), `nr ${i}.`)).status, 303);
  const page = await (await get('/')).text();
  assert.equal(page.match(/\/uploads\//g).length, MAX_PHOTOS);
  assert.match(page, new RegExp(`nr ${MAX_PHOTOS}\\.`));
  assert.doesNotMatch(page, /nr 0\./);
});

test('the gallery shows the thumbnail once it is there, and the page the photo', async () => {
  const id = (await upload(jpeg(10))).headers.get('location').split('/').pop();
  assert.match(await (await get('/')).text(), new RegExp(`src="/uploads/${id}\\.jpg"`));
  await new UploadStore().addThumbnail(id, JPEG);
  assert.match(await (await get('/')).text(), new RegExp(`src="/uploads/${id}\\.thumb\\.jpg"`));
  assert.match(await (await get(`/photos/${id}`)).text(), new RegExp(`src="/uploads/${id}\\.jpg"`));
});

test('a thumbnail is a small JPEG of a JPEG or PNG with its colours', async () => {
  const landscape = await readFile(new URL('public/images/sample.jpg', import.meta.url));
  const small = jpegJs.decode(makeThumbnail(landscape));
  assert.deepEqual([small.width, small.height], [THUMBNAIL_WIDTH, 213]);

  const red = new PNG({ width: 640, height: 2 });
  for (let i = 0; i < red.data.length; i += 4) red.data.set([255, 0, 0, 255], i);
  const thumb = jpegJs.decode(makeThumbnail(PNG.sync.write(red)));
  assert.deepEqual([thumb.width, thumb.height], [320, 1]);
  assert.ok(thumb.data[0] > 240 && thumb.data[1] < 20 && thumb.data[2] < 20);

  const clear = new PNG({ width: 2, height: 2 });
  clear.data.fill(0);
  assert.ok(jpegJs.decode(makeThumbnail(PNG.sync.write(clear))).data[0] > 240, 'on white');
});

test('a picture that cannot be read, or is too large to decode, has no thumbnail', () => {
  assert.throws(() => makeThumbnail(jpeg(100)));
  const huge = Buffer.from(PNG.sync.write(new PNG({ width: 1, height: 1 })));
  huge.writeUInt32BE(100_000, 16);
  huge.writeUInt32BE(100_000, 20);
  assert.throws(() => makeThumbnail(huge), /pixels/);
});

test('a message that failed goes from each retry topic to the next, and last to the dead letters', () => {
  const retries = { retryTopics: ['t.w.retry.1', 't.w.retry.2'], deadLetterTopic: 't.w.dead-letter' };
  assert.equal(nextTopic('t', retries), 't.w.retry.1');
  assert.equal(nextTopic('t.w.retry.1', retries), 't.w.retry.2');
  assert.equal(nextTopic('t.w.retry.2', retries), 't.w.dead-letter');
  assert.equal(nextTopic('t', { retryTopics: [], deadLetterTopic: null }), null);
});

test('what does not exist is 404', async () => {
  for (const where of ['/x', '/photos/x', '/images/x.jpg', '/uploads/..%2f..%2fpackage.json']) {
    assert.equal((await get(where)).status, 404, where);
  }
});

test('health tells when it is leaving', async () => {
  assert.equal((await get('/health')).status, 200);
  state.draining = true;
  const response = await get('/health');
  assert.equal(response.status, 503);
  assert.equal(response.headers.get('connection'), 'close');
  state.draining = false;
});
