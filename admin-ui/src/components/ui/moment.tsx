import { Tooltip } from '@mantine/core';
import { useNow } from './use-now';

const full = new Intl.DateTimeFormat('en', {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
});
const weekday = new Intl.DateTimeFormat('en', {
  weekday: 'short',
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
});
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

interface MomentProps {
  /** ISO 8601. */
  at: string;
  /** `ago`: “3 minutes ago”; `weekday`: “Sat, Nov 28, 02:00”. */
  as?: 'date' | 'ago' | 'weekday';
}

/** A moment in the reader's time zone, with the UTC time at a touch or a look. */
export function Moment({ at, as = 'date' }: MomentProps) {
  const now = useNow(as === 'ago' ? 30_000 : null);
  const date = new Date(at);
  const text = as === 'ago' ? ago(date.getTime(), now) : (as === 'weekday' ? weekday : full).format(date);
  return (
    <Tooltip label={`${at.includes('T') ? date.toISOString().slice(0, 16).replace('T', ' ') : at} UTC`}>
      <time dateTime={at}>{text}</time>
    </Tooltip>
  );
}

function ago(then: number, now: number): string {
  const seconds = Math.round((then - now) / 1000);
  const size = Math.abs(seconds);
  return size < 45
    ? 'just now'
    : size < 3600
      ? relative.format(Math.round(seconds / 60), 'minute')
      : size < 86_400
        ? relative.format(Math.round(seconds / 3600), 'hour')
        : relative.format(Math.round(seconds / 86_400), 'day');
}
