// Drives Chromium as a visitor of the photos application: node browse.mjs OPTIONS
// OPTIONS is JSON: {url, hosts (--host-resolver-rules), spki (of its certificate), profile (a new folder), screenshot (a file
// to make), visitor (a name), upload (a file)}.
// Prints what it saw as one JSON object; whatever is missing is for the test to judge.
import { chromium } from 'playwright-core';

const options = JSON.parse(process.argv[2]);

const context = await chromium.launchPersistentContext(options.profile, {
  executablePath: '/usr/bin/chromium',
  headless: true,
  timeout: 120_000,
  viewport: { width: 1200, height: 900 },
  args: [
    '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update',
    '--disable-sync', `--host-resolver-rules=${options.hosts}`, `--ignore-certificate-errors-spki-list=${options.spki}`,
  ],
});
try {
  const page = context.pages()[0] ?? await context.newPage();
  page.setDefaultTimeout(90_000);
  const seen = { requests: [], failed: [], console: [] };
  page.on('response', (response) => seen.requests.push({ url: response.url(), status: response.status(), via: response.headers().via }));
  page.on('requestfailed', (request) => seen.failed.push(`${request.url()}: ${request.failure()?.errorText}`));
  page.on('console', (message) => seen.console.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => seen.console.push(`error: ${error.message}`));

  const images = () => page.$$eval('main img', (all) => all.map((image) => ({
    source: new URL(image.src).pathname, width: image.naturalWidth, height: image.naturalHeight,
  })));
  const shown = () => page.waitForFunction(() => [...document.querySelectorAll('main img')].every((image) => image.complete));

  await page.goto(options.url, { waitUntil: 'load' });
  await shown();
  seen.title = await page.title();
  seen.secure = await page.evaluate(() => window.isSecureContext);
  seen.protocol = await page.evaluate(() => performance.getEntriesByType('navigation')[0].nextHopProtocol);
  seen.images = await images();
  seen.servedBy = await page.textContent('footer strong');
  await page.screenshot({ path: options.screenshot });

  await page.fill('#name', options.visitor);
  await Promise.all([page.waitForNavigation(), page.click('.sign-in button')]);
  seen.hello = await page.textContent('.sign-in strong');
  // The sign-in is the visitor's, whichever instance answers.
  seen.instances = [];
  const instances = () => new Set(seen.instances.map(([instance]) => instance));
  for (let i = 0; i < 5 || (instances().size < 2 && i < 50); i += 1) {
    await page.reload();
    seen.instances.push([await page.textContent('footer strong'), await page.textContent('.sign-in strong')]);
  }

  await page.fill('#title', 'Sent by a test');
  await page.setInputFiles('#photo', options.upload);
  await Promise.all([page.waitForNavigation(), page.click('.upload button')]);
  await shown();
  seen.uploaded = { path: new URL(page.url()).pathname, title: await page.textContent('h1'), by: await page.textContent('.by'), images: await images() };

  await Promise.all([page.waitForNavigation(), page.click('.sign-in button')]);
  seen.signedOut = await page.isVisible('#name');
  console.log(JSON.stringify(seen));
} finally {
  await context.close();
}
