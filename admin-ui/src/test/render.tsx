import { MantineProvider } from '@mantine/core';
import { QueryClientProvider } from '@tanstack/react-query';
import { render } from '@testing-library/react';
import { userEvent } from '@testing-library/user-event';
import type { ReactNode } from 'react';
import { MemoryRouter } from 'react-router';
import { createQueryClient } from '@/app/query-client';
import { theme } from '@/app/theme';

/** Renders as a page would, without its transitions, and somebody to use it. */
export function show(content: ReactNode, address = '/') {
  const client = createQueryClient();
  const wrap = (inner: ReactNode) => (
    <MantineProvider theme={theme} env="test">
      <QueryClientProvider client={client}>
        <MemoryRouter initialEntries={[address]}>{inner}</MemoryRouter>
      </QueryClientProvider>
    </MantineProvider>
  );
  const view = render(wrap(content));
  return { user: userEvent.setup(), again: (next: ReactNode) => view.rerender(wrap(next)), leave: view.unmount };
}
