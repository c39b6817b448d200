import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Api, People } from './api';
import { expect, expectAccessible, expectToFit, open, organizationPath, projectPath, section, test } from './pages';

/** Only when they are asked for: a test run changes nothing in the repository. */
const wantsPictures = process.env.SCREENSHOTS !== undefined;
const pictures = fileURLToPath(new URL('../../docs/screenshots', import.meta.url));

/** Between them, the checked ones have every layout and every colour. */
const looks = [
  { name: 'desktop-light', width: 1440, scheme: 'light', isChecked: true },
  { name: 'desktop-dark', width: 1440, scheme: 'dark', isChecked: false },
  { name: 'phone-light', width: 390, scheme: 'light', isChecked: false },
  { name: 'phone-dark', width: 390, scheme: 'dark', isChecked: true },
] as const;

test.describe.configure({ mode: 'parallel' });

test.beforeAll(() => {
  if (wantsPictures) {
    mkdirSync(pictures, { recursive: true });
  }
});

for (const kind of ['project', 'organization'] as const) {
  test(`the ${kind}’s page is clear in every size, in light and dark`, async ({ page }) => {
    const { organization, projects } = await (await Api.signIn(People.organizationAdmin)).places();
    const path = kind === 'project' ? projectPath(projects['energy-grid'] ?? '') : organizationPath(organization);
    await open(page, path, 'Olivia Organization-Admin');
    for (const { name, width, scheme, isChecked } of looks.filter((each) => each.isChecked || wantsPictures)) {
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
      await expect(page.locator('html')).toHaveAttribute('data-mantine-color-scheme', scheme);
      await expect(page.locator('.recharts-bar-rectangle').first()).toBeVisible();
      await expectToFit(page);
      if (isChecked) {
        await expectAccessible(page);
      }

      if (wantsPictures) {
        await page.screenshot({ path: `${pictures}/${kind}-${name}.png`, fullPage: true });
      }
    }

    for (const width of [360, 1920]) {
      await page.setViewportSize({ width, height: 900 });
      await expectToFit(page);
    }
  });
}

test('an opened training and the dialogs are clear too', async ({ page }) => {
  const { projects } = await (await Api.signIn(People.organizationAdmin)).places();
  await open(page, projectPath(projects['energy-grid'] ?? ''), 'Olivia Organization-Admin');
  const history = section(page, 'Training history');
  await history.getByRole('button', { name: 'Details of version 2' }).click();
  await expect(history).toContainText('All entities');
  await expect(history.getByRole('button', { name: 'Preview train.jsonl' })).toBeVisible();
  await expectAccessible(page, 'section:has(table)');
  if (wantsPictures) {
    // In one piece: the bar at the top stays where it is when one scrolls.
    await page.setViewportSize({ width: 1440, height: 3000 });
    await history.screenshot({ path: `${pictures}/training-details.png` });
    await page.setViewportSize({ width: 1440, height: 900 });
  }

  for (const [button, name] of [
    ['Start training', 'start-training'],
    ['Export training data', 'export'],
  ] as const) {
    await page.getByRole('button', { name: button }).click();
    await expect(page.getByRole('dialog')).toBeVisible();
    await expectAccessible(page, '[role=dialog]');
    if (wantsPictures) {
      await page.getByRole('dialog').screenshot({ path: `${pictures}/${name}.png` });
    }

    await page.keyboard.press('Escape');
  }
});
