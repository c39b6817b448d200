/**
 * Until when a person has been told of ends, kept in this browser: a mark of the page, nothing of what has ended. Without
 * storage, nothing is told of the time before.
 */
export class LastSeen {
  readonly #key: string;

  /** @param subject Of the person. @param what Such as “trainings”. */
  constructor(subject: string, what: string) {
    this.#key = `ai-training.ends-seen.${what}.${subject}`;
  }

  /** Milliseconds; null when the person has never been here. */
  read(): number | null {
    try {
      const time = Number(localStorage.getItem(this.#key) ?? Number.NaN);
      return Number.isFinite(time) ? time : null;
    } catch {
      return null;
    }
  }

  /** Never goes back: another tab may have been faster. */
  write(time: number): void {
    try {
      localStorage.setItem(this.#key, String(Math.max(time, this.read() ?? time)));
    } catch {
      // A browser that keeps nothing.
    }
  }
}
