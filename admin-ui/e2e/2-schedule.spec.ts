import { Api, People } from './api';
import { expect, open, projectPath, section, test } from './pages';

test('a schedule is checked while one types, and nobody’s change is lost', async ({ page }) => {
  const api = await Api.signIn(People.organizationAdmin);
  const project = (await api.places()).projects['retail-banking'] ?? '';
  await open(page, projectPath(project), 'Olivia Organization-Admin');
  const schedule = section(page, 'Schedule');
  const save = schedule.getByRole('button', { name: 'Save schedule' });
  await expect(save).toBeDisabled();

  await schedule.getByRole('switch', { name: 'Train by itself' }).click();
  await schedule.getByRole('switch', { name: 'At a fixed time' }).click();
  await expect(schedule.getByText(/At 02:00, only on Saturday, Europe\/Berlin/)).toBeVisible();
  await schedule.getByText('Cron', { exact: true }).click();
  const expression = schedule.getByRole('textbox', { name: 'Cron expression' });
  await expression.fill('0 */2 * * *');
  await expect(schedule.getByText('At least 6 hours must lie between two trainings')).toBeVisible();
  await expect(save).toBeDisabled();

  // Only a calendar shows that this one never comes; the API has one.
  await expression.fill('0 2 30 2 *');
  await save.click();
  await expect(schedule.getByText(/must fire within 5 years/)).toBeVisible();

  await schedule.getByText('Monthly', { exact: true }).click();
  await schedule.getByRole('textbox', { name: 'Day of the month' }).fill('15');
  await expect(schedule.getByText(/on day 15 of the month/)).toBeVisible();
  await save.click();
  await expect(page.getByText('Schedule saved')).toBeVisible();
  await expect(schedule.getByRole('listitem').first()).toContainText('15');
  await expect(save).toBeDisabled();

  await api.saveSchedule(project, { enabled: false, thresholdEnabled: true, thresholdCount: 33 });
  await schedule.getByRole('switch', { name: 'When the general model is renewed' }).click();
  await save.click();
  await expect(schedule.getByText('Somebody else has saved meanwhile')).toBeVisible();
  await schedule.getByRole('button', { name: 'Show theirs, and drop mine' }).click();
  await expect(schedule.getByRole('textbox', { name: 'New verified examples since the last training' })).toHaveValue('33');
  await expect(save).toBeDisabled();
});
