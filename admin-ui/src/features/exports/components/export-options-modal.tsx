import {
  Alert,
  Button,
  Group,
  Input,
  List,
  Modal,
  NumberInput,
  Progress,
  SegmentedControl,
  Stack,
  Switch,
  Text,
} from '@mantine/core';
import { IconCircleCheck, IconDatabaseExport, IconInfoCircle } from '@tabler/icons-react';
import { useId, useState } from 'react';
import type { ExportDetails, ExportInput, PiiPolicy } from '@/api/types';
import { Advanced } from '@/components/ui/advanced';
import { count, counted, duration } from '@/components/ui/format';
import { Problem } from '@/components/ui/problem';
import { useNow } from '@/components/ui/use-now';
import { exclusionWords, promptPartWords } from './exclusions';
import { FileList } from './file-list';
import { InsideExamples } from './inside-examples';

interface ExportOptionsModalProps {
  opened: boolean;
  onClose: () => void;

  /** Of the project or organization. */
  name: string;
  initial: ExportInput;
  onExport: (input: ExportInput) => void;
  isStarting: boolean;

  /** The export that was started here; undefined: none yet. */
  current: ExportDetails | undefined;
  error: unknown;
  onCancel: () => void;
  onAgain: () => void;
}

/** Options of an export, then how far it is, then its files. */
export function ExportOptionsModal(props: ExportOptionsModalProps) {
  const { opened, onClose, name, current, error } = props;
  return (
    <Modal opened={opened} onClose={onClose} title={`Export training data of ${name}`} size="lg">
      <Stack>
        {current === undefined ? (
          <Options {...props} />
        ) : current.isOver ? (
          <Result details={current} onClose={onClose} onAgain={props.onAgain} />
        ) : (
          <Running details={current} onCancel={props.onCancel} />
        )}
        {error !== null && error !== undefined && (
          <Problem problem={error} shownElsewhere={['export.validationShare', 'export.maxTokens']} />
        )}
      </Stack>
    </Modal>
  );
}

const policies: { value: PiiPolicy; label: string; meaning: string }[] = [
  { value: 'exclude', label: 'Leave out', meaning: 'A text with personal data does not become an example.' },
  { value: 'redact', label: 'Black out', meaning: 'Placeholders such as [EMAIL_1] replace personal data; two people stay two.' },
  { value: 'allow', label: 'Keep', meaning: 'Personal data goes into the files, and into what a model learns.' },
];

const highestShare = 23;

