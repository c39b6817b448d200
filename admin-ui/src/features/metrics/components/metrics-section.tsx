import { Progress, Stack, Table, Text } from '@mantine/core';
import { IconChartLine, IconMoodEmpty } from '@tabler/icons-react';
import { count, percent, usd, words } from '@/components/ui/format';
import { Empty, Loaded, Section } from '@/components/ui/section';
import type { ExtractionFigures } from '@/api/types';
import { useExtractionMetrics } from '../api/get-extraction-metrics';

const tiers: Readonly<Record<string, string>> = {
  project: 'Project models',
  general: 'General model',
  base: 'Base model',
};

/** How good what was extracted is, by the kind of model that extracted it. */
export function MetricsSection({ organizationId }: { organizationId: string }) {
  const metrics = useExtractionMetrics(organizationId);
  return (
    <Section
      title="Extractions"
      icon={<IconChartLine size={20} />}
      description="The last thirty days, by the model that answered"
    >
      <Loaded query={metrics}>
        {(found) =>
          found.total.extractions === 0 ? (
            <Empty icon={<IconMoodEmpty />} title="Nothing was extracted in this time">
              The figures appear once documents are extracted and people review the result.
            </Empty>
          ) : (
            <Stack>
              <Text size="sm" fw={600}>
                {found.tunedAgainstBase.sentence}
              </Text>
              <Table.ScrollContainer minWidth={560} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
                <Table verticalSpacing="sm">
                  <Table.Thead>
                    <Table.Tr>
                      <Table.Th>Model type</Table.Th>
                      <Table.Th>Accuracy</Table.Th>
                      <Table.Th ta="right">Extractions</Table.Th>
                      <Table.Th ta="right">Usual time</Table.Th>
                      <Table.Th ta="right">Cost</Table.Th>
                    </Table.Tr>
                  </Table.Thead>
                  <Table.Tbody>
                    {found.tiers.map(({ tier, figures }) => (
                      <TierRow key={tier} name={tiers[tier] ?? words(tier)} figures={figures} />
                    ))}
                  </Table.Tbody>
                </Table>
              </Table.ScrollContainer>
              <Text size="xs" c="dimmed">
                Accuracy: accepted as they were, of all objects that a person has decided on.
              </Text>
            </Stack>
          )
        }
      </Loaded>
    </Section>
  );
}

function TierRow({ name, figures }: { name: string; figures: ExtractionFigures }) {
  const { accuracy, latency, costUsd, extractions, usageShare } = figures;
  return (
    <Table.Tr>
      <Table.Th scope="row" fw={500}>
        {name}
      </Table.Th>
      <Table.Td>
        {typeof accuracy.rate !== 'number' ? (
          <Text size="sm" c="dimmed">
            no reviews yet
          </Text>
        ) : (
          <>
            <Text size="sm">
              <b>{percent(accuracy.rate)}</b> of {count(accuracy.of)} reviewed
            </Text>
            <Progress value={accuracy.rate * 100} size={6} maw={160} aria-label={`Accuracy of ${name}: ${percent(accuracy.rate)}`} />
          </>
        )}
      </Table.Td>
      <Table.Td ta="right">
        {count(extractions)}
        {typeof usageShare === 'number' && ` (${percent(usageShare)})`}
      </Table.Td>
      <Table.Td ta="right">{typeof latency.p50Ms !== 'number' ? '–' : `${(latency.p50Ms / 1000).toFixed(1)} s`}</Table.Td>
      <Table.Td ta="right">{typeof costUsd !== 'number' ? '–' : usd(costUsd)}</Table.Td>
    </Table.Tr>
  );
}
