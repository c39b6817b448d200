import type { ScheduleParameters } from '@/api/types';

/** What a training is asked for when nobody says otherwise. */
export const usualParameters: ScheduleParameters = {
  minConfidence: 0.85,
  humanReviewedOnly: false,
  countOwnAcceptances: false,
  epochs: null,
  learningRateMultiplier: null,
};

export type ParameterErrors = { [Field in keyof ScheduleParameters]?: string | undefined };

const limits = { epochs: 100, lowestLearningRate: 0.001, highestLearningRate: 10 };

/** What the API would refuse, said before it is sent. */
export function checkParameters(parameters: ScheduleParameters): ParameterErrors {
  const { epochs, learningRateMultiplier, minConfidence } = parameters;
  const errors: ParameterErrors = {};
  if (!(minConfidence >= 0 && minConfidence <= 1)) {
    errors.minConfidence = 'Choose a confidence from 0 to 100 %';
  }

  if (epochs !== null && epochs !== undefined && !(Number.isInteger(epochs) && epochs >= 1 && epochs <= limits.epochs)) {
    errors.epochs = `Whole epochs, from 1 to ${limits.epochs}`;
  }

  if (
    learningRateMultiplier !== null &&
    learningRateMultiplier !== undefined &&
    !(learningRateMultiplier >= limits.lowestLearningRate && learningRateMultiplier <= limits.highestLearningRate)
  ) {
    errors.learningRateMultiplier = `From ${limits.lowestLearningRate} to ${limits.highestLearningRate}`;
  }

  return errors;
}
