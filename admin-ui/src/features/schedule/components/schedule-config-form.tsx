import { Alert, Button, Fieldset, Group, NumberInput, Select, Stack, Switch, Text } from '@mantine/core';
import { IconDeviceFloppy, IconLock, IconUsers } from '@tabler/icons-react';
import { useState } from 'react';
import { ApiProblem } from '@/api/problem';
import type { ScheduleSettings, ScheduleView, Scope } from '@/api/types';
import { Problem } from '@/components/ui/problem';
import { usualParameters, type ParameterErrors } from '@/features/runs/components/training-parameters';
import { TrainingParametersForm } from '@/features/runs/components/training-parameters-form';
import { CronPicker } from './cron-picker';
import { checkSchedule, type ScheduleErrors } from './schedule-rules';

interface ScheduleConfigFormProps {
  kind: Scope['kind'];

  /** As it was read last; may become newer while somebody changes it. */
  schedule: ScheduleView;
  mayChange: boolean;
  isSaving: boolean;

  /** Of the last attempt to save. */
  error: unknown;
  onSave: (settings: ScheduleSettings, version: number) => void;

  /** Reads the newest version. */
  onReload: () => Promise<ScheduleView>;
  onEdit: () => void;
}

const weekly = '0 2 * * 6';

/** What the API goes by where nobody has set a floor. */
const usualFloor = 'redact';

const floors: { value: NonNullable<ScheduleSettings['piiFloor']>; label: string }[] = [
  { value: 'exclude', label: 'Leave out each example that has some' },
  { value: 'redact', label: 'Leave out, or put placeholders in its place' },
  { value: 'allow', label: 'Each run decides, also to keep it' },
];

