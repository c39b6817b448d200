import { Input, NumberInput, Slider, Stack, Switch } from '@mantine/core';
import { useId } from 'react';
import type { ScheduleParameters } from '@/api/types';
import { Advanced } from '@/components/ui/advanced';
import { percent } from '@/components/ui/format';
import type { ParameterErrors } from './training-parameters';

interface TrainingParametersFormProps {
  value: ScheduleParameters;
  onChange: (value: ScheduleParameters) => void;
  errors?: ParameterErrors;
  isDisabled?: boolean;
}

/** What a model is trained on, and how. How is folded away: the service chooses well. */
export function TrainingParametersForm(props: TrainingParametersFormProps) {
  const { value, onChange, errors = {}, isDisabled = false } = props;
  const { epochs, learningRateMultiplier } = value;
  const isTuned =
    (epochs ?? null) !== null || (learningRateMultiplier ?? null) !== null || value.countOwnAcceptances;
  const slider = useId();
  return (
    <Stack gap="md">
      <Input.Wrapper
        label={`Minimum confidence: ${percent(value.minConfidence)}`}
        labelProps={{ id: slider }}
        labelElement="div"
        description="What the product has accepted with less counts only when a person has reviewed it"
        error={errors.minConfidence}
      >
        <Slider
          aria-labelledby={slider}
          thumbProps={{ 'aria-labelledby': slider }}
          min={0}
          max={1}
          step={0.01}
          label={percent}
          disabled={isDisabled || value.humanReviewedOnly}
          marks={[
            { value: 0, label: '0' },
            { value: 0.5, label: '50 %' },
            { value: 1, label: '100' },
          ]}
          mt="xs"
          mb={26}
          value={value.minConfidence}
          onChange={(minConfidence) => onChange({ ...value, minConfidence: Math.round(minConfidence * 100) / 100 })}
        />
      </Input.Wrapper>
      <Switch
        label="Human-reviewed only"
        description="What the product has accepted without a person does not count"
        disabled={isDisabled}
        checked={value.humanReviewedOnly}
        onChange={(event) => onChange({ ...value, humanReviewedOnly: event.currentTarget.checked })}
      />
      <Advanced
        isSet={isTuned}
        isWrong={errors.epochs !== undefined || errors.learningRateMultiplier !== undefined}
      >
        <Switch
          label="Count acceptances of our own models"
          description="What a tuned model found, and the product accepted without a person, counts too: it then learns from itself"
          disabled={isDisabled || value.humanReviewedOnly}
          checked={value.countOwnAcceptances}
          onChange={(event) => onChange({ ...value, countOwnAcceptances: event.currentTarget.checked })}
        />
        <NumberInput
          label="Epochs"
          description="Passes over the data"
          placeholder="Chosen by the service"
          allowDecimal={false}
          min={1}
          max={100}
          clampBehavior="none"
          disabled={isDisabled}
          value={epochs ?? ''}
          error={errors.epochs}
          onChange={(next) => onChange({ ...value, epochs: next === '' ? null : Number(next) })}
        />
        <NumberInput
          label="Learning-rate multiplier"
          description="More learns faster, and forgets faster"
          placeholder="Chosen by the service"
          step={0.1}
          min={0}
          clampBehavior="none"
          disabled={isDisabled}
          value={learningRateMultiplier ?? ''}
          error={errors.learningRateMultiplier}
          onChange={(next) =>
            onChange({ ...value, learningRateMultiplier: next === '' ? null : Number(next) })
          }
        />
      </Advanced>
    </Stack>
  );
}
