import { Group, Select } from '@mantine/core';
import type { RunState, RunTrigger } from '@/api/types';
import { allRunStates, allTriggers, runStates, triggers } from './run-states';

/** What narrows the history, as it stands in the address. */
export interface HistoryChoice {
  state: RunState | null;
  trigger: RunTrigger | null;

  /** The last so many days, today among them. */
  days: number | null;
}

export const everything: HistoryChoice = { state: null, trigger: null, days: null };

const periods = [7, 30, 90, 365];

/** What does not stand in the lists is as good as not there. */
export function readChoice(search: URLSearchParams): HistoryChoice {
  return {
    state: allRunStates.find((each) => each === search.get('status')) ?? null,
    trigger: allTriggers.find((each) => each === search.get('trigger')) ?? null,
    days: periods.find((each) => String(each) === search.get('days')) ?? null,
  };
}

export function writeChoice({ state, trigger, days }: HistoryChoice): Record<string, string> {
  return {
    ...(state && { status: state }),
    ...(trigger && { trigger }),
    ...(days && { days: String(days) }),
  };
}

/** The midnight, in the reader's zone, that the last so many days begin with. */
export function startOf(days: number | null, now: Date): string | null {
  return days === null ? null : new Date(now.getFullYear(), now.getMonth(), now.getDate() - days + 1).toISOString();
}

interface HistoryFilterProps {
  value: HistoryChoice;
  onChange: (value: HistoryChoice) => void;
}

export function HistoryFilter({ value, onChange }: HistoryFilterProps) {
  const common = { clearable: true, size: 'sm', w: 190 } as const;
  return (
    <Group gap="xs">
      <Select
        {...common}
        aria-label="Status"
        placeholder="Every status"
        clearButtonProps={{ 'aria-label': 'Every status' }}
        data={allRunStates.map((each) => ({ value: each, label: runStates[each].label }))}
        value={value.state}
        onChange={(state) => onChange({ ...value, state })}
      />
      <Select
        {...common}
        aria-label="Trigger"
        placeholder="Every trigger"
        clearButtonProps={{ 'aria-label': 'Every trigger' }}
        data={allTriggers.map((each) => ({ value: each, label: triggers[each] }))}
        value={value.trigger}
        onChange={(trigger) => onChange({ ...value, trigger })}
      />
      <Select
        {...common}
        w={150}
        aria-label="Period"
        placeholder="Any time"
        clearButtonProps={{ 'aria-label': 'Any time' }}
        data={periods.map((each) => ({ value: String(each), label: each === 365 ? 'Last year' : `Last ${each} days` }))}
        value={value.days === null ? null : String(value.days)}
        onChange={(days) => onChange({ ...value, days: days === null ? null : Number(days) })}
      />
    </Group>
  );
}
