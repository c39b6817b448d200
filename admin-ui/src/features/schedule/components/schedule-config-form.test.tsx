import { screen } from '@testing-library/react';
import type { ComponentProps } from 'react';
import { expect, it, vi } from 'vitest';
import { ApiProblem } from '@/api/problem';
import { aSchedule, someSettings } from '@/test/examples';
import { show } from '@/test/render';
import { ScheduleConfigForm } from './schedule-config-form';

function form(part: Partial<ComponentProps<typeof ScheduleConfigForm>> = {}) {
  return (
    <ScheduleConfigForm
      kind="project"
      schedule={aSchedule()}
      mayChange
      isSaving={false}
      error={null}
      onSave={vi.fn()}
      onReload={() => Promise.resolve(aSchedule())}
      onEdit={vi.fn()}
      {...part}
    />
  );
}

const threshold = () => screen.getByRole('textbox', { name: /New verified examples/ });
const save = () => screen.getByRole('button', { name: 'Save schedule' });

it('says the time in words, and saves only what was changed', async () => {
  const onSave = vi.fn();
  const { user } = show(form({ onSave }));
  expect(screen.getByText('At 02:00, only on Saturday, Europe/Berlin')).toBeVisible();
  expect(save()).toBeDisabled();
  await user.clear(threshold());
  await user.type(threshold(), '250');
  await user.click(save());
  expect(onSave).toHaveBeenCalledWith(someSettings({ thresholdCount: 250 }), 4);
});

it('speaks up while one types, and goes back on cancel', async () => {
  const { user } = show(form());
  await user.clear(threshold());
  expect(screen.getByText('A whole number from 1 to 1,000,000')).toBeVisible();
  expect(save()).toBeDisabled();
  await user.click(screen.getByRole('button', { name: 'Cancel' }));
  expect(threshold()).toHaveValue('100');
});

it('keeps what somebody types when a newer version arrives, and lets them choose', async () => {
  const onSave = vi.fn();
  const onReload = () => Promise.resolve(aSchedule({ version: 5 }));
  const { user, again } = show(form({ onSave, onReload }));
  await user.clear(threshold());
  await user.type(threshold(), '7');
  again(form({ onSave, onReload, schedule: aSchedule({ version: 5, settings: someSettings({ thresholdCount: 9 }) }) }));
  expect(screen.getByText('Somebody else has saved meanwhile')).toBeVisible();
  expect(threshold()).toHaveValue('7');
  await user.click(screen.getByRole('button', { name: 'Save mine over theirs' }));
  expect(onSave).toHaveBeenCalledWith(someSettings({ thresholdCount: 7 }), 5);
});

it('takes a newer version over when there is nothing to lose', () => {
  const { again } = show(form());
  again(form({ schedule: aSchedule({ version: 5, settings: someSettings({ thresholdCount: 9 }) }) }));
  expect(threshold()).toHaveValue('9');
});

it('shows a refusal at its field', async () => {
  const error = new ApiProblem({
    type: 'urn:feedback-loop:invalid-request',
    title: 'The request is not valid',
    status: 400,
    errors: { timeZone: ['timeZone must be an IANA time zone'] },
  });
  const { user, again } = show(form());
  await user.type(threshold(), '1');
  again(form({ error }));
  expect(screen.getByText('timeZone must be an IANA time zone')).toBeVisible();
  expect(screen.getByText('Look at the fields that are marked.')).toBeVisible();
});

it('has what only organizations have', () => {
  show(form({ kind: 'organization' }));
  expect(screen.getByRole('textbox', { name: 'Monthly limit' })).toBeEnabled();
  expect(screen.getByRole('switch', { name: 'Tell the admins of the projects' })).toBeEnabled();
  expect(screen.queryByRole('switch', { name: /When the general model/ })).not.toBeInTheDocument();
});

it('takes the limit away only when somebody says that there is none', async () => {
  const onSave = vi.fn();
  const { user } = show(form({ kind: 'organization', onSave }));
  await user.click(screen.getByRole('switch', { name: /Limit the spending of a month/ }));
  expect(screen.queryByRole('textbox', { name: 'Monthly limit' })).not.toBeInTheDocument();
  await user.click(screen.getByRole('button', { name: 'Save schedule' }));
  expect(onSave).toHaveBeenCalledWith(expect.objectContaining({ noMonthlyLimit: true, monthlyLimitUsd: null }), expect.any(Number));
});

it('lets members look', () => {
  show(form({ mayChange: false }));
  expect(screen.getByText(/Changing it takes an admin/)).toBeVisible();
  expect(screen.queryByRole('button', { name: 'Save schedule' })).not.toBeInTheDocument();
  expect(screen.getByRole('switch', { name: /Train by itself/ })).toBeDisabled();
});

it('lets an organization set the least that is done about personal data, and a project not', async () => {
  const onSave = vi.fn();
  const { user, again } = show(form({ kind: 'organization', onSave }));
  const floor = screen.getByRole('combobox', { name: 'Personal data in training examples' });
  expect(floor).toHaveValue('Leave out, or put placeholders in its place');
  await user.click(floor);
  await user.click(screen.getByRole('option', { name: 'Leave out each example that has some' }));
  await user.click(save());
  expect(onSave).toHaveBeenCalledWith(someSettings({ piiFloor: 'exclude' }), 4);
  again(form({ kind: 'project' }));
  expect(screen.queryByRole('combobox', { name: 'Personal data in training examples' })).toBeNull();
});
