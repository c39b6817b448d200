import { expect, it } from 'vitest';
import { readProblem } from './problem';

it('reads a refusal', () => {
  const problem = readProblem(422, {
    type: 'urn:feedback-loop:reason-needed',
    title: 'It was evaluated as worse',
    detail: 'Send a reason.',
    traceId: 'abc',
    errors: { reason: ['reason must not be empty'] },
  });
  expect(problem.is('reason-needed')).toBe(true);
  expect(problem.errors).toEqual({ reason: ['reason must not be empty'] });
  expect(problem.isPassing).toBe(false);
});

it.each([undefined, null, 'a proxy’s page', { errors: 5 }])('makes a problem of %s', (body) => {
  const problem = readProblem(502, body);
  expect(problem.status).toBe(502);
  expect(problem.isPassing).toBe(true);
});

it.each([401, 403, 404])('hides what was there after %i', (status) => {
  expect(readProblem(status, { title: 'No' }).isHidden).toBe(true);
});
