import { screen } from '@testing-library/react';
import { useState } from 'react';
import { expect, it } from 'vitest';
import { show } from '@/test/render';
import { checkParameters, usualParameters } from './training-parameters';
import { TrainingParametersForm } from './training-parameters-form';

function Form({ isDisabled }: { isDisabled?: boolean }) {
  const [value, setValue] = useState(usualParameters);
  return (
    <>
      <TrainingParametersForm value={value} onChange={setValue} errors={checkParameters(value)} isDisabled={isDisabled} />
      <output>{JSON.stringify(value)}</output>
    </>
  );
}

it('changes the confidence by key, in whole hundredths', async () => {
  const { user } = show(<Form />);
  await user.click(screen.getByRole('slider'));
  await user.keyboard('{ArrowRight}');
  expect(screen.getByText('Minimum confidence: 86 %')).toBeVisible();
});

it('asks for no confidence when only what people have reviewed counts', async () => {
  const { user } = show(<Form />);
  await user.click(screen.getByRole('switch', { name: /Human-reviewed only/ }));
  expect(screen.getByRole('status')).toHaveTextContent('"humanReviewedOnly":true');
});

it('leaves to the service what is not filled in, and says what is wrong with the rest', async () => {
  const { user } = show(<Form />);
  const opener = screen.getByRole('button', { name: 'Advanced' });
  expect(opener).toHaveAttribute('aria-expanded', 'false');
  await user.click(opener);
  const epochs = await screen.findByRole('textbox', { name: 'Epochs' });
  await user.type(epochs, '400');
  expect(screen.getByText('Whole epochs, from 1 to 100')).toBeVisible();
  await user.clear(epochs);
  expect(screen.getByRole('status')).toHaveTextContent('"epochs":null');
  expect(screen.queryByText(/Whole epochs/)).not.toBeInTheDocument();
  await user.type(screen.getByRole('textbox', { name: 'Learning-rate multiplier' }), '11');
  expect(screen.getByText('From 0.001 to 10')).toBeVisible();
});

it('takes nothing when it is disabled', () => {
  show(<Form isDisabled />);
  expect(screen.getByRole('switch')).toBeDisabled();
});
