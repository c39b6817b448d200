import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api, bodyOf } from '@/api/client';
import { runsKey } from './watch-runs';

/** Lets a training go on that waits for a person. The sum is the one that was seen: a higher one asks again. */
export function useApproveRun(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ estimatedUsd, reason }: { estimatedUsd: number; reason: string }) =>
      bodyOf(
        api.POST('/fine-tuning/runs/{id}/approve', {
          params: { path: { id } },
          body: { estimatedUsd, reason: reason === '' ? null : reason },
        }),
      ),
    onSettled: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: runsKey }),
        client.invalidateQueries({ queryKey: ['run', id] }),
      ]),
  });
}
