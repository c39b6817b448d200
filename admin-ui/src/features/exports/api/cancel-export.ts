import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api, bodyOf } from '@/api/client';

/** Asks an export to end. */
export function useCancelExport(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () =>
      bodyOf(
        api.POST('/training-export/exports/{id}/cancel', {
          params: { path: { id } },
          body: { reason: 'Cancelled on the page.' },
        }),
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: ['exports', id] }),
  });
}
