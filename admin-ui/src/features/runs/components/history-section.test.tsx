import { screen, waitFor } from '@testing-library/react';
import { afterEach, expect, it, vi } from 'vitest';
import type { Scope } from '@/api/types';
import { answer, refusal } from '@/test/api';
import { aRun } from '@/test/examples';
import { show } from '@/test/render';
import { HistorySection } from './history-section';

const scope: Scope = { kind: 'project', id: 'p' };
const path = '/projects/p/training/history';
const versions = (...numbers: number[]) =>
  numbers.map((version) => aRun({ id: `run-${version}`, model: { id: '', version, status: 'deprecated', verdict: null, verdictReason: null } }));

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it('shows older trainings below the newer ones, and no button after the last', async () => {
  const asked = answer({
    [path]: ({ searchParams }) =>
      searchParams.get('after') === 'more'
        ? { items: versions(2, 1), next: null }
        : { items: versions(12, 11, 10, 9, 8, 7, 6, 5, 4, 3), next: 'more' },
  });
  const { user } = show(<HistorySection scope={scope} mayChange />);
  await user.click(await screen.findByRole('button', { name: 'Show older ones' }));
  expect(await screen.findByText('v1')).toBeInTheDocument();
  expect(screen.getAllByText(/^v\d+$/).map((each) => each.textContent)).toEqual(
    [12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1].map((version) => `v${version}`),
  );
  expect(screen.queryByRole('button', { name: 'Show older ones' })).not.toBeInTheDocument();
  expect(asked.map((each) => each.searchParams.get('limit'))).toEqual(['10', '10']);
});

it('keeps the newer ones when the older ones cannot be read', async () => {
  answer({
    [path]: ({ searchParams }) =>
      searchParams.has('after')
        ? refusal(400, 'invalid-request', 'The request is not valid', '')
        : { items: versions(12), next: 'more' },
  });
  const { user } = show(<HistorySection scope={scope} mayChange />);
  await user.click(await screen.findByRole('button', { name: 'Show older ones' }));
  expect((await screen.findAllByRole('alert'))[0]).toHaveTextContent('The request is not valid');
  expect(screen.getByText('v12')).toBeInTheDocument();
});

it('asks for a status, a trigger and a period together, on every page', async () => {
  vi.useFakeTimers({ now: new Date('2026-11-26T12:00:00+01:00'), toFake: ['Date'] });
  const asked = answer({
    [path]: ({ searchParams }) => ({ items: versions(searchParams.has('after') ? 1 : 2), next: 'more' }),
  });
  const { user } = show(<HistorySection scope={scope} mayChange />);
  for (const [filter, option] of [
    ['Status', 'Skipped'],
    ['Trigger', 'Enough new data'],
    ['Period', 'Last 7 days'],
  ] as const) {
    await user.click(await screen.findByRole('combobox', { name: filter }));
    await user.click(await screen.findByRole('option', { name: option }));
  }

  await user.click(await screen.findByRole('button', { name: 'Show older ones' }));
  await waitFor(() => expect(asked.at(-1)?.searchParams.get('after')).toBe('more'));
  // Midnight in Berlin, of the first of the seven days.
  expect(Object.fromEntries(asked.at(-1)?.searchParams ?? [])).toEqual({
    limit: '10',
    after: 'more',
    state: 'skipped',
    trigger: 'threshold',
    createdFrom: '2026-11-19T23:00:00.000Z',
  });
});

it('leads back from a filter that finds nothing', async () => {
  answer({ [path]: ({ searchParams }) => ({ items: searchParams.has('trigger') ? [] : versions(1), next: null }) });
  const { user } = show(<HistorySection scope={scope} mayChange />, '/?trigger=cron&status=nonsense');
  await user.click(await screen.findByRole('button', { name: 'Show all trainings' }));
  expect(await screen.findByText('v1')).toBeInTheDocument();
});