function Options({ initial, onExport, isStarting, onClose }: ExportOptionsModalProps) {
  const [input, setInput] = useState<ExportInput>({ pii: 'exclude', ...initial });
  const pii = useId();

  const confidence = input.minConfidence ?? 0.85;
  const share = input.validationShare ?? null;
  const errors = {
    confidence: confidence >= 0 && confidence <= 1 ? undefined : 'From 0 to 100 %',
    share: share === null || (share >= 0 && share * 100 <= highestShare) ? undefined : `From 0 to ${highestShare} %`,
  };
  const isValid = !errors.confidence && !errors.share;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (isValid) {
          onExport(input);
        }
      }}
    >
      <Stack>
        <Text size="sm">
          Writes the verified extractions to files, as a training would. Nothing is trained, and nothing is changed.
        </Text>
        <NumberInput
          label="Minimum confidence"
          description="Of what no person has reviewed"
          suffix=" %"
          min={0}
          max={100}
          clampBehavior="none"
          disabled={input.humanReviewedOnly === true}
          value={Math.round(confidence * 100)}
          error={errors.confidence}
          onChange={(value) => setInput({ ...input, minConfidence: Number(value) / 100 })}
        />
        <Switch
          label="Human-reviewed only"
          checked={input.humanReviewedOnly === true}
          onChange={(event) => setInput({ ...input, humanReviewedOnly: event.currentTarget.checked })}
        />
        <Input.Wrapper
          label="Personal data"
          labelElement="div"
          labelProps={{ id: pii }}
          description={policies.find((each) => each.value === input.pii)?.meaning}
        >
          <SegmentedControl
            aria-labelledby={pii}
            fullWidth
            mt={6}
            data={policies.map(({ value, label }) => ({ value, label }))}
            value={input.pii ?? 'exclude'}
            onChange={(value) => setInput({ ...input, pii: value as PiiPolicy })}
          />
        </Input.Wrapper>
        <Advanced isWrong={errors.share !== undefined}>
          <NumberInput
            label="Validation share"
            description="Of the documents"
            placeholder="As usual"
            suffix=" %"
            clampBehavior="none"
            value={share === null ? '' : Math.round(share * 100)}
            error={errors.share}
            onChange={(value) =>
              setInput({ ...input, validationShare: value === '' ? null : Number(value) / 100 })
            }
          />
          <NumberInput
            label="Longest example"
            description="In tokens; longer ones are left out"
            placeholder="As usual"
            allowDecimal={false}
            value={input.maxTokens ?? ''}
            onChange={(value) => setInput({ ...input, maxTokens: value === '' ? null : Number(value) })}
          />
        </Advanced>
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Not now
          </Button>
          <Button
            type="submit"
            loading={isStarting}
            disabled={!isValid}
            leftSection={<IconDatabaseExport size={18} />}
          >
            Export
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function Running({ details, onCancel }: { details: ExportDetails; onCancel: () => void }) {
  const now = useNow(1_000);
  const { progress, state } = details;
  return (
    <Stack role="status">
      <Progress value={100} animated aria-label="Exporting" />
      <Text size="sm">
        {progress
          ? `${count(progress.examples)} examples out of ${count(progress.candidates)} texts`
          : 'Waiting for its turn'}{' '}
        · {duration(now - Date.parse(details.createdAt))}
      </Text>
      <Text size="sm" c="dimmed">
        You can close this window: a message tells you when it is done.
      </Text>
      <Group justify="flex-end">
        <Button variant="default" disabled={state === 'cancelling'} onClick={onCancel}>
          {state === 'cancelling' ? 'Cancelling …' : 'Cancel export'}
        </Button>
      </Group>
    </Stack>
  );
}

function Result({ details, onClose, onAgain }: { details: ExportDetails; onClose: () => void; onAgain: () => void }) {
  const { result } = details;
  const excluded = Object.entries(result?.excluded ?? {}).filter(([, number]) => number > 0);
  return (
    <Stack>
      {result ? (
        <Alert role="status" color="teal" icon={<IconCircleCheck />} title={`${counted(result.counts.examples, 'example')} exported`}>
          {excluded.length > 0 ? (
            <>
              <Text size="sm">Left out, of {count(result.counts.candidates)} texts:</Text>
              <List size="sm">
                {excluded.map(([reason, number]) => (
                  <List.Item key={reason}>
                    {count(number)} {exclusionWords(reason)}
                  </List.Item>
                ))}
              </List>
            </>
          ) : (
            <Text size="sm">No text was left out.</Text>
          )}
          {result.leftOutOfPrompts.length > 0 && (
            <>
              <Text size="sm" mt="xs">
                Not all that your projects say of their types fits into a prompt. No prompt shows:
              </Text>
              <List size="sm">
                {result.leftOutOfPrompts.map((part, index) => (
                  <List.Item key={index}>{promptPartWords(part)}</List.Item>
                ))}
              </List>
            </>
          )}
          <InsideExamples result={result} />
        </Alert>
      ) : (
        <Alert
          color={details.state === 'failed' ? 'red' : 'yellow'}
          icon={<IconInfoCircle />}
          title={details.state === 'failed' ? 'The export has failed' : 'Nothing was exported'}
        >
          {details.reason ?? 'It gave no reason.'}
        </Alert>
      )}
      {result && <FileList exportId={details.id} files={result.files} mayRead />}
      <Group justify="flex-end">
        <Button variant="default" onClick={onAgain}>
          Export again
        </Button>
        <Button onClick={onClose}>Done</Button>
      </Group>
    </Stack>
  );
}
