import { Button, Card, Center, Loader, Stack, Text, ThemeIcon, Title } from '@mantine/core';
import { IconLogin2, IconRefresh } from '@tabler/icons-react';
import type { User, UserManager } from 'oidc-client-ts';
import { useCallback, useEffect, useRef, useState, type ReactNode } from 'react';
import { setCaller } from '@/api/client';
import type { ApiProblem } from '@/api/problem';
import { Problem } from '@/components/ui/problem';
import { createLogin, isReturn, isSignInWindow, wantedPage } from '../api/login';
import { SessionContext } from '../session';
import { SessionKeeper } from '../session-keeper';
import { asProblem } from '../sign-in-problem';
import { SignInAgain } from './sign-in-again';

type State =
  | { step: 'starting' }
  | { step: 'failed'; problem: ApiProblem }
  | { step: 'signed-out'; login: UserManager; note?: string }
  | { step: 'signed-in'; login: UserManager; user: User };

const starting: State = { step: 'starting' };

/** Shows its children to whoever is signed in, and everybody else the way to sign in. */
export function SessionProvider({ children }: { children: ReactNode }) {
  const [state, setState] = useState<State>(starting);
  const started = useRef(false);

  const start = useCallback(async () => {
    setState(starting);
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
      return (
        <SignedIn
          key={state.user.profile.sub}
          login={state.login}
          user={state.user}
          onOther={(user) => setState({ ...state, user })}
          onLeave={(note) => setState({ step: 'signed-out', login: state.login, note })}
        >
          {children}
        </SignedIn>
      );
  }
}

interface SignedInProps {
  login: UserManager;
  user: User;

  /** Somebody else has signed in in this person's place. */
  onOther: (user: User) => void;
  onLeave: (note: string) => void;
  children: ReactNode;
}

/** The session of one person. When it is over, everything stays where it is, behind the way back in. */
function SignedIn({ login, user, onOther, onLeave, children }: SignedInProps) {
  const [isOver, setOver] = useState(false);
  const [keeper] = useState(() => {
    const made = new SessionKeeper(login, user, setOver);
    // Before the children's first request, which an effect of this component would come after.
    setCaller(made);
    return made;
  });
  useEffect(() => {
    setCaller(keeper);
    return keeper.watch();
  }, [keeper]);

  const leave = (note: string) => {
    setCaller(undefined);
    keeper.end();
    void login.removeUser();
    onLeave(note);
  };
  const session = {
    subject: user.profile.sub,
    signOut: () => {
      const { id_token } = keeper.user;
      leave('You are signed out.');
      void login.signoutRedirect({ id_token_hint: id_token });
    },
  };
  return (
    <SessionContext value={session}>
      {children}
      <SignInAgain
        opened={isOver}
        signIn={async () => {
          const next = await login.signinPopup();
          if (next.profile.sub === user.profile.sub) {
            keeper.goOn(next);
          } else {
            keeper.end();
            onOther(next);
          }
        }}
        onLeave={() => leave('Your session has ended. Sign in again to go on.')}
      />
    </SessionContext>
  );
}

async function resume(): Promise<State> {
  const login = await createLogin();
  if (isReturn() && isSignInWindow()) {
    await login.signinPopupCallback();
    return starting; // The window closes.
  }

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
