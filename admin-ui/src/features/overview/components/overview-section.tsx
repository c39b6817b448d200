import { Anchor, List, SimpleGrid, Stack, Text } from '@mantine/core';
import { IconDatabase } from '@tabler/icons-react';
import type { Scope } from '@/api/types';
import { Figure } from '@/components/ui/facts';
import { count, counted } from '@/components/ui/format';
import { Moment } from '@/components/ui/moment';
import { Loaded, Section } from '@/components/ui/section';
import { useLastDataset } from '@/features/exports/api/last-dataset';
import { exclusionWords } from '@/features/exports/components/exclusions';
import { useStatistics, type Statistics } from '../api/get-statistics';
import { EntityDistributionChart } from './entity-distribution-chart';
import { MinimumProgress } from './minimum-progress';

interface OverviewSectionProps {
  scope: Scope;
  mayChange: boolean;
}

/** How much verified data there is, of which kinds, and whether it is enough. */
export function OverviewSection({ scope, mayChange }: OverviewSectionProps) {
  const query = useStatistics(scope);
  return (
    <Section
      title="Training data"
      icon={<IconDatabase size={20} />}
      description="What people have reviewed, and what the product has accepted"
    >
      <Loaded query={query}>
        {({ statistics, minimum, preflight }) => (
          <Stack gap="lg">
            <SimpleGrid cols={3} spacing="sm" maw={520}>
              <Figure label="verified" value={count(statistics.verified)} hint="count as true" />
              <Figure
                label="human-reviewed"
                value={count(statistics.humanReviewed)}
                hint={shareOf(statistics.humanReviewed, statistics.verified)}
              />
              <Figure
                label="auto-accepted"
                value={count(statistics.autoAccepted)}
                hint={shareOf(statistics.autoAccepted, statistics.verified)}
              />
            </SimpleGrid>
            <MinimumProgress
              minimum={minimum}
              recentExamples={statistics.recentExamples}
              preflight={preflight}
            />
            {statistics.emptyTexts > 0 && (
              <Text size="sm">
                <b>{counted(statistics.emptyTexts, 'text')}</b> with nothing to find: a model learns from them when to answer
                nothing.
              </Text>
            )}
            <EntityDistributionChart types={statistics.byType} />
            <LeftOut scope={scope} statistics={statistics} mayChange={mayChange} />
          </Stack>
        )}
      </Loaded>
    </Section>
  );
}

function shareOf(part: number, whole: number): string | undefined {
  return whole === 0 ? undefined : `${Math.round((100 * part) / whole)} %`;
}

/** What does not become an example, by the figures of now and by what was written last. */
function LeftOut({ scope, statistics, mayChange }: OverviewSectionProps & { statistics: Statistics }) {
  const last = useLastDataset(scope).data;
  const reasons = Object.entries(last?.result?.excluded ?? {}).filter(([, number]) => number > 0);
  return (
    <div>
      <Text fw={600} size="sm" component="h3" mb={4}>
        What is left out
      </Text>
      <List size="sm" spacing={4}>
        <List.Item>
          <b>{counted(statistics.excludedUndecided, 'text')}</b> where too many entities wait for a decision
          {statistics.excludedUndecided > 0 && ': review them, and they count'}
        </List.Item>
        <List.Item>
          <b>{count(statistics.undecided)}</b> undecided and <b>{count(statistics.rejected)}</b> rejected entities
        </List.Item>
        {last && (
          <List.Item>
            In the last {last.purpose === 'training' ? 'training' : 'export'}, <Moment at={last.createdAt} as="ago" />:{' '}
            {reasons.map(([reason, number]) => `${count(number)} ${exclusionWords(reason)}`).join(', ') || 'nothing'}
          </List.Item>
        )}
      </List>
      {last === null && (
        <Text size="sm" c="dimmed" mt={4}>
          How many texts hold personal data, stand there twice or are too long is found only when they are written to files,
          and that was not done {scope.kind === 'organization' ? 'for the organization ' : ''}yet.{' '}
          {mayChange ? (
            <Anchor href="#train" inherit underline="always">
              Export the data to see it: that trains nothing
            </Anchor>
          ) : (
            'An admin can export the data to see it: that trains nothing.'
          )}
        </Text>
      )}
    </div>
  );
}
