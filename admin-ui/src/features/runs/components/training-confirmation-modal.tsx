import { Alert, Button, Group, Loader, Modal, Stack, Text } from '@mantine/core';
import { IconAlertTriangle, IconInfoCircle, IconSchool } from '@tabler/icons-react';
import type { CostForecast, PreflightReport, ScheduleParameters, TrainingMinimum } from '@/api/types';
import { Fact, Facts } from '@/components/ui/facts';
import { count, counted, duration, percent, usd } from '@/components/ui/format';
import { Problem } from '@/components/ui/problem';
import { exclusionWords } from '@/features/exports/components/exclusions';
import { generalTrainingWords } from './general-training';
import { PreflightDetails } from './preflight-details';

interface TrainingConfirmationModalProps {
  opened: boolean;
  onClose: () => void;
  onConfirm: () => void;

  /** What is trained, such as “the model of energy-grid”. */
  subject: string;

  /** What it goes on from. */
  base: string;
  parameters: ScheduleParameters;
  minimum: TrainingMinimum;

  /** Null before anything was exported: nobody knows how long the texts are. */
  cost: CostForecast | null;

  /** Milliseconds that earlier trainings took; null when there was none. */
  usualDuration: number | null;

  /** What a check of all that a training needs has found; without a report it is under way, or has failed. */
  check: { report?: PreflightReport | undefined; error: unknown };
  isStarting: boolean;
  error: unknown;
}

/** What is going to happen, before it costs money. */
export function TrainingConfirmationModal(props: TrainingConfirmationModalProps) {
  const { opened, onClose, onConfirm, subject, base, parameters, minimum, cost, usualDuration, check, isStarting, error } = props;
  const { report } = check;
  const isChecking = !report && !check.error;
  const isTooLittle = !report && minimum.examples < minimum.minimum;
  return (
    <Modal opened={opened} onClose={onClose} title={`Train ${subject}?`} size="lg">
      <Stack>
        <Facts>
          <Fact name="On top of">{report ? (baseWords(report) ?? base) : base}</Fact>
          <Fact name="Examples">
            <b>{report ? counted(report.counts.examples, 'example') : `at most ${counted(minimum.examples, 'example')}`}</b>,{' '}
            {parametersInWords(parameters)}
            {report && <Sides report={report} />}
          </Fact>
          {report && <LeftOut report={report} />}
          <Fact name="Expected cost">
            {report?.tuning ? (
              report.tuning.estimatedUsd === null ? (
                `not known: ${report.tuning.baseModel} has no price here`
              ) : (
                <>
                  about <b>{usd(report.tuning.estimatedUsd)}</b> for {counted(report.tuning.epochs, 'epoch')} of{' '}
                  {report.tuning.baseModel}
                </>
              )
            ) : cost ? (
              <ExpectedCost cost={cost} epochs={parameters.epochs ?? null} />
            ) : (
              'known once it is checked'
            )}
          </Fact>
          {report?.tuning?.approval && (
            <Fact name="Approval">
              It would wait for an admin before anything is spent on its tuning: {report.tuning.approval}
            </Fact>
          )}
          <Fact name="Expected duration">
            {usualDuration === null ? 'known after the first training' : `about ${duration(usualDuration)}, as before`}
          </Fact>
        </Facts>
        {isChecking && (
          <Group gap="sm" role="status">
            <Loader size="sm" aria-hidden />
            <Text size="sm">
              Checking every text, the model and the price: on large data this takes up to a minute. Nothing is started.
            </Text>
          </Group>
        )}
        {Boolean(check.error) && <Problem problem={check.error} />}
        {report && !report.wouldStart ? (
          <Alert color="yellow" icon={<IconAlertTriangle />} title="It would be refused" role="note">
            {report.refusals.map((each) => (
              <Text key={each.kind} size="sm">
                {sentence(each.reason)}
              </Text>
            ))}
          </Alert>
        ) : isTooLittle ? (
          <Alert color="yellow" icon={<IconInfoCircle />} title="Too few examples" role="note">
            {counted(minimum.minimum - minimum.examples, 'example')} more are needed: review more extractions, or choose a
            lower confidence.
          </Alert>
        ) : (
          <Alert icon={<IconInfoCircle />} color="blue" role="note">
            When it is done, the new model answers texts that it has never seen. It replaces a tuned model in use only
            when it does better.
          </Alert>
        )}
        {report?.generalTraining && (
          <Alert icon={<IconInfoCircle />} color="yellow" title="The general model is being trained" role="note">
            {generalTrainingWords(report.generalTraining)}
          </Alert>
        )}
        {report && <PreflightDetails report={report} />}
        {error !== null && error !== undefined && <Problem problem={error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Not now
          </Button>
          <Button
            leftSection={<IconSchool size={18} />}
            loading={isStarting}
            disabled={isChecking || isTooLittle || report?.wouldStart === false}
            onClick={onConfirm}
            data-autofocus
          >
            Start training
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

function baseWords({ tuning }: PreflightReport): string | null {
  return !tuning
    ? null
    : tuning.parentModelVersion === null
      ? tuning.baseModel
      : `general model, version ${tuning.parentModelVersion} (${tuning.baseModel})`;
}

function Sides({ report: { counts, minimum } }: { report: PreflightReport }) {
  return (
    <Text size="sm" c="dimmed">
      {count(counts.trainExamples)} train, {count(counts.validationExamples)} validate, {count(counts.testExamples)} are held
      out{counts.emptyTexts ? `; ${counted(counts.emptyTexts, 'text')} with nothing to find` : ''}; training takes{' '}
      {count(minimum)}
    </Text>
  );
}

function LeftOut({ report }: { report: PreflightReport }) {
  const reasons = Object.entries(report.excluded).filter(([, number]) => number > 0);
  return reasons.length === 0 ? null : (
    <Fact name="Left out">
      {reasons.map(([reason, number]) => `${count(number)} ${exclusionWords(reason)}`).join(', ')}
    </Fact>
  );
}

function sentence(reason: string): string {
  return `${reason.charAt(0).toUpperCase()}${reason.slice(1)}${/[.!?]$/.test(reason) ? '' : '.'}`;
}

function parametersInWords({ humanReviewedOnly, minConfidence }: ScheduleParameters): string {
  return humanReviewedOnly ? 'all reviewed by people' : `reviewed, or accepted with at least ${percent(minConfidence)}`;
}

function ExpectedCost({ cost, epochs }: { cost: CostForecast; epochs: number | null }) {
  const chosen = epochs ?? cost.epochs;
  return cost.usd === null ? (
    `not known: ${cost.baseModel} has no price here`
  ) : (
    <>
      about <b>{usd((cost.usd / cost.epochs) * chosen)}</b> for {counted(chosen, 'epoch')} of {cost.baseModel}
    </>
  );
}
