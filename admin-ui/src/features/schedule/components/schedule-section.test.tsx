import { screen } from '@testing-library/react';
import { afterEach, expect, it, vi } from 'vitest';
import type { ScheduleView } from '@/api/types';
import { answer } from '@/test/api';
import { aSchedule } from '@/test/examples';
import { show } from '@/test/render';
import { ScheduleSection } from './schedule-section';

afterEach(() => {
  vi.unstubAllGlobals();
});

async function section(part: Partial<ScheduleView>) {
  answer({ '/projects/p/training/schedule': () => Response.json(aSchedule(part), { headers: { ETag: '"4"' } }) });
  show(<ScheduleSection scope={{ kind: 'project', id: 'p' }} mayChange />);
  await screen.findByRole('heading', { name: 'Next times' });
}

it('shows a time that has come and waits above those that come next', async () => {
  await section({ waitingSlot: '2026-11-21T02:00:00+01:00' });
  const waiting = screen.getByText(/^Waiting for the general model since/);
  expect(waiting).toHaveTextContent('21');
  const next = screen.getByRole('listitem');
  expect(next).toHaveTextContent('28');
  expect(waiting.compareDocumentPosition(next) & Node.DOCUMENT_POSITION_FOLLOWING).toBeTruthy();
});

it('speaks of no waiting when nothing waits', async () => {
  await section({});
  expect(screen.queryByText(/Waiting for the general model/)).not.toBeInTheDocument();
});

it('shows what a month has cost by kind, and what nobody has a price for', async () => {
  await section({
    spending: {
      month: '2026-11-01', limitUsd: 100, isDefaultLimit: true, committedUsd: 12.5, tuningUsd: 5, evaluationUsd: 2.5,
      extractionUsd: 5, unpriced: [{ kind: 'extraction', baseModel: 'gemini-9' }],
    },
  });
  expect(screen.getByText(/of \$100.*, the usual limit of an organization/)).toHaveTextContent('$12.50');
  expect(screen.getByText(/no limit ends these/)).toHaveTextContent('$5.00');
  expect(screen.getByText(/extraction with gemini-9, because nobody has set its price/)).toBeVisible();
});
