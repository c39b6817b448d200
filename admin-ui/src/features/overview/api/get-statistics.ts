import { queryOptions, useQuery } from '@tanstack/react-query';
import { api, bodyOf } from '@/api/client';
import { scopeKey, type CostForecast, type LastPreflight, type Scope, type TrainingMinimum, type TypeStatistics } from '@/api/types';

/** What counts as verified. */
export interface VerificationLevel {
  minConfidence: number;
  humanReviewedOnly: boolean;
  countOwnAcceptances?: boolean;
}

export interface Statistics {
  verified: number;
  humanReviewed: number;
  autoAccepted: number;
  rejected: number;
  undecided: number;
  byType: TypeStatistics[];
  examplesAvailable: number;
  emptyTexts: number;
  excludedUndecided: number;
  recentExamples: number;
  newExamplesSinceLastTraining: number | null;
  lastTrainedOn: string | null;
  lastChangeAt: string | null;
}

export interface StatisticsView {
  statistics: Statistics;
  minimum: TrainingMinimum;
  cost: CostForecast | null;

  /** Null until the scope was checked. */
  preflight: LastPreflight | null;
}

/** How much there is to train on, by the usual level or by another one. */
export function useStatistics(scope: Scope, level?: VerificationLevel) {
  return useQuery(
    queryOptions<StatisticsView>({
      queryKey: [...scopeKey(scope), 'statistics', level ?? 'usual'],
      queryFn: ({ signal }) =>
        scope.kind === 'project'
          ? bodyOf(
              api.GET('/training-export/stats/{projectId}', {
                params: { path: { projectId: scope.id }, query: level },
                signal,
              }),
            )
          : bodyOf(
              api.GET('/organizations/{organizationId}/training/stats', {
                params: { path: { organizationId: scope.id }, query: level },
                signal,
              }),
            ),
    }),
  );
}
