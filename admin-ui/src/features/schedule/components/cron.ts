import { toString } from 'cronstrue';

/** A time that the picker can show without the expression. */
export type SimpleTime =
  | { every: 'week'; days: readonly number[]; time: string }
  | { every: 'month'; day: number; time: string };

const fields = 5;
const shortestGapHours = 6;

/** @returns Null for what only the expression can say. Days of the week count from Sunday, 0. */
export function readSimple(expression: string): SimpleTime | null {
  const [minute = '', hour = '', day = '', month = '', weekday = ''] = expression.trim().split(/\s+/);
  const time = timeOf(hour, minute);
  if (time === null || month !== '*') {
    return null;
  }

  if (day === '*' && /^[0-7](,[0-7])*$/.test(weekday)) {
    return { every: 'week', days: [...new Set(weekday.split(',').map((each) => Number(each) % 7))].toSorted(), time };
  }

  const dayOfMonth = Number(day);
  return weekday === '*' && /^\d{1,2}$/.test(day) && dayOfMonth >= 1 && dayOfMonth <= 28
    ? { every: 'month', day: dayOfMonth, time }
    : null;
}

export function writeSimple(simple: SimpleTime): string {
  const [hour = '0', minute = '0'] = simple.time.split(':');
  const start = `${Number(minute)} ${Number(hour)}`;
  return simple.every === 'week'
    ? `${start} * * ${[...simple.days].toSorted().join(',')}`
    : `${start} ${simple.day} * *`;
}

/** An expression for people; null when it cannot be understood. */
export function inWords(expression: string): string | null {
  try {
    return toString(expression, { use24HourTimeFormat: true, throwExceptionOnParseError: true });
  } catch {
    return null;
  }
}

/** What is wrong with an expression, as far as that can be seen without a calendar; the API looks again. */
export function checkCron(expression: string): string | undefined {
  const parts = expression.trim().split(/\s+/);
  if (expression.trim() === '') {
    return 'Say when: an expression is missing';
  }

  if (expression.includes('@') || parts.length !== fields) {
    return 'Five fields: minute, hour, day of month, month, day of week';
  }

  if (inWords(expression) === null) {
    return 'This is no cron expression';
  }

  const [minutes, hours] = [valuesOf(parts[0] ?? '', 59), valuesOf(parts[1] ?? '', 23)];
  const times = hours.flatMap((hour) => minutes.map((minute) => hour + minute / 60)).toSorted((a, b) => a - b);
  const isClose = times.some((time, index) => index > 0 && time - (times[index - 1] ?? 0) < shortestGapHours);
  return isClose ? `At least ${shortestGapHours} hours must lie between two trainings` : undefined;
}

function timeOf(hour: string, minute: string): string | null {
  return /^\d{1,2}$/.test(hour) && /^\d{1,2}$/.test(minute) && Number(hour) < 24 && Number(minute) < 60
    ? `${hour.padStart(2, '0')}:${minute.padStart(2, '0')}`
    : null;
}

/** `*`, `5`, `1-5`, steps and lists of them to the numbers that they stand for. */
function valuesOf(field: string, highest: number): number[] {
  return [
    ...new Set(
      field.split(',').flatMap((part) => {
        const [range = '', step] = part.split('/');
        const [from, to] = range === '*' ? [0, highest] : range.split('-').map(Number);
        const start = from ?? 0;
        const end = to ?? (step === undefined ? start : highest);
        const every = Math.max(1, Number(step ?? 1));
        return Array.from({ length: Math.max(0, Math.floor((end - start) / every) + 1) }, (_, n) => start + n * every);
      }),
    ),
  ];
}
