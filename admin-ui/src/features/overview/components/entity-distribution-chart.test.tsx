import { screen, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import type { TypeStatistics } from '@/api/types';
import { show } from '@/test/render';
import { foldTail } from './distribution';
import { EntityDistributionChart } from './entity-distribution-chart';

const types: TypeStatistics[] = Array.from({ length: 12 }, (_, n) => ({
  type: `Type ${n}`,
  humanReviewed: n,
  autoAccepted: 1,
  rejected: 0,
  undecided: 2,
}));

describe('EntityDistributionChart', () => {
  it('says to a screen reader what it draws, the long tail in one', () => {
    show(<EntityDistributionChart types={types} />);
    expect(screen.getByRole('img', { name: /^Verified entities by type: Type 11 12, .*, 5 other types 15$/ })).toBeVisible();
  });

  it('has every type one click away', async () => {
    const { user } = show(<EntityDistributionChart types={types} />);
    await user.click(screen.getByRole('button', { name: 'All 12 types as a table' }));
    expect(within(screen.getByRole('dialog')).getAllByRole('row')).toHaveLength(13);
  });

  it('says what to do when there is nothing to draw', () => {
    show(<EntityDistributionChart types={[]} />);
    expect(screen.getByText('No verified entities yet')).toBeVisible();
  });
});

describe('foldTail', () => {
  it('folds nothing that fits', () => {
    expect(foldTail(types.slice(0, 8), 8)).toHaveLength(8);
  });

  it('loses nothing in the tail, and leaves out what is not verified', () => {
    const all = [...types, { type: 'None', humanReviewed: 0, autoAccepted: 0, rejected: 9, undecided: 9 }];
    const bars = foldTail(all, 4);
    expect(bars).toHaveLength(4);
    expect(bars.reduce((sum, bar) => sum + bar.humanReviewed, 0)).toBe(66);
    expect(bars.at(-1)?.type).toBe('9 other types');
  });
});
