import { Group, Progress, Text } from '@mantine/core';
import { IconAlertTriangle, IconCircleCheck } from '@tabler/icons-react';
import type { LastPreflight, TrainingMinimum } from '@/api/types';
import { count, counted } from '@/components/ui/format';
import { Moment } from '@/components/ui/moment';
import { exclusionWords } from '@/features/exports/components/exclusions';

interface MinimumProgressProps {
  minimum: TrainingMinimum;

  /** New ones within the last 14 days, which the API takes the pace from. */
  recentExamples: number;

  /** Null until the scope was checked. */
  preflight: LastPreflight | null;
}

/**
 * How far it is to the fewest examples that a training takes. The count does not read the texts: only a check knows whether
 * there are enough, and only until something changes.
 */
export function MinimumProgress({ minimum, recentExamples, preflight }: MinimumProgressProps) {
  const known = preflight?.isOfTheseSettings === true ? preflight : null;
  const current = known?.isCurrent === true ? known : null;
  const { minimum: needed } = minimum;
  const examples = current?.examples ?? minimum.examples;
  const text = current ? checkedWords(current) : countedWords(minimum);
  const color = current ? (current.isEnough ? 'teal' : 'red') : 'indigo';
  return (
    <div>
      <Group gap={6} mb={6} wrap="nowrap">
        {current?.isEnough === true && (
          <IconCircleCheck size={20} color="var(--mantine-color-teal-6)" aria-hidden />
        )}
        {current?.isEnough === false && (
          <IconAlertTriangle size={20} color="var(--mantine-color-red-6)" aria-hidden />
        )}
        <Text size="sm" fw={600}>
          {text}
        </Text>
      </Group>
      <Progress
        value={Math.min(100, (100 * examples) / needed)}
        color={color}
        size="lg"
        radius="xl"
        aria-label={text}
      />
      {known && <Checked preflight={known} />}
      {minimum.examples < needed && (
        <Text size="sm" c="dimmed" mt={6}>
          {recentExamples === 0 ? 'No new examples' : counted(recentExamples, 'new example')} in the last 14 days. Review
          more extractions, or lower the confidence below, to get there{minimum.daysLeft !== null && ' sooner'}.
        </Text>
      )}
    </div>
  );
}

/** When it was checked, and what was left out then. */
function Checked({ preflight }: { preflight: LastPreflight }) {
  const reasons = Object.entries(preflight.excluded).filter(([, number]) => number > 0);
  return (
    <Text size="sm" c="dimmed" mt={6}>
      Checked <Moment at={preflight.checkedAt} />
      {preflight.isCurrent
        ? reasons.length > 0 &&
          `; left out: ${reasons.map(([reason, number]) => `${count(number)} ${exclusionWords(reason)}`).join(', ')}`
        : `, changed since: it had ${counted(preflight.examples, 'example')}`}
    </Text>
  );
}

function checkedWords({ isEnough, examples, minimum }: LastPreflight): string {
  return isEnough
    ? `${count(examples)} examples: enough to train, it takes ${count(minimum)}`
    : examples < minimum
      ? `${count(examples)} of ${count(minimum)} examples: not enough to train`
      : `${count(examples)} examples, but not enough that train`;
}

function countedWords({ examples, minimum, daysLeft }: TrainingMinimum): string {
  return examples >= minimum
    ? `At most ${count(examples)} examples, not checked yet; training takes ${count(minimum)}`
    : `${count(examples)} of ${count(minimum)} examples; ${
        daysLeft === null ? `${count(minimum - examples)} missing` : `${inDays(daysLeft)} at this pace`
      }`;
}

/** A pace of two weeks says nothing exact of months. */
function inDays(days: number): string {
  if (days > 730) {
    return 'more than two years';
  }

  return days > 60 ? `about ${Math.round(days / 30)} months` : `about ${counted(days, 'day')}`;
}
