import { MantineProvider } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { QueryClientProvider } from '@tanstack/react-query';
import { useState } from 'react';
import { RouterProvider } from 'react-router';
import { SessionProvider } from '@/features/session/components/session-provider';
import { useSession } from '@/features/session/session';
import { createQueryClient } from './query-client';
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
