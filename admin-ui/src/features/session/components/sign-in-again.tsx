import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { IconLogin2 } from '@tabler/icons-react';
import { useState } from 'react';
import { ApiProblem } from '@/api/problem';
import { Problem } from '@/components/ui/problem';

interface SignInAgainProps {
  opened: boolean;

  /** In a window of its own, so that this one keeps what it has. */
  signIn: () => Promise<void>;
  onLeave: () => void;
}

/** Stands before the page when the session is over, until the person is back. */
export function SignInAgain({ opened, signIn, onLeave }: SignInAgainProps) {
  const [isSigningIn, setSigningIn] = useState(false);
  const [problem, setProblem] = useState<ApiProblem>();
  const start = () => {
    setProblem(undefined);
    setSigningIn(true);
    signIn()
      .catch((error: unknown) => setProblem(notSignedIn(error)))
      .finally(() => setSigningIn(false));
  };
  return (
    <Modal
      opened={opened}
      onClose={() => undefined}
      withCloseButton={false}
      closeOnClickOutside={false}
      closeOnEscape={false}
      title="Your session has ended"
      overlayProps={{ blur: 8, backgroundOpacity: 0.6 }}
      // Before any other dialog that is open.
      zIndex={1000}
    >
      <Stack>
        <Text size="sm">
          Sign in again to go on. It opens in a window of its own: this page stays as it is, with everything that you have
          typed.
        </Text>
        {problem && <Problem problem={problem} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onLeave}>
            Leave this page
          </Button>
          <Button leftSection={<IconLogin2 size={18} />} loading={isSigningIn} onClick={start} data-autofocus>
            Sign in again
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

function notSignedIn(error: unknown): ApiProblem {
  return new ApiProblem({
    type: 'sign-in',
    title: 'You are not signed in yet',
    detail: `The window was closed, or the browser did not let it open: ${error instanceof Error ? error.message : 'no reason was given'}.`,
  });
}
