import { Notifications } from '@mantine/notifications';
import { screen, waitFor, within } from '@testing-library/react';
import { afterEach, expect, it, vi } from 'vitest';
import type { Scope, SelectedModel } from '@/api/types';
import { answer, refusal } from '@/test/api';
import { aGeneralTraining, aPreflight, aSchedule, aSelection } from '@/test/examples';
import { show } from '@/test/render';
import { ActionsSection } from './actions-section';

const scope: Scope = { kind: 'project', id: 'p' };

afterEach(() => {
  vi.unstubAllGlobals();
});

/** The confirmation that a project admin sees who is no member of the organization. */
async function confirmation(selection: SelectedModel | Response, more: Parameters<typeof answer>[0] = {}) {
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
    ...more,
  });
  const { user } = show(
    <>
      <Notifications />
      <ActionsSection scope={scope} name="energy-grid" mayChange />
    </>,
  );
  await screen.findByText('60 examples');
  await user.click(screen.getByRole('button', { name: 'Start training' }));
  return { user, dialog: await screen.findByRole('dialog', { name: 'Train the model of energy-grid?' }) };
}

it.each([
  ['has a model of its own', aSelection('project', 'general'), 'general model, version 7 (gemini-3.1-flash-lite)'],
  ['uses the general model', aSelection('general'), 'general model, version 7 (gemini-3.1-flash-lite)'],
  ['is the first of its organization', aSelection(), 'gemini-3.1-flash-lite'],
  ['replaces one without a general model', aSelection('project'), 'gemini-3.1-flash-lite'],
])('says what is trained on when the project %s', async (_, selection, base) => {
  const { dialog } = await confirmation(selection);
  expect(dialog).toHaveTextContent(`On top of${base}Examples`);
});

it('says what the rule is when the model cannot be read', async () => {
  const { dialog } = await confirmation(refusal(404, 'not-found', 'There is none', ''));
  expect(dialog).toHaveTextContent('the general model of the organization when there is one, else the base model');
});

it.each([
  ['says', aGeneralTraining({ parentModelVersion: 7 }), /does not wait for it: it goes on from version 7 .* message tells you/],
  ['need not say', null, /^You can go on with something else: a message tells you when it is over\.$/],
])('%s after a start what it goes on from instead of a general model in training', async (_, generalTraining, message) => {
  const { user, dialog } = await confirmation(aSelection('general'), {
    '/fine-tuning/preflight': () => aPreflight({ generalTraining }),
    '/fine-tuning/train-project': () =>
      Response.json({ id: 'r', purpose: 'training', createdAt: '', href: '', generalTraining }, { status: 202 }),
  });
  const start = within(dialog).getByRole('button', { name: 'Start training' });
  await waitFor(() => expect(start).toBeEnabled());
  await user.click(start);
  expect(await screen.findByText('Training has begun')).toBeVisible();
  expect(screen.getByText(message)).toBeVisible();
});
