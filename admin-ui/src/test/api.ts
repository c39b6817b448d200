import { vi } from 'vitest';

type Answers = Record<string, (address: URL, request: Request) => unknown>;

/** Answers requests by their path after `/api`; an unexpected one fails. @returns The addresses that were asked for. */
export function answer(answers: Answers): URL[] {
  const asked: URL[] = [];
  vi.stubGlobal('fetch', async (request: Request) => {
    const address = new URL(request.url);
    asked.push(address);
    const give = answers[address.pathname.replace('/api', '')];
    if (!give) {
      throw new Error(`nobody expected ${request.method} ${address.pathname}`);
    }

    const given = await give(address, request);
    return given instanceof Response ? given : Response.json(given);
  });
  return asked;
}

/** A refusal as the API sends it. */
export function refusal(status: number, type: string, title: string, detail: string): Response {
  return Response.json(
    { type: `urn:feedback-loop:${type}`, title, status, detail, traceId: 'abc123' },
    { status, headers: { 'Content-Type': 'application/problem+json' } },
  );
}
