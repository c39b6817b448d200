import { screen, within } from '@testing-library/react';
import { expect, it } from 'vitest';
import type { EvaluatedModel, ModelDetails } from '@/api/types';
import { show } from '@/test/render';
import { EvaluationScores } from './evaluation-scores';

const score = { correct: 8, answered: 10, expected: 10, precision: 0.8, recall: 0.8, f1: 0.8 };

function evaluated(role: string, emptyTexts: unknown): EvaluatedModel {
  return {
    role,
    version: role === 'base' ? null : 2,
    problem: null,
    scores: {
      chunks: 30, validRate: 1, entities: score, byType: {}, relationships: score, typedRelationships: score, emptyTexts,
    },
  } as unknown as EvaluatedModel;
}

function compared(own: unknown, base: unknown) {
  show(
    <EvaluationScores
      details={{ model: { verdict: null }, evaluation: [evaluated('self', own), evaluated('base', base)] } as unknown as ModelDetails}
    />,
  );
}

it('sets side by side what models invent where nothing is to be found', () => {
  compared(
    { texts: 12, withInventions: 1, inventedEntities: 1, inventedPerText: 1 / 12 },
    { texts: 12, withInventions: 9, inventedEntities: 31, inventedPerText: 31 / 12 },
  );

  const row = screen.getByRole('row', { name: /^Invented in texts with nothing to find/ });
  expect(within(row).getAllByRole('cell').map((cell) => cell.textContent)).toEqual([
    '1 entity in 1 text',
    '31 entities in 9 texts',
  ]);

  // Less is better here: the new model's figure is the bold one.
  expect(within(row).getByText(/entity/)).toHaveStyle({ fontWeight: '700' });
  expect(within(row).getByText(/entities/)).not.toHaveStyle({ fontWeight: '700' });
  expect(screen.getByText(/In 12 texts people verified that there is nothing to find/)).toBeInTheDocument();
});

it('says nothing of them in an evaluation without such texts, or from before they were counted', () => {
  compared(null, undefined);

  expect(screen.getByRole('row', { name: /^All entities/ })).toBeInTheDocument();
  expect(screen.queryByText(/nothing to find/)).not.toBeInTheDocument();
});

it('names the best one so far by its version', () => {
  show(
    <EvaluationScores
      details={
        {
          model: { verdict: null },
          evaluation: [evaluated('self', null), evaluated('live', null), evaluated('best', null), evaluated('base', null)],
        } as unknown as ModelDetails
      }
    />,
  );

  expect(screen.getAllByRole('columnheader').map((cell) => cell.textContent)).toEqual([
    'F1 score',
    'This model (v2)',
    'In use before (v2)',
    'Best so far (v2)',
    'Base model',
  ]);
});
