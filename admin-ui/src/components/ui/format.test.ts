import { expect, it } from 'vitest';
import { counted, duration, percent, size, usd } from './format';

it.each([
  [0, '0 s'],
  [59_400, '59 s'],
  [60_000, '1 min'],
  [125_000, '2 min 5 s'],
  [3_600_000, '1 h'],
  [7_500_000, '2 h 5 min'],
  [90_000_000 * 2, '2 d 2 h'],
])('%i milliseconds are %s', (milliseconds, text) => {
  expect(duration(milliseconds)).toBe(text);
});

it('counts one as one', () => {
  expect([counted(1, 'example'), counted(1234, 'example'), counted(0, 'entity', 'entities')]).toEqual([
    '1 example',
    '1,234 examples',
    '0 entities',
  ]);
});

it('hides no money in rounding', () => {
  expect([usd(0), usd(0.004), usd(1234.5)]).toEqual(['$0.00', 'less than $0.01', '$1,234.50']);
});

it('writes shares and sizes for people', () => {
  expect([percent(0.853), size(999), size(1_400_000)]).toEqual(['85 %', '999 bytes', '1.4 MB']);
});
