import { screen } from '@testing-library/react';
import { expect, it } from 'vitest';
import type { LastPreflight } from '@/api/types';
import { show } from '@/test/render';
import { MinimumProgress } from './minimum-progress';

function progress(
  examples: number, daysLeft: number | null, recentExamples: number, preflight: LastPreflight | null = null,
) {
  const minimum = { examples, minimum: 200, daysLeft, isMet: examples >= 200 };
  return <MinimumProgress minimum={minimum} recentExamples={recentExamples} preflight={preflight} />;
}

it('says when there will be enough at the pace of the last two weeks', () => {
  show(progress(143, 4, 200));
  expect(screen.getByRole('progressbar', { name: '143 of 200 examples; about 4 days at this pace' })).toBeVisible();
  expect(screen.getByText(/^200 new examples in the last 14 days/)).toBeVisible();
});

it.each([
  [1, 'about 1 day'],
  [60, 'about 60 days'],
  [95, 'about 3 months'],
  [2_000, 'more than two years'],
])('says %i days as %s', (days, words) => {
  show(progress(143, days, 1));
  expect(screen.getByText(`143 of 200 examples; ${words} at this pace`)).toBeVisible();
});

it('promises nothing when nothing comes in', () => {
  show(progress(143, null, 0));
  expect(screen.getByText('143 of 200 examples; 57 missing')).toBeVisible();
  expect(screen.getByText(/^No new examples in the last 14 days/)).toBeVisible();
  expect(screen.queryByText(/pace/)).not.toBeInTheDocument();
});

const aCheck: LastPreflight = {
  checkedAt: '2026-11-26T10:12:00Z',
  isCurrent: true,
  isOfTheseSettings: true,
  isEnough: true,
  examples: 203,
  minimum: 200,
  excluded: { pii: 4 },
  refusal: null,
};

it('does not say that there are enough before somebody has checked', () => {
  show(progress(205, null, 0));
  expect(screen.getByText('At most 205 examples, not checked yet; training takes 200')).toBeVisible();
  expect(screen.queryByText(/enough/)).not.toBeInTheDocument();
  expect(screen.queryByText(/14 days/)).not.toBeInTheDocument();
});

it('says that there are enough by a check, with its time and what it left out', () => {
  show(progress(207, null, 0, aCheck));
  expect(screen.getByText('203 examples: enough to train, it takes 200')).toBeVisible();
  expect(screen.getByText(/^Checked .*; left out: 4 with personal data$/)).toBeVisible();
});

it('says that there are not enough by a check, though the count was', () => {
  show(progress(203, null, 0, { ...aCheck, isEnough: false, examples: 199 }));
  expect(screen.getByText('199 of 200 examples: not enough to train')).toBeVisible();
});

it('says that something has changed since a check, and goes back to the count', () => {
  show(progress(207, null, 0, { ...aCheck, isCurrent: false }));
  expect(screen.getByText('At most 207 examples, not checked yet; training takes 200')).toBeVisible();
  expect(screen.getByText(/^Checked .*, changed since: it had 203 examples$/)).toBeVisible();
});

it('knows nothing from a check with other settings', () => {
  show(progress(207, null, 0, { ...aCheck, isOfTheseSettings: false }));
  expect(screen.queryByText(/^Checked/)).not.toBeInTheDocument();
});
