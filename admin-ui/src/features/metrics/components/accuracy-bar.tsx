import { percent } from '@/components/ui/format';
import classes from './accuracy-bar.module.css';

interface AccuracyBarProps {
  rate: number;

  /** Ends of the interval that the true value lies in; null when nothing is known of it. */
  low: number | null;
  high: number | null;

  /** Whose accuracy it is. */
  name: string;
}

/** A rate with how sure it is. */
export function AccuracyBar({ rate, low, high, name }: AccuracyBarProps) {
  const isKnown = low !== null && high !== null;
  const range = isKnown ? `, between ${percent(low)} and ${percent(high)}` : '';
  return (
    <div className={classes.track} role="img" aria-label={`Accuracy of ${name}: ${percent(rate)}${range}`}>
      <div className={classes.rate} style={{ width: `${rate * 100}%` }} />
      {isKnown && (
        <div className={classes.range} style={{ left: `${low * 100}%`, width: `${(high - low) * 100}%` }} />
      )}
    </div>
  );
}
