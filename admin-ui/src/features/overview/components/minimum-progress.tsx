import { Group, Progress, Text } from '@mantine/core';
import { IconCircleCheck } from '@tabler/icons-react';
import type { TrainingMinimum } from '@/api/types';
import { count, counted } from '@/components/ui/format';

interface MinimumProgressProps {
  minimum: TrainingMinimum;

  /** New ones within the last 14 days, which the API takes the pace from. */
  recentExamples: number;
}

/** How far it is to the fewest examples that a training takes, and when that will be. */
export function MinimumProgress({ minimum, recentExamples }: MinimumProgressProps) {
  const { examples, minimum: needed, daysLeft } = minimum;
  const isMet = examples >= needed;
  const text = isMet
    ? `${count(examples)} examples: enough to train, it takes ${count(needed)}`
    : `${count(examples)} of ${count(needed)} examples; ${
        daysLeft === null ? `${count(needed - examples)} missing` : `${inDays(daysLeft)} at this pace`
      }`;
  return (
    <div>
      <Group gap={6} mb={6} wrap="nowrap">
        {isMet && <IconCircleCheck size={20} color="var(--mantine-color-teal-6)" aria-hidden />}
        <Text size="sm" fw={600}>
          {text}
        </Text>
      </Group>
      <Progress
        value={Math.min(100, (100 * examples) / needed)}
        color={isMet ? 'teal' : 'indigo'}
        size="lg"
        radius="xl"
        aria-label={text}
      />
      {!isMet && (
        <Text size="sm" c="dimmed" mt={6}>
          {recentExamples === 0 ? 'No new examples' : counted(recentExamples, 'new example')} in the last 14 days. Review
          more extractions, or lower the confidence below, to get there{daysLeft !== null && ' sooner'}.
        </Text>
      )}
    </div>
  );
}

/** A pace of two weeks says nothing exact of months. */
function inDays(days: number): string {
  if (days > 730) {
    return 'more than two years';
  }

  return days > 60 ? `about ${Math.round(days / 30)} months` : `about ${counted(days, 'day')}`;
}
