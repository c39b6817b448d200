import type { ScheduleSettings } from '@/api/types';
import { checkParameters, usualParameters } from '@/features/runs/components/training-parameters';
import { checkCron } from './cron';

const highestThreshold = 1_000_000;
const highestLimit = 1_000_000;

/** Messages by the name of the field, as the API has it. */
export type ScheduleErrors = Record<string, string>;

/** What the API would refuse, said while one types. */
export function checkSchedule(settings: ScheduleSettings): ScheduleErrors {
  const errors: ScheduleErrors = {};
  const { thresholdCount, thresholdEnabled, cronEnabled, cronExpression, timeZone, monthlyLimitUsd } = settings;
  if (thresholdEnabled && !(Number.isInteger(thresholdCount) && thresholdCount >= 1 && thresholdCount <= highestThreshold)) {
    errors.thresholdCount = `A whole number from 1 to ${highestThreshold.toLocaleString('en')}`;
  }

  if (cronEnabled) {
    const problem = checkCron(cronExpression ?? '');
    if (problem) {
      errors.cronExpression = problem;
    }

    if (!timeZone) {
      errors.timeZone = 'Choose a time zone';
    }
  }

  if (
    monthlyLimitUsd !== null &&
    monthlyLimitUsd !== undefined &&
    !(monthlyLimitUsd >= 0 && monthlyLimitUsd <= highestLimit && Number.isInteger(Math.round(monthlyLimitUsd * 1e6) / 1e4))
  ) {
    errors.monthlyLimitUsd = `From 0 to ${highestLimit.toLocaleString('en')} dollars, with at most two decimals`;
  }

  for (const [field, message] of Object.entries(checkParameters(settings.parameters ?? usualParameters))) {
    errors[`parameters.${field}`] = message;
  }

  return errors;
}
