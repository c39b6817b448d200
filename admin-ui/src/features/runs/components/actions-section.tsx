import { Alert, Button, Group, Stack, Text } from '@mantine/core';
import { useDebouncedValue, useDisclosure } from '@mantine/hooks';
import { notifications } from '@mantine/notifications';
import { IconDatabaseExport, IconHandStop, IconLock, IconSchool } from '@tabler/icons-react';
import { useState, type ComponentProps } from 'react';
import type { ScheduleParameters, Scope, SelectedModel } from '@/api/types';
import { counted } from '@/components/ui/format';
import { Problem } from '@/components/ui/problem';
import { Section } from '@/components/ui/section';
import { ExportDialog } from '@/features/exports/components/export-dialog';
import { useSelectedModel } from '@/features/models/api/select-model';
import { useStatistics } from '@/features/overview/api/get-statistics';
import { useSchedule } from '@/features/schedule/api/get-schedule';
import { useHistory } from '../api/list-history';
import { usePreflight } from '../api/check-training';
import { useStartTraining } from '../api/start-training';
import { useLiveRun } from '../api/watch-runs';
import { generalTrainingWords } from './general-training';
import { TrainingConfirmationModal } from './training-confirmation-modal';
import { checkParameters, usualParameters } from './training-parameters';
import { TrainingParametersForm } from './training-parameters-form';

interface ActionsSectionProps {
  scope: Scope;
  name: string;
  mayChange: boolean;
}

/** Export and training by hand. */
export function ActionsSection({ scope, name, mayChange }: ActionsSectionProps) {
  return (
    <Section
      title={scope.kind === 'project' ? 'Train a model' : 'Train the general model'}
      icon={<IconSchool size={20} />}
      description="Now and by hand; a schedule does it by itself"
    >
      {mayChange ? (
        <Actions scope={scope} name={name} />
      ) : (
        <Alert icon={<IconLock />} color="gray" variant="light" role="note">
          You may look at this {scope.kind}. Exporting, training and choosing a model takes{' '}
          {scope.kind === 'project' ? 'a project admin or an organization admin' : 'an organization admin'}.
        </Alert>
      )}
    </Section>
  );
}

function Actions({ scope, name }: Omit<ActionsSectionProps, 'mayChange'>) {
  const [parameters, setParameters] = useState<ScheduleParameters>(usualParameters);
  const [isExporting, exporting] = useDisclosure(false);
  const [isConfirming, confirming] = useDisclosure(false);
  const [key, setKey] = useState('');
  const errors = checkParameters(parameters);
  const isValid = Object.keys(errors).length === 0;
  const [level] = useDebouncedValue(
    {
      minConfidence: parameters.minConfidence,
      humanReviewedOnly: parameters.humanReviewedOnly,
      countOwnAcceptances: parameters.countOwnAcceptances,
    },
    300,
  );
  const statistics = useStatistics(scope, level);
  const live = useLiveRun(scope);
  const hold = useSchedule(scope).data?.hold;
  const start = useStartTraining(scope);
  const history = useHistory(scope).data?.pages[0]?.items ?? [];
  // By what the project's own people may read: not all of them see the organization.
  const selected = useSelectedModel(scope.kind === 'project' ? scope.id : undefined).data;

  const took = history
    .filter((run) => run.state === 'succeeded' && run.endedAt !== null)
    .map((run) => Date.parse(run.endedAt ?? '') - Date.parse(run.createdAt));
  const usualDuration = took.length === 0 ? null : took.reduce((sum, each) => sum + each, 0) / took.length;
  const found = statistics.data;

  const ask = () => {
    start.reset();
    // One key for each time that somebody asks: pressing twice starts once.
    setKey(crypto.randomUUID());
    confirming.open();
  };
  const confirm = () =>
    start.mutate(
      { parameters, key },
      {
        onSuccess: ({ generalTraining }) => {
          confirming.close();
          const end = 'You can go on with something else: a message tells you when it is over.';
          notifications.show({
            color: 'blue',
            title: 'Training has begun',
            message: generalTraining ? `${generalTrainingWords(generalTraining)} ${end}` : end,
            role: 'status',
          });
        },
      },
    );

  return (
    <Stack id="train">
      <TrainingParametersForm value={parameters} onChange={setParameters} errors={errors} />
      {statistics.error && <Problem problem={statistics.error} onRetry={() => void statistics.refetch()} />}
      <Text size="sm" aria-live="polite">
        {found ? (
          <>
            At most <b>{counted(found.minimum.examples, 'example')}</b> with these settings
            {found.minimum.examples < found.minimum.minimum
              ? `; training takes ${found.minimum.minimum}`
              : '; checked before a training starts'}
          </>
        ) : (
          'Counting …'
        )}
      </Text>
      {hold && (
        <Alert color="yellow" icon={<IconHandStop />} title="No training begins now" role="note">
          {hold}
        </Alert>
      )}
      <Group gap="sm">
        <Button
          leftSection={<IconSchool size={18} />}
          disabled={!isValid || live !== undefined || Boolean(hold) || !found}
          onClick={ask}
        >
          Start training
        </Button>
        <Button
          variant="default"
          leftSection={<IconDatabaseExport size={18} />}
          disabled={!isValid}
          onClick={exporting.open}
        >
          Export training data
        </Button>
      </Group>
      {live && (
        <Text size="sm" c="dimmed">
          A training is under way. The next one can start when it is over.
        </Text>
      )}
      {found && isConfirming && (
        <CheckedConfirmation
          scope={scope}
          onClose={confirming.close}
          onConfirm={confirm}
          subject={scope.kind === 'project' ? `the model of ${name}` : `the general model of ${name}`}
          base={
            scope.kind === 'project'
              ? baseOf(selected)
              : (found.cost?.baseModel ?? 'the base model of this installation')
          }
          parameters={parameters}
          minimum={found.minimum}
          cost={found.cost}
          usualDuration={usualDuration}
          isStarting={start.isPending}
          error={start.error}
        />
      )}
      <ExportDialog
        scope={scope}
        name={name}
        opened={isExporting}
        onClose={exporting.close}
        initial={{
          minConfidence: parameters.minConfidence,
          humanReviewedOnly: parameters.humanReviewedOnly,
          countOwnAcceptances: parameters.countOwnAcceptances,
        }}
      />
    </Stack>
  );
}

type ConfirmationProps = ComponentProps<typeof TrainingConfirmationModal>;

/** Open as long as it is there: its check goes when it goes. */
function CheckedConfirmation({ scope, ...props }: { scope: Scope } & Omit<ConfirmationProps, 'opened' | 'check'>) {
  const { data, error } = usePreflight(scope, props.parameters);
  return <TrainingConfirmationModal opened check={{ report: data, error }} {...props} />;
}

/** What a project's next model goes on from. */
function baseOf(selected: SelectedModel | undefined): string {
  if (!selected) {
    return 'the general model of the organization when there is one, else the base model';
  }

  const { tier, version, baseModel } = generalOf(selected);
  return tier === 'general' ? `general model, version ${version} (${baseModel})` : baseModel;
}

/** The general model that a project would use without one of its own, or else the base model. */
function generalOf(selected: SelectedModel): Pick<SelectedModel, 'tier' | 'version' | 'baseModel'> {
  const order = [selected, ...selected.fallbacks];
  return order.find((model) => model.tier === 'general') ?? order.at(-1) ?? selected;
}
