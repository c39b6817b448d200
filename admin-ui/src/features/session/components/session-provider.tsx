import { Button, Card, Center, Loader, Stack, Text, ThemeIcon, Title } from '@mantine/core';
import { IconLogin2, IconRefresh } from '@tabler/icons-react';
import type { User, UserManager } from 'oidc-client-ts';
import { useCallback, useEffect, useMemo, useRef, useState, type ReactNode } from 'react';
import { setCaller } from '@/api/client';
import { ApiProblem } from '@/api/problem';
import { Problem } from '@/components/ui/problem';
import { createLogin, isReturn, wantedPage } from '../api/login';
import { SessionContext } from '../session';

type State =
  | { step: 'starting' }
  | { step: 'failed'; problem: ApiProblem }
  | { step: 'signed-out'; login: UserManager; note?: string }
  | { step: 'signed-in'; login: UserManager; user: User };

/** Shows its children to whoever is signed in, and everybody else the way to sign in. */
export function SessionProvider({ children }: { children: ReactNode }) {
  const [state, setState] = useState<State>({ step: 'starting' });
  const started = useRef(false);

  const start = useCallback(async () => {
    setState({ step: 'starting' });
    try {
      setState(await resume());
    } catch (error) {
      setState({ step: 'failed', problem: asProblem(error) });
    }
  }, []);

  useEffect(() => {
    // Strict mode mounts twice, and a login's code can be used once.
    if (!started.current) {
      started.current = true;
      void start();
    }
  }, [start]);

  const session = useMemo(() => {
    if (state.step !== 'signed-in') {
      return null;
    }

    const { login, user } = state;
    const leave = (note: string) => {
      setCaller(undefined, () => undefined);
      void login.removeUser();
      setState({ step: 'signed-out', login, note });
    };
    // Before the children's first request, which an effect of this component would come after.
    setCaller(user.access_token, () => leave('Your session has ended. Sign in again to go on.'));
    return {
      subject: user.profile.sub,
      signOut: () => {
        leave('You are signed out.');
        void login.signoutRedirect({ id_token_hint: user.id_token });
      },
    };
  }, [state]);

  switch (state.step) {
    case 'starting':
      return (
        <Center mih="100vh">
          <Loader aria-label="Signing in" />
        </Center>
      );
    case 'failed':
      return (
        <Outside title="Signing in does not work now">
          <Problem problem={state.problem} />
          <Button leftSection={<IconRefresh size={18} />} onClick={() => void start()}>
            Try again
          </Button>
        </Outside>
      );
    case 'signed-out':
      return <SignIn login={state.login} note={state.note} />;
    case 'signed-in':
      return <SessionContext value={session}>{children}</SessionContext>;
  }
}

async function resume(): Promise<State> {
  const login = await createLogin();
  if (isReturn()) {
    try {
      const user = await login.signinRedirectCallback();
      history.replaceState(null, '', wantedPage(user.state));
      return { step: 'signed-in', login, user };
    } catch (error) {
      // A code that was used before, by a reload: whoever is signed in stays so.
      history.replaceState(null, '', '/');
      const user = await login.getUser();
      return user && !user.expired
        ? { step: 'signed-in', login, user }
        : { step: 'signed-out', login, note: error instanceof Error ? error.message : undefined };
    }
  }

  const user = await login.getUser();
  return user && !user.expired ? { step: 'signed-in', login, user } : { step: 'signed-out', login };
}

function SignIn({ login, note }: { login: UserManager; note: string | undefined }) {
  const [problem, setProblem] = useState<ApiProblem>();
  const signIn = () => {
    setProblem(undefined);
    login
      .signinRedirect({ state: location.pathname + location.search })
      .catch((error: unknown) => setProblem(asProblem(error)));
  };
  return (
    <Outside title="AI training">
      <Text c="dimmed">
        {note ?? 'Turn reviewed extractions into a better model, and see whether it got better.'}
      </Text>
      {problem && <Problem problem={problem} />}
      <Button size="md" leftSection={<IconLogin2 size={20} />} onClick={signIn}>
        Sign in
      </Button>
    </Outside>
  );
}

function Outside({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Center mih="100vh" p="md" component="main">
      <Card w={420} maw="100%" padding="xl" radius="lg" withBorder>
        <Stack>
          <ThemeIcon size={52} radius="lg" variant="light" aria-hidden>
            <IconRefresh size={30} />
          </ThemeIcon>
          <Title order={1} size="h2">
            {title}
          </Title>
          {children}
        </Stack>
      </Card>
    </Center>
  );
}

function asProblem(error: unknown): ApiProblem {
  return error instanceof ApiProblem
    ? error
    : new ApiProblem({
        type: 'network',
        title: 'The login service does not answer',
        detail: error instanceof Error ? error.message : 'It gave no reason.',
      });
}
