import { screen } from '@testing-library/react';
import type { ComponentProps } from 'react';
import { expect, it, vi } from 'vitest';
import { ApiProblem } from '@/api/problem';
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
  for (const text of ['general model, version 2', '143 examples', 'about $3.00', 'about 1 h 5 min']) {
    expect(dialog).toHaveTextContent(text);
  }

  await user.click(screen.getByRole('button', { name: 'Start training' }));
  expect(onConfirm).toHaveBeenCalledOnce();
});

it('reckons with the epochs that were chosen', () => {
  show(modal({ parameters: { ...usualParameters, epochs: 6 } }));
  expect(screen.getByRole('dialog')).toHaveTextContent('about $6.00 for 6 epochs');
});

it('admits what nobody knows before the first time', () => {
  show(modal({ cost: null, usualDuration: null }));
  expect(screen.getByText('known once something was exported')).toBeVisible();
  expect(screen.getByText('known after the first training')).toBeVisible();
});

it('does not start with too few examples', () => {
  show(modal({ minimum: { examples: 40, minimum: 50, daysLeft: 3, isMet: false } }));
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
