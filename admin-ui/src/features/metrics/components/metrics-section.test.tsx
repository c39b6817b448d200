import { screen, within } from '@testing-library/react';
import { afterEach, expect, it, vi } from 'vitest';
import type { ExtractionFigures } from '@/api/types';
import { answer } from '@/test/api';
import { show } from '@/test/render';
import { MetricsSection } from './metrics-section';

afterEach(() => {
  vi.unstubAllGlobals();
});

const nothing = { count: 0, of: 0, rate: null, low: null, high: null };

function figures(part: Partial<ExtractionFigures>): ExtractionFigures {
  return {
    extractions: 0,
    usageShare: null,
    latency: { p50Ms: null, p95Ms: null },
    costUsd: null,
    accuracy: nothing,
    emptyTexts: { texts: 0, withInventions: 0, inventedObjects: 0, inventedPerText: null },
    ...part,
  } as ExtractionFigures;
}

function section(extractions: number) {
  answer({
    '/metrics/extraction': () => ({
      total: { extractions },
      tiers: [
        { tier: 'project', figures: figures({}) },
        {
          tier: 'general',
          figures: figures({
            extractions: 30,
            usageShare: 0.75,
            latency: { p50Ms: 900, p95Ms: 2000 },
            costUsd: 0.004,
            accuracy: { count: 47, of: 50, rate: 0.94, low: 0.838, high: 0.979 },
            emptyTexts: { texts: 12, withInventions: 1, inventedObjects: 1, inventedPerText: 1 / 12 },
          }),
        },
        { tier: 'base', figures: figures({ extractions: 10, usageShare: 0.25 }) },
      ],
      tunedAgainstBase: { verdict: 'better', sentence: 'Better by 47 points.' },
    }),
  });
  show(<MetricsSection organizationId="o" />);
}

it('says of each kind of model how much people found right, and how sure that is', async () => {
  section(40);
  const general = await screen.findByRole('row', { name: /^General model/ });
  for (const text of ['94 %', 'of 50 reviewed', '30 (75 %)', '0.9 s', 'less than $0.01']) {
    expect(within(general).getByText(text)).toBeInTheDocument();
  }

  expect(
    within(general).getByRole('img', { name: 'Accuracy of General model: 94 %, between 84 % and 98 %' }),
  ).toBeInTheDocument();
  expect(within(screen.getByRole('row', { name: /^Base model/ })).getByText('no reviews yet')).toBeInTheDocument();
  expect(within(screen.getByRole('row', { name: /^Project models/ })).getByText('not used')).toBeInTheDocument();
  expect(screen.getByText('Better than the base model')).toBeInTheDocument();
});

it('says what was invented where nothing is to be found, and nothing where no such text is known', async () => {
  section(40);
  const general = await screen.findByRole('row', { name: /^General model/ });
  expect(within(general).getByText('12 texts with nothing to find: 1 entity invented')).toBeInTheDocument();
  expect(screen.getAllByText(/nothing to find/)).toHaveLength(1);
});

it('says when there will be figures', async () => {
  section(0);
  expect(await screen.findByText('Nothing was extracted in this time')).toBeInTheDocument();
  expect(screen.queryByText('Better than the base model')).not.toBeInTheDocument();
});
