// Opens a page in Chromium as somebody who has never been there: node images.mjs OPTIONS
// OPTIONS is JSON: {url, hosts (--host-resolver-rules), spki (of its certificate), profile (a new folder)}.
// Prints {images, responses}: what is shown, and how the edge says that it came.
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
  const responses = [];
  page.on('response', (response) => {
    const fields = response.headers();
    responses.push({ url: response.url(), status: response.status(), cache: fields['cache-status'], kept: fields['cache-control'] });
  });
  await page.goto(options.url, { waitUntil: 'load' });
  await page.waitForFunction(() => [...document.querySelectorAll('main img')].every((image) => image.complete));
  const images = await page.$$eval('main img', (all) => all.map((image) => ({ source: image.src, width: image.naturalWidth })));
  console.log(JSON.stringify({ images, responses }));
} finally {
  await context.close();
}
