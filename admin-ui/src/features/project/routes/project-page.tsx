import { Container, Grid, Stack } from '@mantine/core';
import { useParams } from 'react-router';
import { NotFound } from '@/components/layout/not-found';
import { pathOf } from '@/components/layout/paths';
import { PageHeader } from '@/components/ui/page-header';
import { CurrentModelSection } from '@/features/models/components/current-model-section';
import { OverviewSection } from '@/features/overview/components/overview-section';
import { ActionsSection } from '@/features/runs/components/actions-section';
import { HistorySection } from '@/features/runs/components/history-section';
import { LiveRun } from '@/features/runs/components/live-run';
import { useLiveRun } from '@/features/runs/api/watch-runs';
import { ScheduleSection } from '@/features/schedule/components/schedule-section';
import { placeOf, useMe, type Place } from '@/features/session/api/get-me';
import type { Scope } from '@/api/types';

/** Everything about the training of one project's model. */
export function ProjectPage() {
  const { projectId = '' } = useParams();
  const me = useMe().data;
  const scope: Scope = { kind: 'project', id: projectId };
  const place = me && placeOf(me, scope);
  // A page of its own for each project: no field of a form goes along.
  return place ? <Project key={projectId} scope={scope} place={place} seesOrganization={seesOrganization(place)} /> : <NotFound />;

  function seesOrganization({ organizationId }: Place): boolean {
    return me?.organizations.some((each) => each.id === organizationId && each.role !== null) ?? false;
  }
}

function Project({ scope, place, seesOrganization }: { scope: Scope; place: Place; seesOrganization: boolean }) {
  const { mayChange } = place;
  const live = useLiveRun(scope);
  return (
    <Container size="xl" p={0}>
      <Stack gap="lg">
        <PageHeader
          title="AI training"
          place={place.name}
          above={{
            name: place.organizationName,
            to: seesOrganization ? pathOf({ kind: 'organization', id: place.organizationId }) : null,
          }}
          mayChange={mayChange}
        />
        {live && <LiveRun run={live} mayChange={mayChange} />}
        <Grid gap="lg">
          <Grid.Col span={{ base: 12, lg: 7 }}>
            <OverviewSection scope={scope} mayChange={mayChange} />
          </Grid.Col>
          <Grid.Col span={{ base: 12, lg: 5 }}>
            <Stack gap="lg">
              <CurrentModelSection scope={scope} mayChange={mayChange} />
              <ActionsSection
                scope={scope}
                name={place.name}
                mayChange={mayChange}
              />
            </Stack>
          </Grid.Col>
        </Grid>
        <HistorySection scope={scope} mayChange={mayChange} />
        <ScheduleSection scope={scope} mayChange={mayChange} />
      </Stack>
    </Container>
  );
}
