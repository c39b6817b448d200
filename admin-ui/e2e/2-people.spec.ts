import { fileURLToPath } from 'node:url';
import { Api, People } from './api';
import { expect, expectAccessible, open, organizationPath, projectPath, section, settle, test } from './pages';
import { Product } from './product';

const admin = 'Olivia Organization-Admin';

test('nothing of one person is left for the next', async ({ page }) => {
  const { organization, projects } = await (await Api.signIn(People.organizationAdmin)).places();
  const path = projectPath(projects.logistics ?? '');
  await open(page, path, 'Olivia Organization-Admin');
  await page.getByRole('button', { name: 'Signed in as Olivia Organization-Admin' }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible();
  expect(await page.evaluate(() => sessionStorage.length)).toBe(0);

  await page.goto(`${process.env.UI_ADDRESS}${path}`);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('button', { name: 'Continue as Otto Outsider' }).click();
  await expect(page.getByText('There is no such page')).toBeVisible();
  await expect(page.getByText('logistics')).toHaveCount(0);
  await page.goto(`${process.env.UI_ADDRESS}${organizationPath(organization)}`);
  await expect(page.getByText('There is no such page')).toBeVisible();
  await page.getByRole('link', { name: 'Go to your first project' }).click();
  await expect(page.getByText('No verified entities yet')).toBeVisible();
  await expect(page.getByText('No training yet')).toBeVisible();
  await expect(page.getByText('0 of 50 examples; 50 missing')).toBeVisible();
  await expect(page.getByText(/^No new examples in the last 14 days/)).toBeVisible();
});

test('a young project says when it will have enough', async ({ page }) => {
  const project = await Product.act((product) => product.addYoungProject('Elsewhere', 40));
  await open(page, projectPath(project), 'Otto Outsider');
  const data = section(page, 'Training data');
  await expect(data).toContainText('40 of 50 examples; about 4 days at this pace');
  await expect(data).toContainText('40 new examples in the last 14 days');
  if (process.env.SCREENSHOTS !== undefined) {
    await data.screenshot({ path: fileURLToPath(new URL('../../docs/screenshots/pace.png', import.meta.url)) });
  }
});

test('the pages can be used by keyboard from the first key on', async ({ page }) => {
  const { projects } = await (await Api.signIn(People.organizationAdmin)).places();
  await open(page, projectPath(projects.logistics ?? ''), 'Olivia Organization-Admin');
  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: 'Skip to the content' })).toBeFocused();
  const start = page.getByRole('button', { name: 'Start training' });
  await start.focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await expect(start).toBeFocused();
  await settle(page);
});

test('older trainings are shown page by page, and filters narrow them', async ({ page }) => {
  const { projects } = await (await Api.signIn(People.organizationAdmin)).places();
  await open(page, projectPath(projects.logistics ?? ''), admin);
  const history = section(page, 'Training history');
  const openers = history.getByRole('button', { name: 'Details of the training without a model' });
  await expect(openers).toHaveCount(10);
  await history.getByRole('button', { name: 'Show older ones' }).click();
  await expect(openers).toHaveCount(13);
  await expect(history.getByRole('button', { name: 'Show older ones' })).toHaveCount(0);

  await history.getByRole('combobox', { name: 'Period' }).click();
  await page.getByRole('option', { name: 'Last 7 days' }).click();
  await expect(openers).toHaveCount(6);
  await expect(page).toHaveURL(/\?days=7$/);
  await history.getByRole('combobox', { name: 'Trigger' }).click();
  await page.getByRole('option', { name: 'By hand' }).click();
  await expect(history).toContainText('No training is like that');
  await history.getByRole('button', { name: 'Show all trainings' }).click();
  await expect(openers).toHaveCount(13);
});

test('the session is renewed before it ends, and when it has ended the page waits', async ({ page }) => {
  await page.clock.install();
  const { projects } = await (await Api.signIn(People.organizationAdmin)).places();
  await open(page, projectPath(projects.logistics ?? ''), admin);
  const token = () =>
    page.evaluate(() => {
      const user = Object.values(sessionStorage).find((each) => each.includes('access_token')) ?? '{}';
      return JSON.parse(user) as { access_token: string; expires_at: number };
    });
  /** Lets time pass until so many seconds before the token expires. */
  const passUntil = async (seconds: number) => {
    const { expires_at } = await token();
    await page.clock.fastForward((expires_at - seconds) * 1000 - (await page.evaluate(() => Date.now())));
  };

  const { access_token } = await token();
  await passUntil(30);
  await expect.poll(async () => (await token()).access_token).not.toBe(access_token);

  const schedule = section(page, 'Schedule');
  await schedule.getByRole('switch', { name: 'Train by itself' }).click();
  // From now on the issuer knows of no refresh token, as when somebody was signed out elsewhere.
  await page.route('**/token', (route) => route.fulfill({ status: 400, json: { error: 'invalid_grant' } }));
  await passUntil(-1);
  const dialog = page.getByRole('dialog', { name: 'Your session has ended' });
  await expect(dialog).toBeVisible();
  await expectAccessible(page, '[role=dialog]');
  const [popup] = await Promise.all([
    page.waitForEvent('popup'),
    page.unroute('**/token'),
    dialog.getByRole('button', { name: 'Sign in again' }).click(),
  ]);
  await popup.getByRole('button', { name: `Continue as ${admin}` }).click();
  await expect(dialog).toHaveCount(0);
  await expect(schedule.getByRole('switch', { name: 'Train by itself' })).toBeChecked();
});
