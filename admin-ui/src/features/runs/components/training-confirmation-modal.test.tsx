import { screen } from '@testing-library/react';
import type { ComponentProps } from 'react';
import { expect, it, vi } from 'vitest';
import { ApiProblem } from '@/api/problem';
import { aGeneralTraining, aPreflight } from '@/test/examples';
import { show } from '@/test/render';
import { TrainingConfirmationModal } from './training-confirmation-modal';
import { usualParameters } from './training-parameters';

function modal(part: Partial<ComponentProps<typeof TrainingConfirmationModal>> = {}) {
  return (
    <TrainingConfirmationModal
      opened
      onClose={vi.fn()}
      onConfirm={vi.fn()}
      subject="the model of energy-grid"
      base="general model, version 2"
      parameters={usualParameters}
      minimum={{ examples: 143, minimum: 50, daysLeft: null, isMet: true }}
      cost={{ baseModel: 'gemini', tokens: 1000, epochs: 3, usdPerMillionTokens: 1, usd: 3 }}
      usualDuration={3_900_000}
      check={{ report: aPreflight(), error: null }}
      isStarting={false}
      error={null}
      {...part}
    />
  );
}

it('says what is trained on what, with number, cost and duration', async () => {
  const onConfirm = vi.fn();
  const { user } = show(modal({ onConfirm }));
  const dialog = screen.getByRole('dialog', { name: 'Train the model of energy-grid?' });
  for (const text of [
    'general model, version 2 (gemini)', '139 examples', '112 train, 12 validate, 15 are held out', 'about $3.00',
    'about 1 h 5 min', '4 with personal data',
  ]) {
    expect(dialog).toHaveTextContent(text);
  }

  await user.click(screen.getByRole('button', { name: 'Start training' }));
  expect(onConfirm).toHaveBeenCalledOnce();
});

it('reckons with the epochs that were chosen', () => {
  show(modal({ parameters: { ...usualParameters, epochs: 6 }, check: { error: null } }));
  expect(screen.getByRole('dialog')).toHaveTextContent('about $6.00 for 6 epochs');
});

it('admits what nobody knows before the first time', () => {
  show(modal({ cost: null, usualDuration: null, check: { error: null } }));
  expect(screen.getByText('known once it is checked')).toBeVisible();
  expect(screen.getByText('known after the first training')).toBeVisible();
});

it('does not start with too few examples', () => {
  show(modal({ minimum: { examples: 40, minimum: 50, daysLeft: 3, isMet: false }, check: { error: null } }));
  expect(screen.getByText(/10 examples more are needed/)).toBeVisible();
  expect(screen.getByRole('button', { name: 'Start training' })).toBeDisabled();
});

it('shows a refusal in the words of the API, with its trace id', () => {
  const error = new ApiProblem({
    type: 'urn:feedback-loop:run-live',
    title: 'A training is not over yet',
    detail: 'Wait for it.',
    status: 409,
    traceId: 'abc123',
  });
  show(modal({ error }));
  expect(screen.getByRole('alert')).toHaveTextContent('A training is not over yet');
  expect(screen.getByRole('alert')).toHaveTextContent('Wait for it.');
  expect(screen.getByText('abc123')).toBeVisible();
});

it('does not start while it checks, and says so', () => {
  show(modal({ check: { error: null } }));
  expect(screen.getByRole('status')).toHaveTextContent(/Checking every text/);
  expect(screen.getByRole('dialog')).toHaveTextContent('at most 143 examples');
  expect(screen.getByRole('button', { name: 'Start training' })).toBeDisabled();
  expect(screen.getByRole('button', { name: 'Not now' })).toBeEnabled();
});

it('does not start what would be refused, and says why with the numbers', () => {
  const report = aPreflight({
    wouldStart: false,
    tuning: null,
    refusals: [
      { kind: 'too_little_data', reason: '48 usable examples of 52 extractions, 50 needed. Left out: 4 pii.' },
      { kind: 'spending', reason: 'all trainings are stopped' },
    ],
  });
  show(modal({ check: { report, error: null } }));
  expect(screen.getByText('48 usable examples of 52 extractions, 50 needed. Left out: 4 pii.')).toBeVisible();
  expect(screen.getByText('All trainings are stopped.')).toBeVisible();
  expect(screen.getByRole('button', { name: 'Start training' })).toBeDisabled();
});

it('leaves the start to its own check when there was too much to check here', () => {
  const error = new ApiProblem({ type: 'urn:feedback-loop:preflight-time', title: 'Too much data to check here', status: 422 });
  show(modal({ check: { error } }));
  expect(screen.getByRole('alert')).toHaveTextContent('Too much data to check here');
  expect(screen.getByRole('button', { name: 'Start training' })).toBeEnabled();
});

it('shows the request that would be sent to whoever asks', async () => {
  const { user } = show(modal());
  await user.click(screen.getByText('Limits and the request to Vertex AI'));
  expect(screen.getByText(/"preTunedModel"/)).toBeVisible();
  expect(screen.getByRole('row', { name: 'validation bytes 2,000 5,000' })).toBeVisible();
});

it.each([
  [2, 'it goes on from version 2 of the general model, unless the new one is in use before its tuning begins'],
  [null, 'it goes on from gemini, unless the new one is in use before its tuning begins'],
])('says that a training does not wait for the general model, and starts it', async (parentModelVersion, base) => {
  const onConfirm = vi.fn();
  const generalTraining = aGeneralTraining({ state: 'create_unknown', parentModelVersion });
  const { user } = show(modal({ onConfirm, check: { report: aPreflight({ generalTraining }), error: null } }));
  expect(screen.getByText(/The general model is being trained \(create unknown\)/)).toHaveTextContent(base);
  await user.click(screen.getByRole('button', { name: 'Start training' }));
  expect(onConfirm).toHaveBeenCalledOnce();
});

it('says nothing of a general model that is not being trained', () => {
  show(modal());
  expect(screen.queryByText(/general model is being trained/)).not.toBeInTheDocument();
});
