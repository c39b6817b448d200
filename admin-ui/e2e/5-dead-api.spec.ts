import { Api, People } from './api';
import { expect, open, projectPath, test } from './pages';

// The last one: the installation does not come back.
test('when the server is gone, the page says so and keeps what it has', async ({ page }) => {
  const { projects } = await (await Api.signIn(People.organizationAdmin)).places();
  await open(page, projectPath(projects.logistics ?? ''), 'Olivia Organization-Admin');
  process.kill(Number(process.env.STACK_PID), 'SIGTERM');
  await expect
    .poll(async () => fetch(`${process.env.UI_ADDRESS}/api/healthz`).then(() => true, () => false))
    .toBe(false);

  await page.getByRole('button', { name: 'Export training data' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Export', exact: true }).click();
  await expect(page.getByRole('dialog').getByText('The server does not answer')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByText('Verified entities by type')).toBeVisible();

});
