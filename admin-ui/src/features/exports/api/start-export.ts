import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api, bodyOf } from '@/api/client';
import type { ExportInput, Scope } from '@/api/types';
import { exportsKey } from '@/features/runs/api/watch-runs';

/** Writes the files of a scope without training. */
export function useStartExport(scope: Scope) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ input, key }: { input: ExportInput; key: string }) =>
      bodyOf(
        api.POST('/training-export/export', {
          params: { header: { 'Idempotency-Key': key } },
          body:
            scope.kind === 'project'
              ? { projectId: scope.id, export: input }
              : { organizationId: scope.id, export: input },
        }),
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: exportsKey }),
  });
}
