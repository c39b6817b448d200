import type { TypeStatistics } from '@/api/types';

export interface Bar {
  type: string;
  humanReviewed: number;
  autoAccepted: number;
}

/**
 * The bars of a chart: the types with most verified objects, and all others together as the last one.
 * @param most Bars at most, “other” included.
 */
export function foldTail(types: readonly TypeStatistics[], most: number): Bar[] {
  const verified = types
    .filter((each) => each.humanReviewed + each.autoAccepted > 0)
    .toSorted((a, b) => b.humanReviewed + b.autoAccepted - a.humanReviewed - a.autoAccepted);
  const shown = verified.length <= most ? verified : verified.slice(0, most - 1);
  const tail = verified.slice(shown.length);
  const bars = shown.map(({ type, humanReviewed, autoAccepted }) => ({ type, humanReviewed, autoAccepted }));
  return tail.length === 0
    ? bars
    : [
        ...bars,
        {
          type: `${tail.length} other types`,
          humanReviewed: sum(tail.map((each) => each.humanReviewed)),
          autoAccepted: sum(tail.map((each) => each.autoAccepted)),
        },
      ];
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
