import { Container, Grid, Stack } from '@mantine/core';
import { useParams } from 'react-router';
import type { Scope } from '@/api/types';
import { NotFound } from '@/components/layout/not-found';
import { PageHeader } from '@/components/ui/page-header';
import { CurrentModelSection } from '@/features/models/components/current-model-section';
import { OverviewSection } from '@/features/overview/components/overview-section';
import { MetricsSection } from '@/features/metrics/components/metrics-section';
import { useLiveRun } from '@/features/runs/api/watch-runs';
import { ActionsSection } from '@/features/runs/components/actions-section';
import { HistorySection } from '@/features/runs/components/history-section';
import { LiveRun } from '@/features/runs/components/live-run';
import { ScheduleSection } from '@/features/schedule/components/schedule-section';
import { placeOf, useMe, type Place } from '@/features/session/api/get-me';
import { ContributionsSection } from '../components/contributions-section';

/** Everything about the general model of an organization. */
export function OrganizationPage() {
  const { orgId = '' } = useParams();
  const me = useMe().data;
  const scope: Scope = { kind: 'organization', id: orgId };
  const place = me && placeOf(me, scope);
  return place ? <Organization key={orgId} scope={scope} place={place} /> : <NotFound />;
}

function Organization({ scope, place }: { scope: Scope; place: Place }) {
  const { mayChange } = place;
  const live = useLiveRun(scope);
  return (
    <Container size="xl" p={0}>
      <Stack gap="lg">
        <PageHeader title="AI training" place={place.name} mayChange={mayChange} />
        {live && <LiveRun run={live} mayChange={mayChange} />}
        <Grid gap="lg">
          <Grid.Col span={{ base: 12, lg: 7 }}>
            <OverviewSection scope={scope} mayChange={mayChange} />
          </Grid.Col>
          <Grid.Col span={{ base: 12, lg: 5 }}>
            <Stack gap="lg">
              <CurrentModelSection scope={scope} mayChange={mayChange} />
              <ActionsSection scope={scope} name={place.name} mayChange={mayChange} />
            </Stack>
          </Grid.Col>
        </Grid>
        <ContributionsSection organizationId={scope.id} />
        <MetricsSection organizationId={scope.id} />
        <HistorySection scope={scope} mayChange={mayChange} />
        <ScheduleSection scope={scope} mayChange={mayChange} />
      </Stack>
    </Container>
  );
}
