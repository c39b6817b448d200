import { screen } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { show } from '@/test/render';
import { allRunStates, runStates, stages } from './run-states';
import { TrainingStatusBadge } from './training-status-badge';

describe('TrainingStatusBadge', () => {
  it.each(allRunStates)('has words of its own for %s', (state) => {
    show(<TrainingStatusBadge state={state} />);
    expect(screen.getByText(runStates[state].label)).toBeVisible();
    expect(allRunStates.filter((each) => runStates[each].label === runStates[state].label)).toEqual([state]);
  });

  it('shows every state on the way in exactly one stage', () => {
    const staged = stages.flatMap((stage) => stage.states);
    expect(new Set(staged).size).toBe(staged.length);
    expect(allRunStates.filter((state) => !staged.includes(state))).toEqual([
      'cancelling',
      'needs_operator',
      'succeeded',
      'failed',
      'skipped',
      'cancelled',
    ]);
  });
});
