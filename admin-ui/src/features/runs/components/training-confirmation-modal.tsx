import { Alert, Button, Group, Modal, Stack } from '@mantine/core';
import { IconInfoCircle, IconSchool } from '@tabler/icons-react';
import type { CostForecast, ScheduleParameters, TrainingMinimum } from '@/api/types';
import { Fact, Facts } from '@/components/ui/facts';
import { counted, duration, percent, usd } from '@/components/ui/format';
import { Problem } from '@/components/ui/problem';

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
  isStarting: boolean;
  error: unknown;
}

/** What is going to happen, before it costs money. */
export function TrainingConfirmationModal(props: TrainingConfirmationModalProps) {
  const { opened, onClose, onConfirm, subject, base, parameters, minimum, cost, usualDuration, isStarting, error } = props;
  const missing = minimum.minimum - minimum.examples;
  return (
    <Modal opened={opened} onClose={onClose} title={`Train ${subject}?`} size="lg">
      <Stack>
        <Facts>
          <Fact name="On top of">{base}</Fact>
          <Fact name="Examples">
            <b>{counted(minimum.examples, 'example')}</b>, {parametersInWords(parameters)}
          </Fact>
          <Fact name="Expected cost">
            {cost ? <ExpectedCost cost={cost} epochs={parameters.epochs ?? null} /> : 'known once something was exported'}
          </Fact>
          <Fact name="Expected duration">
            {usualDuration === null ? 'known after the first training' : `about ${duration(usualDuration)}, as before`}
          </Fact>
        </Facts>
        {missing > 0 ? (
          <Alert color="yellow" icon={<IconInfoCircle />} title="Too few examples" role="note">
            {counted(missing, 'example')} more are needed: review more extractions, or choose a lower confidence.
          </Alert>
        ) : (
          <Alert icon={<IconInfoCircle />} color="blue" role="note">
            When it is done, the new model answers texts that it has never seen. If it does worse than the one in use,
            it is kept back.
          </Alert>
        )}
        {error !== null && error !== undefined && <Problem problem={error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Not now
          </Button>
          <Button
            leftSection={<IconSchool size={18} />}
            loading={isStarting}
            disabled={missing > 0}
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

function parametersInWords({ humanReviewedOnly, minConfidence }: ScheduleParameters): string {
  return humanReviewedOnly ? 'all reviewed by people' : `reviewed, or at least ${percent(minConfidence)} certain`;
}

function ExpectedCost({ cost, epochs }: { cost: CostForecast; epochs: number | null }) {
  const chosen = epochs ?? cost.epochs;
  return (
    <>
      about <b>{usd((cost.usd / cost.epochs) * chosen)}</b> for {counted(chosen, 'epoch')} of {cost.baseModel}
    </>
  );
}
