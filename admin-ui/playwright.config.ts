import { defineConfig } from '@playwright/test';

export default defineConfig({
  testDir: 'e2e',
  globalSetup: './e2e/start-stack.ts',
  // One installation. What needs the models that a project gets waits for them; what needs another project does not; and the
  // last one stops the server.
  workers: 2,
  projects: [
    { name: 'training', testMatch: '1-*' },
    { name: 'apart', testMatch: '2-*' },
    { name: 'trained', testMatch: ['3-*', '4-*'], dependencies: ['training'] },
    { name: 'last', testMatch: '5-*', dependencies: ['training', 'apart', 'trained'] },
  ],
  // Limits against what hangs, on a machine that may have a lot to do: nothing here measures time.
  globalTimeout: 50 * 60_000,
  timeout: 15 * 60_000,
  expect: { timeout: 3 * 60_000 },
  reporter: process.env.PLAYWRIGHT_JSON_OUTPUT_FILE ? [['list'], ['json']] : [['list']],
  outputDir: process.env.PLAYWRIGHT_OUTPUT ?? 'test-results',
  use: {
    actionTimeout: 3 * 60_000,
    navigationTimeout: 3 * 60_000,
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    colorScheme: 'light',
    reducedMotion: 'reduce',
    viewport: { width: 1440, height: 900 },
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'],
    },
  },
});
