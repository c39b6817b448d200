import { screen } from '@testing-library/react';
import type { ComponentProps } from 'react';
import { expect, it, vi } from 'vitest';
import { aResult, anExport } from '@/test/examples';
import { show } from '@/test/render';
import { ExportOptionsModal } from './export-options-modal';

function modal(part: Partial<ComponentProps<typeof ExportOptionsModal>> = {}) {
  return (
    <ExportOptionsModal
      opened
      onClose={vi.fn()}
      name="energy-grid"
      initial={{ minConfidence: 0.9, humanReviewedOnly: false }}
      onExport={vi.fn()}
      isStarting={false}
      current={undefined}
      error={null}
      onCancel={vi.fn()}
      onAgain={vi.fn()}
      {...part}
    />
  );
}

it('begins with what was chosen on the page, and leaves personal data out', async () => {
  const onExport = vi.fn();
  const { user } = show(modal({ onExport }));
  await user.click(screen.getByRole('button', { name: 'Export' }));
  expect(onExport).toHaveBeenCalledWith({ pii: 'exclude', minConfidence: 0.9, humanReviewedOnly: false });
});

it('says what becomes of personal data', async () => {
  const onExport = vi.fn();
  const { user } = show(modal({ onExport }));
  await user.click(screen.getByRole('radio', { name: 'Black out' }));
  expect(screen.getByText('Placeholders such as [EMAIL_1] replace personal data; two people stay two.')).toBeVisible();
  await user.click(screen.getByRole('button', { name: 'Export' }));
  expect(onExport).toHaveBeenCalledWith(expect.objectContaining({ pii: 'redact' }));
});

it('refuses a share that the API would refuse', async () => {
  const { user } = show(modal());
  await user.click(screen.getByRole('button', { name: 'Advanced' }));
  await user.type(await screen.findByRole('textbox', { name: 'Validation share' }), '50');
  expect(screen.getByText('From 0 to 23 %')).toBeVisible();
  expect(screen.getByRole('button', { name: 'Export' })).toBeDisabled();
});

it('shows how far it is, and can be stopped', async () => {
  const onCancel = vi.fn();
  const { user } = show(modal({ current: anExport(), onCancel }));
  expect(screen.getByText(/81 examples out of 90 texts/)).toBeVisible();
  await user.click(screen.getByRole('button', { name: 'Cancel export' }));
  expect(onCancel).toHaveBeenCalledOnce();
});

it('ends with the files and what was left out', () => {
  show(modal({ current: anExport({ state: 'succeeded', isOver: true, result: aResult() }) }));
  expect(screen.getByText('81 examples exported')).toBeVisible();
  expect(screen.getByText('4 with personal data')).toBeVisible();
  expect(screen.queryByText(/repeat another/)).not.toBeInTheDocument();
  expect(screen.getByRole('button', { name: 'Download train.jsonl' })).toBeEnabled();
});

it('names the types that no prompt shows', () => {
  const part = {
    projectId: '01a2160c-f44b-7f8a-a6ea-ffa3da995aa5',
    kind: 'entity',
    type: 'Desk of [EMAIL]',
    part: 'type',
    reason: 'personal_data',
  };
  show(
    modal({
      current: anExport({ state: 'succeeded', isOver: true, result: { ...aResult(), leftOutOfPrompts: [part] } }),
    }),
  );
  expect(
    screen.getByText('the entity type “Desk of [EMAIL]”, and nothing of that type (personal data)'),
  ).toBeVisible();
});

it('says what was merged inside the examples, and how many names their texts do not have', () => {
  const result = aResult();
  result.leftOut = { repeated_entities: 12, outside_example: 0 };
  result.counts.entitiesNotInText = 7;
  show(modal({ current: anExport({ state: 'succeeded', isOver: true, result }) }));
  expect(
    screen.getByText('Inside the examples: 12 entities merged into another one of the same type and name.'),
  ).toBeVisible();
  expect(screen.getByText('The names of 7 of 400 entities do not stand in their texts.')).toBeVisible();
});

it('tells why nothing was exported', () => {
  show(modal({ current: anExport({ state: 'skipped', isOver: true, reason: 'There is no example.' }) }));
  expect(screen.getByText('Nothing was exported')).toBeVisible();
  expect(screen.getByText('There is no example.')).toBeVisible();
});
