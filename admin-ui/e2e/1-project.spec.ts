import { readFile } from 'node:fs/promises';
import { Api, People } from './api';
import { expect, expectAccessible, open, projectPath, section, settle, test } from './pages';
import { Product } from './product';

const admin = 'Olivia Organization-Admin';
let project: string;

test.beforeAll(async () => {
  project = (await (await Api.signIn(People.organizationAdmin)).places()).projects['energy-grid'] ?? '';
});

test('an export goes from options to files', async ({ page }) => {
  await open(page, projectPath(project), admin);
  await page.getByRole('button', { name: 'Export training data' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox', { name: 'Minimum confidence' }).fill('120');
  await expect(dialog.getByText('From 0 to 100 %')).toBeVisible();
  await expect(dialog.getByRole('button', { name: 'Export', exact: true })).toBeDisabled();
  await dialog.getByRole('textbox', { name: 'Minimum confidence' }).fill('90');
  await dialog.getByText('Black out').click();
  await dialog.getByRole('button', { name: 'Export', exact: true }).click();
  await expect(dialog.getByText(/\d+ examples exported/)).toBeVisible();

  const [download] = await Promise.all([
    page.waitForEvent('download'),
    dialog.getByRole('button', { name: 'Download train.jsonl' }).click(),
  ]);
  const lines = (await readFile(await download.path(), 'utf8')).trim().split('\n');
  expect(lines.length).toBeGreaterThan(20);
  expect(JSON.parse(lines[0] ?? '')).toHaveProperty('contents');

  await dialog.getByRole('button', { name: 'Preview train.jsonl' }).click();
  await expect(dialog.getByRole('region', { name: 'First lines of train.jsonl' }).locator('pre').first()).toContainText('contents');
  await dialog.getByRole('button', { name: 'Close the preview' }).click();
  await dialog.getByRole('button', { name: 'Done' }).click();
  await expect(section(page, 'Training data')).toContainText(/In the last export, .*with too many undecided entities/);
});

test('a check before a training starts nothing, can be left, and makes “enough” true', async ({ page }) => {
  await open(page, projectPath(project), admin);
  const data = section(page, 'Training data');
  await expect(data).toContainText(/At most \d+ examples, not checked yet; training takes 50/);

  // A check that hangs is left, and its request with it.
  await page.route('**/fine-tuning/preflight', () => undefined);
  const asked = page.waitForRequest('**/fine-tuning/preflight');
  await page.getByRole('button', { name: 'Start training' }).click();
  const dialog = page.getByRole('dialog', { name: 'Train the model of energy-grid?' });
  await expect(dialog.getByRole('status')).toContainText('Checking every text');
  await expect(dialog.getByRole('button', { name: 'Start training' })).toBeDisabled();
  const request = await asked;
  await dialog.getByRole('button', { name: 'Not now' }).click();
  await expect(dialog).toHaveCount(0);
  await expect.poll(() => request.failure()?.errorText).toMatch(/ABORTED/);
  await page.unroute('**/fine-tuning/preflight');

  await page.getByRole('button', { name: 'Start training' }).click();
  await expect(dialog).toContainText(/\d+ train, \d+ validate, \d+ are held out/);
  await dialog.getByText('Limits and the request to Vertex AI').click();
  await expect(dialog).toContainText('validation bytes');
  await expect(dialog.locator('pre')).toContainText('"preTunedModel"');
  await expect(dialog.locator('pre')).toContainText('{run}');
  await expectAccessible(page, '[role=dialog]');
  await dialog.getByRole('button', { name: 'Not now' }).click();
  await expect(data).toContainText(/\d+ examples: enough to train, it takes 50/);
  await expect(data).toContainText(/Checked .+\d\d:\d\d/);
  await expect(page.getByRole('region', { name: 'Training in progress' })).toHaveCount(0);
});

test('a training goes from a click to a model, which is kept back where nothing shows that it is better', async ({ page }) => {
  await open(page, projectPath(project), admin);
  await expect(section(page, 'Current model')).toContainText('General, version 1');
  await page.getByRole('button', { name: 'Start training' }).click();
  const dialog = page.getByRole('dialog', { name: 'Train the model of energy-grid?' });
  await expect(dialog).toContainText('general model, version 1');
  await expect(dialog).toContainText(/\d+ train, \d+ validate, \d+ are held out; training takes 50/);
  await expect(dialog).toContainText(/about \$/);
  await dialog.getByRole('button', { name: 'Start training' }).click();
  await expect(dialog).toHaveCount(0);

  await expect(page.getByRole('region', { name: 'Training in progress' })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Start training' })).toBeDisabled();
  await page.getByRole('navigation').getByRole('link', { name: /AI training enterprise-architecture/ }).click();
  await expect(section(page, 'General model')).toBeVisible();
  await expect(page.getByText('Training of energy-grid is complete')).toBeVisible();
  await expect(page.getByText('It has made version 1, which was kept back.')).toBeVisible();

  await page.getByRole('link', { name: 'energy-grid' }).first().click();
  const current = section(page, 'Current model');
  await expect(current).toContainText('The newest version, v1, was kept back');
  await expect(current).toContainText(
    /Not in use, no evidence that it is better: too few held-out documents to tell: \d+ of 20/,
  );
  await expect(current).toContainText('General, version 1');
  await current.getByRole('button', { name: 'Use version 1' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Use it' }).click();
  await expect(current).toContainText('Project model');
  const history = section(page, 'Training history');
  await expect(history.getByText('Completed').last()).toBeVisible();
  await history.getByRole('button', { name: 'Details of version 1' }).click();
  await expect(history).toContainText('All entities');
  await expect(history).toContainText('held out');
  await expect(history.getByRole('link', { name: /Google’s console/ })).toHaveAttribute('href', /console\.cloud\.google\.com/);
});

test('what ended while no page was open is told at the next visit, once', async ({ page }) => {
  const api = await Api.signIn(People.projectAdmin);
  await open(page, projectPath(project), 'Paul Project-Admin');
  await page.goto('about:blank');
  await api.train('project', project, { epochs: 4 });
  await page.goto(`${process.env.UI_ADDRESS}${projectPath(project)}`);
  await expect(page.getByText('Training of energy-grid is complete')).toBeVisible();
  await expect(section(page, 'Current model')).toContainText('The newest version, v2, was kept back');
  await page.reload();
  await settle(page);
  await expect(page.getByText('Training of energy-grid is complete')).toHaveCount(0);
});

test('a model that is replaced can be rolled back to, and one that was found worse only with a reason', async ({ page }) => {
  await open(page, projectPath(project), 'Paul Project-Admin');
  const current = section(page, 'Current model');
  const dialog = page.getByRole('dialog');
  await current.getByRole('button', { name: 'Use version 2' }).click();
  await dialog.getByRole('button', { name: 'Use it' }).click();
  await expect(page.getByText('Version 2 is in use')).toBeVisible();
  await current.getByRole('button', { name: 'Roll back to v1' }).click();
  await expect(dialog.getByRole('button', { name: 'Roll back' })).toBeDisabled();
  await dialog.getByRole('textbox', { name: 'Reason' }).fill('It leaves out teams.');
  await dialog.getByRole('button', { name: 'Roll back' }).click();
  await expect(page.getByText('Version 1 is in use')).toBeVisible();
  await expect(current).toContainText('Version 1');

  // Its evaluation ends only now, as far as this page knows.
  await current.getByRole('button', { name: 'Use version 2' }).click();
  const verdict = await Product.act((product) => product.setVerdict(project, 2, 'worse'));
  await dialog.getByRole('button', { name: 'Use it' }).click();
  await expect(dialog.getByRole('alert')).toContainText('It was evaluated as worse');
  await expect(dialog.getByRole('button', { name: 'Use it' })).toBeDisabled();
  await dialog.getByRole('textbox', { name: 'Reason' }).fill('It finds the teams.');
  await dialog.getByRole('button', { name: 'Use it' }).click();
  await expect(current).toContainText('Version 2');
  await Product.act((product) => product.setVerdict(project, 2, verdict));
});

test('what the models extract is reviewed', async () => {
  const { projects } = await (await Api.signIn(People.organizationAdmin)).places();
  await Product.act(async (product) => {
    await product.extractAndReview(project, 'project', 16);
    await product.extractAndReview(projects.logistics ?? '', 'general', 16);
  });
});
