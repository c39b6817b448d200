/**
 * How long to wait before looking again at something that runs: a seventh of its age. What is young changes by the second;
 * a tuning job of hours does not.
 * @param age Milliseconds since it began.
 */
export function pollInterval(age: number): number {
  return Math.min(20_000, Math.max(1_500, age / 7));
}
