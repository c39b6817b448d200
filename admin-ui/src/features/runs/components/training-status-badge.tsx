import { Badge, Loader, Tooltip } from '@mantine/core';
import type { RunState } from '@/api/types';
import { restingStates, runStates } from './run-states';

/** The state of a training at a glance. @param isOver Whether it moves no more. */
export function TrainingStatusBadge({ state, isOver = true }: { state: RunState; isOver?: boolean }) {
  const { label, color, icon: StateIcon, meaning } = runStates[state];
  return (
    <Tooltip label={meaning}>
      <Badge
        color={color}
        variant="light"
        size="lg"
        tt="none"
        style={{ flexShrink: 0 }}
        styles={{ label: { color: 'var(--mantine-color-text)' } }}
        leftSection={
          isOver || restingStates.includes(state) ? (
            <StateIcon size={15} aria-hidden />
          ) : (
            <Loader size={13} color={color} aria-hidden />
          )
        }
      >
        {label}
      </Badge>
    </Tooltip>
  );
}
