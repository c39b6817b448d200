import { AxeBuilder } from '@axe-core/playwright';
import { expect, test as base, type Page } from '@playwright/test';

/** A page whose script makes no mistake and breaks no rule of the page's policy. */
export const test = base.extend<{ page: Page }>({
  page: async ({ page }, runTest) => {
    const mistakes: string[] = [];
    page.on('pageerror', (error) => mistakes.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) {
        mistakes.push(message.text());
      }
    });
    await runTest(page);
    expect(mistakes).toEqual([]);
  },
});

export { expect };

export function projectPath(id: string): string {
  return `/projects/${id}/settings/ai-training`;
}

export function organizationPath(id: string): string {
  return `/organizations/${id}/settings/ai-training`;
}

/** Through the login of the installation, as a person does it. */
export async function open(page: Page, path: string, person: string): Promise<void> {
  await page.goto(`${process.env.UI_ADDRESS}${path}`);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('button', { name: `Continue as ${person}` }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'AI training' })).toBeVisible();
  await expect(page).toHaveURL(`${process.env.UI_ADDRESS}${path}`);
  await settle(page);
}

/** Everything has been loaded, and nothing has failed. */
export async function settle(page: Page): Promise<void> {
  await expect(page.getByRole('status', { name: 'Loading' })).toHaveCount(0);
  await expect(page.locator('.recharts-bar-rectangle').first()).toBeVisible();
  await expect(page.getByRole('alert')).toHaveCount(0);
}

export function section(page: Page, name: string) {
  return page.getByRole('region', { name, exact: true });
}

/**
 * Nothing that keeps somebody from using the page, once what is drawn has followed its colours.
 * @param part A selector: the rest of the page has been looked at.
 */
export async function expectAccessible(page: Page, part = 'html'): Promise<void> {
  await expect(async () => {
    const { violations } = await new AxeBuilder({ page }).include(part).analyze();
    const serious = violations
      .filter((each) => each.impact === 'serious' || each.impact === 'critical')
      .map((each) => `${each.id}: ${each.nodes.map((node) => node.html).join(' | ')}`);
    expect(serious).toEqual([]);
  }).toPass({ timeout: 3 * 60_000 });
}

/** Nothing sticks out to the right, once what is drawn has followed the size of the window. */
export async function expectToFit(page: Page): Promise<void> {
  await expect
    .poll(() => page.evaluate(() => document.documentElement.scrollWidth - innerWidth))
    .toBeLessThanOrEqual(0);
}
