import { screen } from '@testing-library/react';
import { afterEach, expect, it, vi } from 'vitest';
import type { ExportDetails } from '@/api/types';
import { answer } from '@/test/api';
import { anExport, aResult, aRun } from '@/test/examples';
import { show } from '@/test/render';
import { OverviewSection } from './overview-section';

afterEach(() => {
  vi.unstubAllGlobals();
});

function overview(written: { export?: ExportDetails; training?: ExportDetails }, mayChange = true) {
  answer({
    '/organizations/o/training/stats': () => ({
      statistics: {
        verified: 0, humanReviewed: 0, autoAccepted: 0, rejected: 3, undecided: 8, byType: [], excludedUndecided: 2,
        recentExamples: 200,
      },
      minimum: { examples: 143, minimum: 200, daysLeft: 4, isMet: false },
      cost: null,
      preflight: null,
    }),
    '/training-export/exports': () => ({ items: written.export ? [written.export] : [], next: null }),
    '/fine-tuning/runs': () => ({
      items: written.training ? [aRun({ ...written.training, state: 'succeeded', trainExamples: 60 })] : [],
      next: null,
    }),
    [`/training-export/exports/${written.export?.id}`]: () => written.export,
    [`/training-export/exports/${written.training?.id}`]: () => written.training,
  });
  show(<OverviewSection scope={{ kind: 'organization', id: 'o' }} mayChange={mayChange} />);
}

/** A line of a list by the whole of its text. */
function item(text: RegExp) {
  return screen.findByText((_, element) => element?.tagName === 'LI' && text.test(element.textContent ?? ''));
}

const anOld = anExport({ id: 'old', state: 'succeeded', result: aResult(), createdAt: '2026-11-01T00:00:00Z' });
const aNew = anExport({
  id: 'new',
  purpose: 'training',
  state: 'succeeded',
  result: { ...aResult(), excluded: { pii: 9 } },
  createdAt: '2026-11-02T00:00:00Z',
});

it('says how far it is at this pace', async () => {
  overview({});
  expect(await screen.findByText('143 of 200 examples; about 4 days at this pace')).toBeVisible();
});

it('says what the last export left out', async () => {
  overview({ export: anOld });
  expect(await item(/In the last export, .*: 4 .*, 5 /)).toBeVisible();
});

it('says what a training left out that was later', async () => {
  overview({ export: anOld, training: aNew });
  expect(await item(/In the last training, .*: 9 /)).toBeVisible();
});

it('says what to do when nothing was written yet', async () => {
  overview({});
  expect(await screen.findByText(/was not done for the organization yet/)).toBeVisible();
  expect(screen.getByRole('link', { name: /Export the data to see it/ })).toHaveAttribute('href', '#train');
});

it('offers no export to somebody who may only look', async () => {
  overview({}, false);
  expect(await screen.findByText(/An admin can export the data/)).toBeVisible();
  expect(screen.queryByRole('link')).not.toBeInTheDocument();
});
