import { screen, within } from '@testing-library/react';
import { afterEach, expect, it, vi } from 'vitest';
import type { RunSummary } from '@/api/types';
import { answer, refusal } from '@/test/api';
import { aRun } from '@/test/examples';
import { show } from '@/test/render';
import { ApprovalCard } from './approval-card';
import { LiveRun } from './live-run';

const path = '/fine-tuning/runs/dear/approve';

afterEach(() => {
  vi.unstubAllGlobals();
});

function waiting(part: Partial<RunSummary> = {}): RunSummary {
  return aRun({
    id: 'dear',
    state: 'awaiting_approval',
    isOver: false,
    endedAt: null,
    model: null,
    reason: 'the training is estimated at 81.32 USD, more than the 50.00 USD that may be spent without an approval',
    approval: { askedUsd: 81.32, until: '2026-12-07T10:00:00Z', approvedUsd: null, approvedAt: null },
    ...part,
  });
}

it('says what it would cost, why somebody is asked and until when', () => {
  show(<ApprovalCard run={waiting()} mayChange />);
  const card = screen.getByRole('group', { name: 'Waits for an approval of $81.32' });
  expect(card).toHaveTextContent('Waits for an approval of $81.32');
  expect(card).toHaveTextContent('The training is estimated at 81.32 USD, more than the 50.00 USD');
  expect(card).toHaveTextContent('Without an approval it is skipped on Mon, Dec 7, 11:00.');
});

it('approves the sum that was seen, with the reason', async () => {
  const bodies: unknown[] = [];
  answer({
    [path]: async (_, request) => {
      bodies.push(await request.json());
      return { id: 'dear', purpose: 'training', createdAt: '2026-11-30T10:00:00Z', href: '', generalTraining: null };
    },
  });
  const { user } = show(<ApprovalCard run={waiting()} mayChange />);
  await user.click(screen.getByRole('button', { name: 'Approve $81.32' }));
  const dialog = await screen.findByRole('dialog', { name: 'Approve $81.32?' });
  await user.type(within(dialog).getByRole('textbox', { name: 'Reason' }), 'the new corpus');
  await user.click(within(dialog).getByRole('button', { name: 'Approve $81.32' }));
  await vi.waitFor(() => expect(screen.queryByRole('dialog')).not.toBeInTheDocument());
  expect(bodies).toEqual([{ estimatedUsd: 81.32, reason: 'the new corpus' }]);
});

it('shows why the API does not take it', async () => {
  answer({ [path]: () => refusal(409, 'nothing-to-approve', 'There is nothing to approve', 'The run is cancelled.') });
  const { user } = show(<ApprovalCard run={waiting()} mayChange />);
  await user.click(screen.getByRole('button', { name: 'Approve $81.32' }));
  const dialog = await screen.findByRole('dialog');
  await user.click(within(dialog).getByRole('button', { name: 'Approve $81.32' }));
  expect(await within(dialog).findByText('The run is cancelled.')).toBeVisible();
});

it('offers a member nothing to approve', () => {
  show(<ApprovalCard run={waiting()} mayChange={false} />);
  expect(screen.queryByRole('button')).not.toBeInTheDocument();
  expect(screen.getByText('Approving takes an admin.')).toBeVisible();
});

it('is not there for a run that waits for nobody', () => {
  show(<ApprovalCard run={aRun({ approval: { askedUsd: null, until: null, approvedUsd: 60, approvedAt: null } })} mayChange />);
  expect(screen.queryByRole('group')).not.toBeInTheDocument();
});

it('stands in the training that is in progress, which can be cancelled', () => {
  show(<LiveRun run={waiting()} mayChange />);
  expect(screen.getByRole('button', { name: 'Approve $81.32' })).toBeVisible();
  expect(screen.getByRole('button', { name: 'Cancel training' })).toBeVisible();
  expect(screen.getByText('It costs more than usual. An admin approves it, or it is skipped.')).toBeVisible();
});
