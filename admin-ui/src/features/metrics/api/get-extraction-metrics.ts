import { useQuery } from '@tanstack/react-query';
import { apiRoot, fetchFromApi } from '@/api/client';
import { readProblem } from '@/api/problem';
import { scopeKey } from '@/api/types';

/** A share of what was counted, with the ends of its 95 % interval; null when there was nothing to count. */
interface Estimate {
  count: number;
  of: number;
  rate: number | null;
  low: number | null;
  high: number | null;
}

interface Share {
  count: number;
  of: number;
  rate: number | null;
}

export interface ExtractionFigures {
  extractions: number;
  usageShare: number | null;
  latency: { p50Ms: number | null; p95Ms: number | null };
  costUsd: number | null;
  accuracy: Estimate;
  needsReview: Share;
}

export interface ExtractionMetrics {
  from: string;
  to: string;
  total: ExtractionFigures;
  tiers: { tier: string; figures: ExtractionFigures }[];
  tunedAgainstBase: { verdict: string; sentence: string };
}

/** How good the models were in the last thirty days; null where the installation does not measure it. */
export function useExtractionMetrics(organizationId: string) {
  return useQuery({
    queryKey: [...scopeKey({ kind: 'organization', id: organizationId }), 'metrics'],
    queryFn: async ({ signal }): Promise<ExtractionMetrics | null> => {
      const address = `${location.origin}${apiRoot}/metrics/extraction?organizationId=${organizationId}`;
      const response = await fetchFromApi(new Request(address, { signal }));
      const body: unknown = await response.json().catch(() => undefined);
      if (response.ok) {
        return body as ExtractionMetrics;
      }

      const problem = readProblem(response.status, body);
      if (problem.title === 'No such route') {
        return null;
      }

      throw problem;
    },
  });
}
