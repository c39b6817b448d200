import { QueryClient } from '@tanstack/react-query';
import { ApiProblem } from '@/api/problem';

/** What the page has read, of one person. */
export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        retry: (failures, error) => error instanceof ApiProblem && error.isPassing && failures < 2,
        retryDelay: (attempt) => 500 * 2 ** attempt,
        // Nobody looks at a hidden tab; it catches up when it is looked at again.
        refetchIntervalInBackground: false,
        refetchOnWindowFocus: true,
        // Whether this computer is online is for the request to find out: the API may be on it.
        networkMode: 'always',
      },
      mutations: { retry: false, networkMode: 'always' },
    },
  });
}
