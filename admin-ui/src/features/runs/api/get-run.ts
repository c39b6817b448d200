import { useQuery } from '@tanstack/react-query';
import { api, bodyOf } from '@/api/client';
import { pollInterval } from './poll-interval';

/** A training with its timeline. */
export function useRun(id: string) {
  return useQuery({
    queryKey: ['run', id],
    queryFn: ({ signal }) => bodyOf(api.GET('/fine-tuning/runs/{id}', { params: { path: { id } }, signal })),
    refetchInterval: ({ state }) =>
      state.data && !state.data.run.isOver
        ? pollInterval(Date.now() - Date.parse(state.data.run.createdAt))
        : false,
  });
}
