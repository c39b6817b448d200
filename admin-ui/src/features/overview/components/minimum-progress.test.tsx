import { screen } from '@testing-library/react';
import { expect, it } from 'vitest';
import { show } from '@/test/render';
import { MinimumProgress } from './minimum-progress';

function progress(examples: number, daysLeft: number | null, recentExamples: number) {
  const minimum = { examples, minimum: 200, daysLeft, isMet: examples >= 200 };
  return <MinimumProgress minimum={minimum} recentExamples={recentExamples} />;
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

it('says that there are enough', () => {
  show(progress(200, null, 0));
  expect(screen.getByText('200 examples: enough to train, it takes 200')).toBeVisible();
  expect(screen.queryByText(/14 days/)).not.toBeInTheDocument();
});
