import { screen, waitFor, within } from '@testing-library/react';
import { afterEach, expect, it, vi } from 'vitest';
import type { ModelSummary, Scope } from '@/api/types';
import { answer, refusal } from '@/test/api';
import { aModel, aSelection } from '@/test/examples';
import { show } from '@/test/render';
import { CurrentModelSection } from './current-model-section';

const scope: Scope = { kind: 'project', id: aModel().projectId ?? '' };
const old = aModel({ id: 'old', version: 2, status: 'deprecated' });
const needsReason = () =>
  refusal(422, 'reason-needed', 'It was evaluated as worse', 'Send a reason to promote it all the same.');

afterEach(() => {
  vi.unstubAllGlobals();
});

function section(models: ModelSummary[], promote: (address: URL, request: Request) => unknown, selection = aSelection('project')) {
  answer({
    '/fine-tuning/models': () => ({ items: models, next: null }),
    [`/model-selection/${scope.id}`]: () => selection,
    '/fine-tuning/models/old/promote': promote,
    '/fine-tuning/models/hidden': () => refusal(404, 'not-found', 'There is none', ''),
  });
  return show(<CurrentModelSection scope={scope} mayChange />);
}

it('asks for the reason that the API asks for, of a model that was found worse since the page was read', async () => {
  const reasons: unknown[] = [];
  const { user } = section([aModel(), old], async (_, request) => {
    const { reason } = (await request.json()) as { reason: unknown };
    reasons.push(reason);
    return reason === null ? needsReason() : { id: 'old', status: 'ready', replaced: null };
  });
  await user.click(await screen.findByRole('button', { name: 'Use version 2' }));
  const dialog = await screen.findByRole('dialog', { name: 'Use version 2?' });
  const use = within(dialog).getByRole('button', { name: 'Use it' });
  await user.click(use);

  expect(await within(dialog).findByRole('alert')).toHaveTextContent('It was evaluated as worse');
  expect(within(dialog).getByText('abc123')).toBeInTheDocument();
  expect(use).toBeDisabled();
  const reason = within(dialog).getByRole('textbox', { name: /Reason/ });
  expect(reason).toBeRequired();
  expect(reason).toHaveAccessibleDescription(/Say why it is to be used all the same/);

  await user.type(reason, 'It finds teams.');
  await user.click(use);
  await waitFor(() => expect(dialog).not.toBeInTheDocument());
  expect(reasons).toEqual([null, 'It finds teams.']);
});

it('knows of a worse model beforehand, and lets nobody take it without a reason', async () => {
  const worse = { ...old, verdict: { verdict: 'worse', reason: 'entity F1 -0.2' } as const };
  const { user } = section([aModel(), worse], vi.fn());
  expect(await screen.findByText('Worse')).toBeVisible();
  expect(screen.queryByRole('button', { name: /^Roll back/ })).not.toBeInTheDocument();
  await user.click(screen.getByRole('button', { name: 'Use version 2' }));
  const dialog = await screen.findByRole('dialog');
  expect(dialog).toHaveTextContent('On held-out texts it was worse: entity F1 -0.2');
  expect(within(dialog).getByRole('button', { name: 'Use it' })).toBeDisabled();
});

it('names the general model that it stands on to somebody who sees the project only', async () => {
  section([aModel({ parentModelId: 'general-model' })], vi.fn(), aSelection('project', 'general'));
  expect(await screen.findByText('general model, version 7')).toBeVisible();
});

it('does not guess the version of a general model that one may not see', async () => {
  section([aModel({ parentModelId: 'hidden' })], vi.fn(), aSelection('project', 'general'));
  expect(await screen.findByText('the organization’s general model')).toBeVisible();
});

it('says of a model that has learnt from a forgotten document since when and why', async () => {
  const taint = { since: '2026-11-28T10:00:00+00:00', reason: 'it has learnt from a document that was forgotten' };
  section([aModel({ taint }), { ...old, taint: null }], vi.fn());

  expect(await screen.findByText(/Train it again: it has learnt from a document that was forgotten/)).toBeVisible();
  expect(screen.getAllByText(/^Tainted since/)).toHaveLength(1);
});

it('says that the newest model was kept back, why, and what is used instead', async () => {
  const kept = aModel({
    status: 'deprecated',
    promotedAt: null,
    // Not always its verdict: this one was better than a model that is not in use any more.
    statusReason: 'not in use: somebody changed the model in use while this one was evaluated; entity F1 +0.010',
  });
  section([kept], vi.fn(), aSelection('general'));
  expect(await screen.findByText('The newest version, v3, was kept back')).toBeVisible();
  expect(screen.getByText('Not in use: somebody changed the model in use while this one was evaluated')).toBeVisible();
  expect(screen.getByText('entity F1 +0.010')).toBeVisible();
  expect(await screen.findByText('No model of this project is in use, so it uses that of its organization.')).toBeVisible();
});
