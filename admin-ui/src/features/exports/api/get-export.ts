import { useQuery } from '@tanstack/react-query';
import { api, bodyOf } from '@/api/client';
import { pollInterval } from '@/features/runs/api/poll-interval';

/** An export as it goes on; also the first part of a training, under the id of its run. */
export function useExport(id: string | undefined) {
  return useQuery({
    queryKey: ['exports', id],
    queryFn: ({ signal }) =>
      bodyOf(api.GET('/training-export/exports/{id}', { params: { path: { id: id ?? '' } }, signal })),
    enabled: id !== undefined,
    refetchInterval: ({ state }) =>
      state.data && !state.data.isOver ? pollInterval(Date.now() - Date.parse(state.data.createdAt)) : false,
  });
}
