import { Text } from '@mantine/core';
import type { ExportDetails } from '@/api/types';
import { count, counted } from '@/components/ui/format';
import { partWords } from './exclusions';

/** What was left out or merged inside the examples, and how many names their texts do not have. */
export function InsideExamples({ result }: { result: NonNullable<ExportDetails['result']> }) {
  const parts = Object.entries(result.leftOut).filter(([, number]) => number > 0);
  const notInText = result.counts.entitiesNotInText ?? 0;
  const empty = result.counts.emptyTexts ?? 0;
  return (
    <>
      {empty > 0 && <Text size="sm">{counted(empty, 'text')} with nothing to find among the examples.</Text>}
      {parts.length > 0 && (
        <Text size="sm">
          Inside the examples: {parts.map(([reason, number]) => `${count(number)} ${partWords(reason)}`).join(', ')}.
        </Text>
      )}
      {notInText > 0 && (
        <Text size="sm">
          The names of {count(notInText)} of {count(result.counts.entities)} entities do not stand in their texts.
        </Text>
      )}
    </>
  );
}
