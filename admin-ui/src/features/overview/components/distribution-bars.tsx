import '@mantine/charts/styles.css';
import { BarChart } from '@mantine/charts';
import { useReducedMotion } from '@mantine/hooks';
import { count } from '@/components/ui/format';
import type { Bar } from './distribution';

/** The drawing itself; what it says stands beside it in words. */
export default function DistributionBars({ bars, height }: { bars: Bar[]; height: number }) {
  const isStill = useReducedMotion();
  return (
    <BarChart
      h={height}
      data={bars}
      dataKey="type"
      orientation="vertical"
      type="stacked"
      withLegend
      legendProps={{ verticalAlign: 'bottom', height: 28 }}
      gridAxis="x"
      yAxisProps={{ width: 104, interval: 0 }}
      valueFormatter={count}
      barChartProps={{ accessibilityLayer: false }}
      barProps={{ isAnimationActive: !isStill, maxBarSize: 22 }}
      series={[
        { name: 'humanReviewed', label: 'Human-reviewed', color: 'indigo.6' },
        { name: 'autoAccepted', label: 'Auto-accepted', color: 'cyan.5' },
      ]}
    />
  );
}
