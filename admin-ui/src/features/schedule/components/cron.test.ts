import { describe, expect, it } from 'vitest';
import { checkCron, inWords, readSimple, writeSimple } from './cron';

describe('readSimple', () => {
  it.each(['0 2 * * 6', '30 14 * * 1,3,5', '0 0 1 * *', '5 23 28 * *'])('reads %s and writes the same', (expression) => {
    const simple = readSimple(expression);
    expect(simple && writeSimple(simple)).toBe(expression);
  });

  it('takes 7 for Sunday', () => {
    expect(readSimple('0 2 * * 7')).toEqual({ every: 'week', days: [0], time: '02:00' });
  });

  it.each(['0 2 29 * *', '0 2 1 1 *', '0 2 1 * 1', '*/5 2 * * 1', '0 2,14 * * 1', 'nonsense', ''])(
    'leaves %s to the expert',
    (expression) => {
      expect(readSimple(expression)).toBeNull();
    },
  );
});

describe('checkCron', () => {
  it.each(['0 2 * * 6', '0 0,6,12,18 * * *', '0 */6 * * *', '0 0-18/9 * * *'])('takes %s', (expression) => {
    expect(checkCron(expression)).toBeUndefined();
  });

  it.each(['', '@daily', '0 2 * *', '61 2 * * *', '0 */5 * * *', '* 2 * * *', '0,30 2 * * *', '0 2-4 * * *'])(
    'refuses %s',
    (expression) => {
      expect(checkCron(expression)).toBeTypeOf('string');
    },
  );
});

it('says an expression in words, or nothing', () => {
  expect(inWords('0 2 * * 6')).toBe('At 02:00, only on Saturday');
  expect(inWords('x y')).toBeNull();
});
