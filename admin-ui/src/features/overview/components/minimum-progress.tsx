import { Group, Progress, Text } from '@mantine/core';
import { IconCircleCheck } from '@tabler/icons-react';
import type { TrainingMinimum } from '@/api/types';
import { count } from '@/components/ui/format';

/** How far it is to the fewest examples that a training takes. */
export function MinimumProgress({ minimum }: { minimum: TrainingMinimum }) {
  const { examples, minimum: needed } = minimum;
  const isMet = examples >= needed;
  const text = isMet
    ? `${count(examples)} examples: enough to train, it takes ${count(needed)}`
    : `${count(examples)} of ${count(needed)} examples, ${count(needed - examples)} to go`;
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
          Review more extractions, or lower the confidence below, to get there.
        </Text>
      )}
    </div>
  );
}
