import { Badge, Group, Stack, Table, Text } from '@mantine/core';
import { IconChartLine, IconEqual, IconMoodEmpty, IconTrendingDown, IconTrendingUp } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { count, counted, percent, usd, words } from '@/components/ui/format';
import { Empty, Loaded, Section } from '@/components/ui/section';
import type { ExtractionFigures } from '@/api/types';
import { useExtractionMetrics } from '../api/get-extraction-metrics';
import { AccuracyBar } from './accuracy-bar';

const tiers: Readonly<Record<string, string>> = {
  project: 'Project models',
  general: 'General model',
  base: 'Base model',
};

/** Whether tuned models do better in daily work than the base model. */
const outcomes: Readonly<Record<string, { color: string; icon: ReactNode; label: string }>> = {
  better: { color: 'teal', icon: <IconTrendingUp size={15} aria-hidden />, label: 'Better than the base model' },
  worse: { color: 'red', icon: <IconTrendingDown size={15} aria-hidden />, label: 'Worse than the base model' },
  cannot_tell: { color: 'gray', icon: <IconEqual size={15} aria-hidden />, label: 'Cannot tell' },
  too_few_reviews: { color: 'gray', icon: <IconEqual size={15} aria-hidden />, label: 'Too few reviews' },
};

/** How good what was extracted is, by the kind of model that extracted it. */
export function MetricsSection({ organizationId }: { organizationId: string }) {
  const metrics = useExtractionMetrics(organizationId);
  const outcome = outcomes[metrics.data?.tunedAgainstBase.verdict ?? ''];
  return (
    <Section
      title="Extractions"
      icon={<IconChartLine size={20} />}
      description="How much of what was extracted people found right: the last thirty days, by the model that answered"
      aside={
        metrics.data &&
        metrics.data.total.extractions > 0 &&
        outcome && (
          <Badge
            size="lg"
            tt="none"
            variant="outline"
            color={outcome.color}
            leftSection={outcome.icon}
            styles={{ label: { color: 'var(--mantine-color-text)' } }}
          >
            {outcome.label}
          </Badge>
        )
      }
    >
      <Loaded query={metrics}>
        {(found) =>
          found.total.extractions === 0 ? (
            <Empty icon={<IconMoodEmpty />} title="Nothing was extracted in this time">
              The figures appear once documents are extracted and people review the result.
            </Empty>
          ) : (
            <Stack>
              <Table verticalSpacing="sm">
                <Table.Thead>
                  <Table.Tr>
                    <Table.Th>Model type</Table.Th>
                    <Table.Th>Accuracy</Table.Th>
                    <Table.Th visibleFrom="sm" ta="right">
                      Extractions
                    </Table.Th>
                    <Table.Th visibleFrom="md" ta="right">
                      Usual time
                    </Table.Th>
                    <Table.Th visibleFrom="md" ta="right">
                      Cost
                    </Table.Th>
                  </Table.Tr>
                </Table.Thead>
                <Table.Tbody>
                  {found.tiers.map(({ tier, figures }) => (
                    <TierRow key={tier} name={tiers[tier] ?? words(tier)} figures={figures} />
                  ))}
                </Table.Tbody>
              </Table>
              <Text size="sm">{found.tunedAgainstBase.sentence}</Text>
              <Text size="xs" c="dimmed">
                Accuracy: of the entities that a person has decided on, those that were right as they were. The band around a
                bar’s end is where the true value lies, 19 times in 20; it shrinks with more reviews.
              </Text>
            </Stack>
          )
        }
      </Loaded>
    </Section>
  );
}

function TierRow({ name, figures }: { name: string; figures: ExtractionFigures }) {
  const { accuracy, latency, costUsd, extractions, usageShare, emptyTexts } = figures;
  return (
    <Table.Tr>
      <Table.Th scope="row" fw={500}>
        {name}
        <Text size="xs" c="dimmed" hiddenFrom="sm">
          {counted(extractions, 'extraction')}
        </Text>
      </Table.Th>
      <Table.Td w="45%">
        {typeof accuracy.rate === 'number' ? (
          <>
            <Group gap={6}>
              <Text fw={700}>{percent(accuracy.rate)}</Text>
              <Text size="sm" c="dimmed">
                of {count(accuracy.of)} reviewed
              </Text>
            </Group>
            <AccuracyBar rate={accuracy.rate} low={accuracy.low ?? null} high={accuracy.high ?? null} name={name} />
          </>
        ) : (
          <Text size="sm" c="dimmed">
            {extractions === 0 ? 'not used' : 'no reviews yet'}
          </Text>
        )}
        {emptyTexts.texts > 0 && (
          <Text size="xs" c="dimmed">
            {counted(emptyTexts.texts, 'text')} with nothing to find:{' '}
            {counted(emptyTexts.inventedObjects, 'entity', 'entities')} invented
          </Text>
        )}
      </Table.Td>
      <Table.Td visibleFrom="sm" ta="right">
        {count(extractions)}
        {typeof usageShare === 'number' && ` (${percent(usageShare)})`}
      </Table.Td>
      <Table.Td visibleFrom="md" ta="right">
        {typeof latency.p50Ms === 'number' ? inSeconds(latency.p50Ms) : '–'}
      </Table.Td>
      <Table.Td visibleFrom="md" ta="right">
        {typeof costUsd === 'number' ? usd(costUsd) : '–'}
      </Table.Td>
    </Table.Tr>
  );
}

function inSeconds(milliseconds: number): string {
  return milliseconds < 50 ? 'under 0.1 s' : `${(milliseconds / 1000).toFixed(1)} s`;
}
