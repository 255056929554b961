// Drives Chromium through the loss of the edge that a page came from: node fallback.mjs OPTIONS
// OPTIONS is JSON: {url, hosts (--host-resolver-rules), spki (of its certificate), profile (a new folder), assets (URLs)}.
// Opens the page until its service worker serves it, prints "ready", waits for a line on its input, then adds each asset to the
// page and prints as one JSON object which of them were shown, and what the document's own fetch says.
import { createInterface } from 'node:readline/promises';
import { chromium } from 'playwright-core';

const options = JSON.parse(process.argv[2]);

const context = await chromium.launchPersistentContext(options.profile, {
  executablePath: '/usr/bin/chromium',
  headless: true,
  timeout: 120_000,
  args: [
    '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update',
    '--disable-sync', `--host-resolver-rules=${options.hosts}`, `--ignore-certificate-errors-spki-list=${options.spki}`,
  ],
});
try {
  const page = context.pages()[0] ?? await context.newPage();
  page.setDefaultTimeout(90_000);
  page.on('console', (message) => console.error(message.text()));
  context.on('requestfailed', (request) => console.error(`${request.url()}: ${request.failure()?.errorText}`));
  await page.goto(options.url, { waitUntil: 'load' });
  await page.waitForFunction(() => navigator.serviceWorker?.controller?.state === 'activated');
  console.log('ready');
  await createInterface({ input: process.stdin }).question('');

  const shown = await page.evaluate((assets) => Promise.all(assets.map((source) => new Promise((resolve) => {
    const image = new Image();
    image.onload = () => resolve([source, image.naturalWidth, image.naturalHeight]);
    image.onerror = () => resolve([source, 0, 0]);
    image.src = source;
    document.body.append(image);
  }))), options.assets);
  const page_itself = await page.evaluate(() => fetch('/').then((response) => response.status, () => 'lost'));
  console.log(JSON.stringify({ shown, page_itself }));
} finally {
  await context.close();
}
process.exit(0);
