import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api, bodyOf } from '@/api/client';
import type { Scope, ScheduleParameters } from '@/api/types';
import { historyKey } from './list-history';
import { runsKey } from './watch-runs';

/** What a start and its check are asked for alike. */
export function trainingInput(parameters: ScheduleParameters) {
  const { minConfidence, humanReviewedOnly, countOwnAcceptances, epochs, learningRateMultiplier } = parameters;
  return {
    export: { minConfidence, humanReviewedOnly, countOwnAcceptances },
    tuning: { epochs: epochs ?? null, learningRateMultiplier: learningRateMultiplier ?? null },
  };
}

/** Starts a training. @param key The same key never starts a second one. */
export function useStartTraining(scope: Scope) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ parameters, key }: { parameters: ScheduleParameters; key: string }) => {
      const input = trainingInput(parameters);
      const params = { header: { 'Idempotency-Key': key } };
      return scope.kind === 'project'
        ? bodyOf(api.POST('/fine-tuning/train-project', { params, body: { projectId: scope.id, ...input } }))
        : bodyOf(api.POST('/fine-tuning/train-general', { params, body: { organizationId: scope.id, ...input } }));
    },
    onSuccess: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: runsKey }),
        client.invalidateQueries({ queryKey: historyKey(scope) }),
      ]),
  });
}
