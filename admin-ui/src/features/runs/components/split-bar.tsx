import { Progress, Text } from '@mantine/core';
import { count } from '@/components/ui/format';

interface SplitBarProps {
  counts: { trainExamples: number; validationExamples: number; testExamples: number };
}

/** How the examples of a dataset are divided. */
export function SplitBar({ counts }: SplitBarProps) {
  const parts = [
    { label: 'training', value: counts.trainExamples, color: 'indigo.7' },
    { label: 'validation', value: counts.validationExamples, color: 'cyan.8' },
    { label: 'held out', value: counts.testExamples, color: 'gray.6' },
  ];
  const total = parts.reduce((sum, part) => sum + part.value, 0);
  const text = parts.map((part) => `${count(part.value)} ${part.label}`).join(' · ');
  return (
    <div>
      <Progress.Root size="lg" radius="xl" role="img" aria-label={text}>
        {parts.map((part) => (
          <Progress.Section
            key={part.label}
            value={total === 0 ? 0 : (100 * part.value) / total}
            color={part.color}
            withAria={false}
          />
        ))}
      </Progress.Root>
      <Text size="xs" c="dimmed" mt={4}>
        {text}
      </Text>
    </div>
  );
}
