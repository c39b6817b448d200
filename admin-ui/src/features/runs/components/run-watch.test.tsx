import { Notifications, notifications } from '@mantine/notifications';
import { focusManager } from '@tanstack/react-query';
import { act, screen } from '@testing-library/react';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { ExportDetails, Me, RunSummary } from '@/api/types';
import { SessionContext } from '@/features/session/session';
import { answer } from '@/test/api';
import { anExport, aRun } from '@/test/examples';
import { show } from '@/test/render';
import { RunWatch } from './run-watch';

const { organizationId, projectId } = aRun();
const me: Me = {
  id: 'me',
  name: 'Olivia',
  organizations: [
    {
      id: organizationId,
      name: 'enterprise',
      role: 'admin',
      projects: [{ id: projectId ?? '', name: 'energy-grid', role: 'admin' }],
    },
  ],
};

let runs: RunSummary[];
let exports: ExportDetails[];
let asked: URL[];

beforeEach(() => {
  vi.useFakeTimers();
  [runs, exports] = [[], []];
  asked = answer({
    '/me': () => me,
    '/fine-tuning/runs': () => ({ items: runs, next: null }),
    '/training-export/exports': () => ({ items: exports, next: null }),
  });
});

afterEach(() => {
  notifications.clean();
  localStorage.clear();
  focusManager.setFocused(undefined);
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** A page of the app, whichever it is. */
async function visit(subject = 'olivia'): Promise<() => void> {
  const { leave } = show(
    <SessionContext value={{ subject, signOut: vi.fn() }}>
      <Notifications />
      <RunWatch />
    </SessionContext>,
  );
  await pass(100);
  return leave;
}

async function pass(milliseconds: number): Promise<void> {
  await act(() => vi.advanceTimersByTimeAsync(milliseconds));
}

const live = () => aRun({ state: 'tuning', isOver: false, endedAt: null, createdAt: new Date().toISOString() });

it('tells of an end on whatever page one is', async () => {
  runs = [live()];
  await visit();
  expect(screen.queryByText(/Training of/)).not.toBeInTheDocument();
  runs = [aRun({ updatedAt: new Date().toISOString(), endedAt: new Date().toISOString() })];
  await pass(2_000);
  expect(screen.getByText('Training of energy-grid is complete')).toBeInTheDocument();
  expect(screen.getByText('It has made version 3, which is in use now.')).toBeInTheDocument();
});

it('tells at the next visit, once, of what ended while no page was open', async () => {
  runs = [live()];
  const leave = await visit();
  leave();
  runs = [aRun({ state: 'failed', model: null, reason: 'The tuning job failed.', endedAt: new Date().toISOString() })];
  exports = [anExport({ state: 'succeeded', isOver: true, endedAt: new Date().toISOString() })];
  const leaveAgain = await visit();
  expect(screen.getByText('Training of energy-grid has failed')).toBeInTheDocument();
  expect(screen.getByText('Export of energy-grid is complete')).toBeInTheDocument();
  leaveAgain();
  notifications.clean();
  await visit();
  expect(screen.queryByText('Training of energy-grid has failed')).not.toBeInTheDocument();
});

it('tells nobody of ends of the time before the first visit', async () => {
  runs = [aRun()];
  const leave = await visit('olivia');
  leave();
  await visit('paul');
  expect(screen.queryByText(/Training of/)).not.toBeInTheDocument();
});

it('tells of three ends one by one, and of the others in one', async () => {
  const leave = await visit();
  leave();
  runs = Array.from({ length: 5 }, (_, n) => aRun({ id: `run-${n}`, endedAt: new Date().toISOString() }));
  await visit();
  expect(screen.getAllByText('Training of energy-grid is complete')).toHaveLength(3);
  expect(screen.getByText('2 more ended since you were last here')).toBeInTheDocument();
});

it('asks nothing while the tab is hidden, and at once when it is looked at again', async () => {
  runs = [live()];
  await visit();
  await pass(5_000);
  const before = asked.length;
  expect(before).toBeGreaterThan(3);
  focusManager.setFocused(false);
  await pass(600_000);
  expect(asked).toHaveLength(before);
  await act(() => focusManager.setFocused(true));
  await pass(100);
  expect(asked.length).toBeGreaterThan(before);
});
