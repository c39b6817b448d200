import { fileURLToPath } from 'node:url';
import { expect, expectAccessible, open, projectPath, section, test } from './pages';
import { Product } from './product';

test('a dear training waits on its page until somebody approves its sum', async ({ page }) => {
  const project = await Product.act((product) => product.addYoungProject('Elsewhere', 12, 'young and dear'));
  const run = await Product.act((product) => product.addWaitingTraining(project, 81.32));
  await open(page, projectPath(project), 'Otto Outsider');
  const live = section(page, 'Training in progress');
  await expect(live).toContainText('Needs an approval');
  await expect(live).toContainText('Waits for an approval of $81.32');
  await expect(live).toContainText('more than the 50.00 USD that may be spent without an approval');
  await expect(live).toContainText('Without an approval it is skipped on');
  await expectAccessible(page, 'section[aria-label="Training in progress"]');
  if (process.env.SCREENSHOTS !== undefined) {
    await live.screenshot({ path: fileURLToPath(new URL('../../docs/screenshots/approval.png', import.meta.url)) });
  }

  await live.getByRole('button', { name: 'Approve $81.32' }).click();
  const dialog = page.getByRole('dialog', { name: 'Approve $81.32?' });
  await dialog.getByRole('textbox', { name: 'Reason' }).fill('the new corpus');
  await dialog.getByRole('button', { name: 'Approve $81.32' }).click();
  await expect(dialog).toHaveCount(0);
  await expect(live).not.toContainText('Waits for an approval');
  expect(await Product.act((product) => product.auditOf(run))).toEqual(['approve-training: 81.32 USD: the new corpus']);

  // It has no files, so that nothing but its end can come of it.
  await live.getByRole('button', { name: 'Cancel training' }).click();
  const end = page.getByRole('dialog', { name: 'Cancel this training?' });
  await end.getByRole('textbox', { name: 'Reason' }).fill('the test is over');
  await end.getByRole('button', { name: 'Cancel training' }).click();
  await expect(live).toHaveCount(0);
});
