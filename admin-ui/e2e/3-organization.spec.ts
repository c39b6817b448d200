import { Api, People } from './api';
import { expect, open, organizationPath, projectPath, section, test } from './pages';

test('the organization’s page shows totals, projects and the general model', async ({ page }) => {
  const { organization } = await (await Api.signIn(People.organizationAdmin)).places();
  await open(page, organizationPath(organization), 'Olivia Organization-Admin');
  await expect(section(page, 'General model')).toContainText('Version 1');
  await expect(section(page, 'Projects')).toContainText('3 of 3');
  await expect(section(page, 'Projects').getByRole('row', { name: /energy-grid/ })).toContainText('v2');
  await page.getByRole('button', { name: /All 5 types/ }).click();
  await expect(page.getByRole('dialog').getByRole('row', { name: /System/ })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(section(page, 'Schedule')).toContainText('Tell the admins of the projects');
  await expect(page.getByRole('button', { name: 'Start training' })).toBeEnabled();
  // It has never been exported by itself: what was left out is known from its training.
  await expect(section(page, 'Training data')).toContainText(/In the last training, .*: /);

  const extractions = section(page, 'Extractions');
  for (const model of ['Project models', 'General model', 'Base model']) {
    await expect(extractions.getByRole('img', { name: new RegExp(`^Accuracy of ${model}: \\d+ %, between`) })).toBeVisible();
  }

  // The base model knows none of the names that people use here.
  await expect(extractions.getByText('Better than the base model')).toBeVisible();
});

test('a project’s people who are not the organization’s learn what a training goes on from', async ({ page }) => {
  const { projects } = await (await Api.signIn(People.organizationAdmin)).places();
  await open(page, projectPath(projects['energy-grid'] ?? ''), 'Paul Project-Admin');
  await expect(section(page, 'Current model')).toContainText('general model, version 1');
  await page.getByRole('button', { name: 'Start training' }).click();
  await expect(page.getByRole('dialog')).toContainText(/On top of\s*general model, version 1/);
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
