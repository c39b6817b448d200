import { Button, Group, Modal, Stack, Text, Textarea } from '@mantine/core';
import { useEffect, useState, type ReactNode } from 'react';
import { ApiProblem } from '@/api/problem';
import { Problem } from './problem';

const longest = 500;

interface ReasonModalProps {
  opened: boolean;
  onClose: () => void;
  title: string;

  /** What the button says. */
  action: string;
  isReasonNeeded?: boolean;
  mutation: { isPending: boolean; error: unknown; reset: () => void };
  onConfirm: (reason: string) => void;
  children: ReactNode;
}

/** Asks before something is done, and why. The reason stands in the audit log. */
export function ReasonModal(props: ReasonModalProps) {
  return (
    <Modal opened={props.opened} onClose={props.onClose} title={props.title}>
      <ReasonForm {...props} />
    </Modal>
  );
}

/** Empty at every opening, because a closed dialog holds nothing. */
function ReasonForm(props: ReasonModalProps) {
  const { onClose, action, mutation, onConfirm, children } = props;
  const [reason, setReason] = useState('');
  const { reset } = mutation;
  useEffect(() => () => reset(), [reset]);

  // The page may not know yet what the API does: a model was found worse since it was read.
  const isAskedFor = mutation.error instanceof ApiProblem && mutation.error.is('reason-needed');
  const isReasonNeeded = (props.isReasonNeeded ?? false) || isAskedFor;
  const isMissing = isReasonNeeded && reason.trim() === '';
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (!isMissing) {
          onConfirm(reason.trim());
        }
      }}
    >
      <Stack>
        <Text size="sm" component="div">
          {children}
        </Text>
        <Textarea
          label="Reason"
          description={isReasonNeeded ? 'For the audit log' : 'For the audit log; you may leave it out'}
          required={isReasonNeeded}
          error={isAskedFor && isMissing ? 'Say why it is to be used all the same' : undefined}
          maxLength={longest}
          autosize
          minRows={2}
          data-autofocus
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
        />
        {mutation.error !== null && mutation.error !== undefined && <Problem problem={mutation.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Close
          </Button>
          <Button type="submit" loading={mutation.isPending} disabled={isMissing}>
            {action}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
