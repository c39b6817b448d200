import { screen } from '@testing-library/react';
import { afterEach, expect, it, vi } from 'vitest';
import type { Scope, SelectedModel } from '@/api/types';
import { answer, refusal } from '@/test/api';
import { aSchedule, aSelection } from '@/test/examples';
import { show } from '@/test/render';
import { ActionsSection } from './actions-section';

const scope: Scope = { kind: 'project', id: 'p' };

afterEach(() => {
  vi.unstubAllGlobals();
});

/** The confirmation that a project admin sees who is no member of the organization. */
async function confirmation(selection: SelectedModel | Response) {
  answer({
    '/training-export/stats/p': () => ({
      statistics: {},
      minimum: { examples: 60, minimum: 50, daysLeft: null, isMet: true },
      cost: null,
    }),
    '/fine-tuning/runs': () => ({ items: [], next: null }),
    '/projects/p/training/history': () => ({ items: [], next: null }),
    '/projects/p/training/schedule': () => Response.json(aSchedule(), { headers: { ETag: '"4"' } }),
    '/model-selection/p': () => selection,
  });
  const { user } = show(<ActionsSection scope={scope} name="energy-grid" mayChange />);
  await screen.findByText('60 examples');
  await user.click(screen.getByRole('button', { name: 'Start training' }));
  return screen.findByRole('dialog', { name: 'Train the model of energy-grid?' });
}

it.each([
  ['has a model of its own', aSelection('project', 'general'), 'general model, version 7 (gemini-3.1-flash-lite)'],
  ['uses the general model', aSelection('general'), 'general model, version 7 (gemini-3.1-flash-lite)'],
  ['is the first of its organization', aSelection(), 'gemini-3.1-flash-lite'],
  ['replaces one without a general model', aSelection('project'), 'gemini-3.1-flash-lite'],
])('says what is trained on when the project %s', async (_, selection, base) => {
  expect(await confirmation(selection)).toHaveTextContent(`On top of${base}Examples`);
});

it('says what the rule is when the model cannot be read', async () => {
  const dialog = await confirmation(refusal(404, 'not-found', 'There is none', ''));
  expect(dialog).toHaveTextContent('the general model of the organization when there is one, else the base model');
});
