import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api, bodyOf } from '@/api/client';
import { runsKey } from './watch-runs';

/** Asks a training to end. */
export function useCancelRun(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (reason: string) =>
      bodyOf(api.POST('/fine-tuning/runs/{id}/cancel', { params: { path: { id } }, body: { reason } })),
    onSuccess: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: runsKey }),
        client.invalidateQueries({ queryKey: ['run', id] }),
      ]),
  });
}
