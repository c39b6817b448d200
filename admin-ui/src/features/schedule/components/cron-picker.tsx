import { Chip, Group, Input, NumberInput, SegmentedControl, Select, Stack, Text, TextInput } from '@mantine/core';
import { useId, useState } from 'react';
import { inWords, readSimple, writeSimple, type SimpleTime } from './cron';

interface CronPickerProps {
  expression: string;
  timeZone: string;
  onChange: (expression: string) => void;
  onTimeZoneChange: (timeZone: string) => void;
  error?: string | undefined;
  timeZoneError?: string | undefined;
  isDisabled?: boolean;
}

type Mode = 'week' | 'month' | 'expression';

const weekdays = [
  { value: '1', label: 'Mon' },
  { value: '2', label: 'Tue' },
  { value: '3', label: 'Wed' },
  { value: '4', label: 'Thu' },
  { value: '5', label: 'Fri' },
  { value: '6', label: 'Sat' },
  { value: '0', label: 'Sun' },
];

const usual: Record<'week' | 'month', SimpleTime> = {
  week: { every: 'week', days: [6], time: '02:00' },
  month: { every: 'month', day: 1, time: '02:00' },
};

/** A time that comes again: by week or by month, or as a cron expression for those who know them. */
export function CronPicker(props: CronPickerProps) {
  const { expression, timeZone, onChange, onTimeZoneChange, error, timeZoneError, isDisabled = false } = props;
  const simple = readSimple(expression);
  const [isExpert, setExpert] = useState(simple === null && expression !== '');
  const mode: Mode = isExpert ? 'expression' : (simple?.every ?? 'week');
  const label = useId();
  const choose = (next: Mode) => {
    setExpert(next === 'expression');
    if (next !== 'expression' && simple?.every !== next) {
      onChange(writeSimple({ ...usual[next], time: simple?.time ?? usual[next].time }));
    }
  };

  return (
    <Stack gap="sm">
      <Input.Wrapper label="How often" labelElement="div" labelProps={{ id: label }}>
        <SegmentedControl
          aria-labelledby={label}
          fullWidth
          disabled={isDisabled}
          data={[
            { value: 'week', label: 'Weekly' },
            { value: 'month', label: 'Monthly' },
            { value: 'expression', label: 'Cron' },
          ]}
          value={mode}
          onChange={(value) => choose(value as Mode)}
        />
      </Input.Wrapper>
      {mode === 'expression' && (
        <TextInput
          label="Cron expression"
          description="Minute, hour, day of month, month, day of week"
          disabled={isDisabled}
          value={expression}
          error={error}
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      )}
      {mode === 'week' && simple?.every === 'week' && (
        <Input.Wrapper label="Days" labelElement="div" error={error}>
          <Chip.Group
            multiple
            value={simple.days.map(String)}
            onChange={(days) => {
              if (days.length > 0) {
                onChange(writeSimple({ ...simple, days: days.map(Number) }));
              }
            }}
          >
            <Group gap={6} mt={4} mb={4} role="group" aria-label="Days">
              {weekdays.map((day) => (
                <Chip key={day.value} value={day.value} size="sm" disabled={isDisabled}>
                  {day.label}
                </Chip>
              ))}
            </Group>
          </Chip.Group>
        </Input.Wrapper>
      )}
      {mode === 'month' && simple?.every === 'month' && (
        <NumberInput
          label="Day of the month"
          description="1 to 28, which every month has"
          min={1}
          max={28}
          clampBehavior="strict"
          disabled={isDisabled}
          value={simple.day}
          error={error}
          onChange={(day) => onChange(writeSimple({ ...simple, day: Number(day) || 1 }))}
        />
      )}
      <Group grow align="flex-start" preventGrowOverflow={false}>
        {mode !== 'expression' && simple && (
          <TextInput
            label="Time"
            type="time"
            disabled={isDisabled}
            value={simple.time}
            onChange={(event) => {
              if (event.currentTarget.value !== '') {
                onChange(writeSimple({ ...simple, time: event.currentTarget.value }));
              }
            }}
          />
        )}
        <Select
          label="Time zone"
          searchable
          disabled={isDisabled}
          data={timeZones}
          limit={100}
          value={timeZone === '' ? null : timeZone}
          error={timeZoneError}
          nothingFoundMessage="No such time zone"
          onChange={(zone) => onTimeZoneChange(zone ?? '')}
        />
      </Group>
      <Text size="sm" fw={600} aria-live="polite">
        {inWords(expression) && !error ? `${inWords(expression)}, ${timeZone || 'without a time zone'}` : ' '}
      </Text>
    </Stack>
  );
}

/** Every zone that this browser knows, and UTC, which is none of them. */
const timeZones = ['UTC', ...Intl.supportedValuesOf('timeZone').filter((zone) => zone !== 'UTC')];
