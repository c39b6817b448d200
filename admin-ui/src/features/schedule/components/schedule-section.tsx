import { Badge, Grid, Group, List, Stack, Text, Title } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useQueryClient } from '@tanstack/react-query';
import { IconCalendarClock } from '@tabler/icons-react';
import type { ScheduleView, Scope } from '@/api/types';
import { Fact, Facts } from '@/components/ui/facts';
import { count, counted, usd, words } from '@/components/ui/format';
import { Moment } from '@/components/ui/moment';
import { Loaded, Section } from '@/components/ui/section';
import { readSchedule, scheduleKey, useSchedule } from '../api/get-schedule';
import { useSaveSchedule } from '../api/save-schedule';
import { ScheduleConfigForm } from './schedule-config-form';

/** Trainings that start by themselves: settings on one side, what comes of them on the other. */
export function ScheduleSection({ scope, mayChange }: { scope: Scope; mayChange: boolean }) {
  const client = useQueryClient();
  const schedule = useSchedule(scope);
  const save = useSaveSchedule(scope);
  const reload = async () => {
    const newest = await readSchedule(scope);
    client.setQueryData(scheduleKey(scope), newest);
    return newest;
  };

  return (
    <Section
      title="Schedule"
      icon={<IconCalendarClock size={20} />}
      description="Trains by itself, when there is something to learn"
      aside={
        schedule.data && (
          <Badge
            size="lg"
            tt="none"
            variant="light"
            color={schedule.data.settings.enabled ? 'teal' : 'gray'}
            styles={{ label: { color: 'var(--mantine-color-text)' } }}
          >
            {schedule.data.settings.enabled ? 'On' : 'Off'}
          </Badge>
        )
      }
    >
      <Loaded query={schedule}>
        {(found) => (
          <Grid gap="xl">
            <Grid.Col span={{ base: 12, lg: 7 }}>
              <ScheduleConfigForm
                kind={scope.kind}
                schedule={found}
                mayChange={mayChange}
                isSaving={save.isPending}
                error={save.error}
                onEdit={save.reset}
                onReload={reload}
                onSave={(settings, version) =>
                  save.mutate(
                    { settings, version },
                    {
                      onSuccess: () =>
                        notifications.show({
                          color: 'teal',
                          title: 'Schedule saved',
                          message: 'It counts from the next look at the clock on.',
                          role: 'status',
                        }),
                    },
                  )
                }
              />
            </Grid.Col>
            <Grid.Col span={{ base: 12, lg: 5 }}>
              <Outlook schedule={found} />
            </Grid.Col>
          </Grid>
        )}
      </Loaded>
    </Section>
  );
}

/** What the saved schedule leads to. */
function Outlook({ schedule }: { schedule: ScheduleView }) {
  const { nextTimes, waitingSlot, estimate, lastDecision, lastTrainingAt, spending, hold, retries } = schedule;
  return (
    <Stack>
      <div>
        <Title order={3} size="h6" mb={4}>
          Next times
        </Title>
        {waitingSlot && (
          <Text size="sm" mb={4}>
            Waiting for the general model since <Moment at={waitingSlot} as="weekday" />: a training begins when that one is
            over, within 24 hours.
          </Text>
        )}
        {nextTimes.length === 0 ? (
          <Text size="sm" c="dimmed">
            {schedule.settings.enabled ? 'None: it does not go by the clock.' : 'None: the schedule is off.'}
          </Text>
        ) : (
          <List size="sm" type="ordered">
            {nextTimes.map((time) => (
              <List.Item key={time}>
                <Moment at={time} as="weekday" />
              </List.Item>
            ))}
          </List>
        )}
      </div>
      <div>
        <Title order={3} size="h6" mb={4}>
          What a training would find now
        </Title>
        <Facts>
          <Fact name="Examples">
            <b>{count(estimate.available)}</b>; it takes {count(estimate.minimum)}
          </Fact>
          <Fact name="New ones">
            {estimate.newSinceLastTraining === null
              ? 'all: nothing was trained yet'
              : `${counted(estimate.newSinceLastTraining, 'example')} since the last training`}
          </Fact>
          {lastTrainingAt && (
            <Fact name="Last training">
              <Moment at={lastTrainingAt} />
            </Fact>
          )}
        </Facts>
      </div>
      <div>
        <Title order={3} size="h6" mb={4}>
          Last decision
        </Title>
        {lastDecision ? (
          <>
            <Group gap="xs" mb={4}>
              <Badge variant="light" color="gray" tt="none" styles={{ label: { color: 'var(--mantine-color-text)' } }}>
                {words(lastDecision.outcome)}
              </Badge>
              <Text size="sm" c="dimmed">
                <Moment at={lastDecision.at} as="ago" />
              </Text>
            </Group>
            <Text size="sm">{lastDecision.reason}</Text>
          </>
        ) : (
          <Text size="sm" c="dimmed">
            None yet.
          </Text>
        )}
        {retries > 0 && <Text size="sm">Repeated {counted(retries, 'time')} after a failure.</Text>}
        {hold && (
          <Text size="sm" mt={4}>
            <b>On hold:</b> {hold}
          </Text>
        )}
      </div>
      {spending && (
        <div>
          <Title order={3} size="h6" mb={4}>
            Spending this month
          </Title>
          <Text size="sm" mb={4}>
            <b>{usd(spending.committedUsd)}</b>{' '}
            {spending.limitUsd === null ? 'without a limit' : `of ${usd(spending.limitUsd)}`}
            {spending.isDefaultLimit && ', the usual limit of an organization'}
          </Text>
          <Facts>
            <Fact name="Tuning">{usd(spending.tuningUsd)}</Fact>
            <Fact name="Comparisons">{usd(spending.evaluationUsd)}</Fact>
            <Fact name="Extractions">{usd(spending.extractionUsd)}; no limit ends these</Fact>
          </Facts>
          {spending.unpriced.map(({ kind, baseModel }) => (
            <Text size="sm" mt={4} key={`${kind}-${baseModel}`}>
              <b>Not counted:</b> {kind} with {baseModel === '' ? 'a model that was not noted' : baseModel}, because nobody has
              set its price.
            </Text>
          ))}
        </div>
      )}
    </Stack>
  );
}
