import { Api, People } from './api';
import { expect, open, organizationPath, projectPath, section, settle, test } from './pages';

test('the organization’s page shows totals, projects and the general model', async ({ page }) => {
  const { organization } = await (await Api.signIn(People.organizationAdmin)).places();
  await open(page, organizationPath(organization), 'Olivia Organization-Admin');
  await expect(section(page, 'General model')).toContainText('Version 1');
  await expect(section(page, 'Projects')).toContainText('3 of 3');
  await expect(section(page, 'Projects').getByRole('row', { name: /energy-grid/ })).toContainText('v1');
  await page.getByRole('button', { name: /All 5 types/ }).click();
  await expect(page.getByRole('dialog').getByRole('row', { name: /System/ })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(section(page, 'Schedule')).toContainText('Tell the admins of the projects');
  await expect(page.getByRole('button', { name: 'Start training' })).toBeEnabled();
});

test('a member looks and is not offered what only admins do', async ({ page }) => {
  const { projects } = await (await Api.signIn(People.organizationAdmin)).places();
  await open(page, projectPath(projects['energy-grid'] ?? ''), 'Mia Member');
  await expect(page.getByText('You may look at this project.')).toBeVisible();
  for (const name of ['Start training', 'Export training data', 'Save schedule', 'Take out of use', /^Roll back/, /^Use/]) {
    await expect(section(page, 'Current model').getByRole('button', { name })).toHaveCount(0);
    await expect(page.getByRole('main').getByRole('button', { name })).toHaveCount(0);
  }

  await expect(section(page, 'Schedule').getByRole('switch').first()).toBeDisabled();
  await section(page, 'Training history').getByRole('button', { name: /Details of version 1/ }).click();
  await expect(page.getByText('Admins can download them.').first()).toBeVisible();
  await expect(page.getByRole('button', { name: /^Download/ })).toHaveCount(0);
});

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
