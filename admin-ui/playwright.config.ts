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
  timeout: 60_000,
  expect: { timeout: 20_000 },
  reporter: process.env.PLAYWRIGHT_JSON_OUTPUT_FILE ? [['list'], ['json']] : [['list']],
  outputDir: process.env.PLAYWRIGHT_OUTPUT ?? 'test-results',
  use: {
    actionTimeout: 15_000,
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