/** When trainings start by themselves. What somebody types stays, whatever arrives meanwhile. */
export function ScheduleConfigForm(props: ScheduleConfigFormProps) {
  const { kind, schedule, mayChange, isSaving, error, onSave, onReload, onEdit } = props;
  const [base, setBase] = useState(schedule);
  const [draft, setDraft] = useState<ScheduleSettings | null>(null);

  // Without changes of one's own there is nothing to lose.
  if (draft === null && base.version !== schedule.version) {
    setBase(schedule);
  }

  const settings = draft ?? base.settings;
  const isDirty = draft !== null && JSON.stringify(draft) !== JSON.stringify(base.settings);
  const problem = error instanceof ApiProblem ? error : null;
  const isOutdated = isDirty && (schedule.version > base.version || problem?.is('schedule-changed') === true);
  const errors: ScheduleErrors = { ...(problem ? firstMessages(problem) : {}), ...checkSchedule(settings) };
  const isValid = Object.keys(checkSchedule(settings)).length === 0;
  const change = (part: Partial<ScheduleSettings>) => {
    setDraft({ ...settings, ...part });
    onEdit();
  };
  const save = (version: number) => onSave(settings, version);
  const cancel = () => {
    setDraft(null);
    setBase(schedule);
    onEdit();
  };

  // What was saved is what the next change begins from.
  if (draft !== null && !isDirty && !isSaving && schedule.version === base.version) {
    setDraft(null);
  }

  if (draft !== null && schedule.version > base.version && JSON.stringify(draft) === JSON.stringify(schedule.settings)) {
    setDraft(null);
    setBase(schedule);
  }

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (isDirty && isValid) {
          save(base.version);
        }
      }}
    >
      <Stack gap="lg">
        {!mayChange && (
          <Alert icon={<IconLock />} color="gray" variant="light" role="note">
            You may look at this schedule. Changing it takes an admin.
          </Alert>
        )}
        <Switch
          size="md"
          label={<b>Train by itself</b>}
          description={settings.enabled ? 'When one of the reasons below holds' : 'Off: trainings start only by hand'}
          disabled={!mayChange}
          checked={settings.enabled}
          onChange={(event) => change({ enabled: event.currentTarget.checked })}
        />
        <Fieldset legend="When" disabled={!mayChange} radius="md">
          <Stack>
            <Switch
              label="When there is enough new data"
              checked={settings.thresholdEnabled}
              onChange={(event) => change({ thresholdEnabled: event.currentTarget.checked })}
            />
            {settings.thresholdEnabled && (
              <NumberInput
                label="New verified examples since the last training"
                allowDecimal={false}
                clampBehavior="none"
                value={settings.thresholdCount}
                error={errors.thresholdCount}
                onChange={(value) => change({ thresholdCount: value === '' ? Number.NaN : Number(value) })}
              />
            )}
            <Switch
              label="At a fixed time"
              checked={settings.cronEnabled}
              onChange={(event) =>
                change({
                  cronEnabled: event.currentTarget.checked,
                  cronExpression: settings.cronExpression || weekly,
                  timeZone: settings.timeZone || Intl.DateTimeFormat().resolvedOptions().timeZone,
                })
              }
            />
            {settings.cronEnabled && (
              <CronPicker
                expression={settings.cronExpression ?? ''}
                timeZone={settings.timeZone ?? ''}
                isDisabled={!mayChange}
                error={errors.cronExpression}
                timeZoneError={errors.timeZone}
                onChange={(cronExpression) => change({ cronExpression })}
                onTimeZoneChange={(timeZone) => change({ timeZone })}
              />
            )}
            {kind === 'project' && (
              <Switch
                label="When the general model is renewed"
                description="Trains this project’s model again, on top of the new one"
                checked={settings.retrainOnGeneralUpdate}
                onChange={(event) => change({ retrainOnGeneralUpdate: event.currentTarget.checked })}
              />
            )}
          </Stack>
        </Fieldset>
        {kind === 'organization' && (
          <Fieldset legend="When there is a new general model" disabled={!mayChange} radius="md">
            <Stack>
              <Switch
                label="Tell the admins of the projects"
                checked={settings.notifyProjectAdmins}
                onChange={(event) => change({ notifyProjectAdmins: event.currentTarget.checked })}
              />
              <Switch
                label="Train the projects again"
                description="Every project that has a model of its own, on top of the new one"
                checked={settings.retrainProjects}
                onChange={(event) => change({ retrainProjects: event.currentTarget.checked })}
              />
            </Stack>
          </Fieldset>
        )}
        {kind === 'organization' && (
          <Switch
            label="Limit the spending of a month"
            description="At the limit no training begins and no new model is compared; extractions go on"
            disabled={!mayChange}
            checked={!settings.noMonthlyLimit}
            onChange={(event) => change({ noMonthlyLimit: !event.currentTarget.checked, monthlyLimitUsd: null })}
          />
        )}
        {kind === 'organization' && !settings.noMonthlyLimit && (
          <NumberInput
            label="Monthly limit"
            description="US dollars for tuning, comparisons and extractions of the organization and its projects; empty: the usual limit of an organization"
            prefix="$"
            thousandSeparator=","
            clampBehavior="none"
            disabled={!mayChange}
            value={settings.monthlyLimitUsd ?? ''}
            error={errors.monthlyLimitUsd}
            onChange={(value) => change({ monthlyLimitUsd: value === '' ? null : Number(value) })}
          />
        )}
        {kind === 'organization' && (
          <Select
            label="Personal data in training examples"
            description="The least that every run of the organization and its projects does, whoever starts it"
            data={floors}
            allowDeselect={false}
            disabled={!mayChange}
            value={settings.piiFloor ?? usualFloor}
            error={errors.piiFloor}
            onChange={(value) => change({ piiFloor: floors.find((floor) => floor.value === value)?.value ?? null })}
          />
        )}
        <Fieldset legend="What is trained on" disabled={!mayChange} radius="md">
          <TrainingParametersForm
            value={settings.parameters ?? usualParameters}
            onChange={(parameters) => change({ parameters })}
            errors={parameterErrors(errors)}
            isDisabled={!mayChange}
          />
        </Fieldset>
        {isOutdated && (
          <Alert color="yellow" icon={<IconUsers />} title="Somebody else has saved meanwhile" role="alert">
            <Text size="sm">Your changes are still here. Choose which ones are to count.</Text>
            <Group mt="sm" gap="sm">
              <Button
                size="xs"
                variant="default"
                onClick={() =>
                  void onReload().then((newest) => {
                    setDraft(null);
                    setBase(newest);
                    onEdit();
                  })
                }
              >
                Show theirs, and drop mine
              </Button>
              <Button size="xs" onClick={() => void onReload().then((newest) => save(newest.version))}>
                Save mine over theirs
              </Button>
            </Group>
          </Alert>
        )}
        {error !== null && error !== undefined && !isOutdated && (
          <Problem problem={error} shownElsewhere={Object.keys(errors)} />
        )}
        {mayChange && (
          <Group justify="flex-end">
            <Button variant="default" disabled={!isDirty || isSaving} onClick={cancel}>
              Cancel
            </Button>
            <Button
              type="submit"
              leftSection={<IconDeviceFloppy size={18} />}
              disabled={!isDirty || !isValid}
              loading={isSaving}
            >
              Save schedule
            </Button>
          </Group>
        )}
      </Stack>
    </form>
  );
}

function firstMessages(problem: ApiProblem): ScheduleErrors {
  return Object.fromEntries(Object.entries(problem.errors).map(([field, messages]) => [field, messages.join('; ')]));
}

function parameterErrors(errors: ScheduleErrors): ParameterErrors {
  return {
    minConfidence: errors['parameters.minConfidence'],
    epochs: errors['parameters.epochs'],
    learningRateMultiplier: errors['parameters.learningRateMultiplier'],
  };
}
