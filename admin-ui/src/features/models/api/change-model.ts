import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api, bodyOf } from '@/api/client';
import { runsKey } from '@/features/runs/api/watch-runs';

interface Change {
  id: string;
  reason: string;
}

/** Puts a model into use, in place of the one before; also the way back to an older one. */
export function usePromoteModel() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, reason }: Change) =>
      bodyOf(
        api.POST('/fine-tuning/models/{id}/promote', {
          params: { path: { id } },
          body: { reason: reason === '' ? null : reason },
        }),
      ),
    onSuccess: () =>
      Promise.all([client.invalidateQueries({ queryKey: ['scope'] }), client.invalidateQueries({ queryKey: runsKey })]),
  });
}

/** Takes a model out of use. */
export function useDeprecateModel() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, reason }: Change) =>
      bodyOf(api.POST('/fine-tuning/models/{id}/deprecate', { params: { path: { id } }, body: { reason } })),
    onSuccess: () =>
      Promise.all([client.invalidateQueries({ queryKey: ['scope'] }), client.invalidateQueries({ queryKey: runsKey })]),
  });
}
