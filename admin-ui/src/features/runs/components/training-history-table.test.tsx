import { screen, within } from '@testing-library/react';
import { expect, it } from 'vitest';
import { aRun } from '@/test/examples';
import { show } from '@/test/render';
import { TrainingHistoryTable } from './training-history-table';

it('shows version, examples, status, verdict and trigger, and that it is in use', () => {
  show(<TrainingHistoryTable runs={[aRun()]} details={() => null} />);
  const row = screen.getByRole('row', { name: /v3/ });
  for (const text of ['v3', 'in use', '1,202', 'Completed', 'Better', 'By hand']) {
    expect(within(row).getByText(text)).toBeInTheDocument();
  }

  // In the reader's zone, which is Berlin here.
  expect(within(row).getByText('Nov 26, 2026, 05:11')).toBeInTheDocument();
});

it('shows a training without a model', () => {
  const run = aRun({ model: null, state: 'skipped', trigger: 'threshold', trainExamples: null, endedAt: null });
  show(<TrainingHistoryTable runs={[run]} details={() => null} />);
  expect(screen.getByText('Skipped')).toBeInTheDocument();
  expect(screen.getByText('Enough new data')).toBeInTheDocument();
  expect(screen.queryByText('in use')).not.toBeInTheDocument();
});

it('opens one row at a time with what is known of it', async () => {
  const runs = [aRun(), aRun({ id: 'other', model: null })];
  const { user } = show(<TrainingHistoryTable runs={runs} details={(run) => <p>all of {run.id}</p>} />);
  expect(screen.queryByText(/all of/)).not.toBeInTheDocument();
  const opener = screen.getByRole('button', { name: 'Details of version 3' });
  await user.click(opener);
  expect(opener).toHaveAttribute('aria-expanded', 'true');
  expect(await screen.findByText(`all of ${aRun().id}`)).toBeInTheDocument();
  expect(screen.queryByText('all of other')).not.toBeInTheDocument();
});
