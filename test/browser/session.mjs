// Drives Chromium as a visitor who signs in, or has signed in with the same profile before: node session.mjs OPTIONS
// OPTIONS is JSON: {url, hosts (--host-resolver-rules), profile (a folder), visitor (a name to sign in with; none: no sign-in)}.
// Prints which instance served the page and who it says is signed in, as JSON.
import { chromium } from 'playwright-core';

const options = JSON.parse(process.argv[2]);

const context = await chromium.launchPersistentContext(options.profile, {
  executablePath: '/usr/bin/chromium',
  headless: true,
  timeout: 120_000,
  args: [
    '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update',
    '--disable-sync', `--host-resolver-rules=${options.hosts}`,
  ],
});
try {
  const page = context.pages()[0] ?? await context.newPage();
  page.setDefaultTimeout(90_000);
  await page.goto(options.url, { waitUntil: 'load' });
  if (options.visitor) {
    await page.fill('#name', options.visitor);
    await Promise.all([page.waitForNavigation(), page.click('.sign-in button')]);
  }
  const greeting = page.locator('.sign-in strong');
  console.log(JSON.stringify({
    servedBy: await page.textContent('footer strong'),
    visitor: await greeting.count() > 0 ? await greeting.textContent() : null,
  }));
} finally {
  await context.close();
}
