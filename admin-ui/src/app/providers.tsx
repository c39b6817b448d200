import { MantineProvider } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { useState } from 'react';
import { RouterProvider } from 'react-router';
import { ApiProblem } from '@/api/problem';
import { SessionProvider } from '@/features/session/components/session-provider';
import { useSession } from '@/features/session/session';
import { createRouter } from './router';
import { theme } from './theme';

/** Everything that pages stand in. */
export function Providers({ nonce }: { nonce: string }) {
  return (
    <MantineProvider theme={theme} defaultColorScheme="auto" getStyleNonce={() => nonce}>
      <Notifications position="bottom-right" limit={4} containerWidth={380} />
      <SessionProvider>
        <PagesOfPerson />
      </SessionProvider>
    </MantineProvider>
  );
}

/** A cache and a router for each person: nothing that one has seen can be shown to the next. */
function PagesOfPerson() {
  const { subject } = useSession();
  return <Pages key={subject} />;
}

function Pages() {
  const [client] = useState(createQueryClient);
  const [router] = useState(createRouter);
  return (
    <QueryClientProvider client={client}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  );
}

function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        retry: (failures, error) => error instanceof ApiProblem && error.isPassing && failures < 2,
        retryDelay: (attempt) => 500 * 2 ** attempt,
        // Whether this computer is online is for the request to find out: the API may be on it.
        networkMode: 'always',
      },
      mutations: { retry: false, networkMode: 'always' },
    },
  });
}
