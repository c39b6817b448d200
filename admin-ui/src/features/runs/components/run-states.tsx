import {
  IconAlertTriangle,
  IconBan,
  IconCircleCheck,
  IconClock,
  IconCoin,
  IconDatabaseExport,
  IconHelpCircle,
  IconPlayerSkipForward,
  IconScale,
  IconSchool,
  IconX,
  type Icon,
} from '@tabler/icons-react';
import type { RunState, RunTrigger } from '@/api/types';

interface RunStateLook {
  label: string;
  color: string;
  icon: Icon;

  /** What happens meanwhile, or has happened. */
  meaning: string;
}

/** How a run's state is shown. A state that the API gets is missing here until somebody finds words for it. */
export const runStates: Readonly<Record<RunState, RunStateLook>> = {
  requested: { label: 'Waiting', color: 'gray', icon: IconClock, meaning: 'It begins in a moment.' },
  exporting: {
    label: 'Collecting data',
    color: 'blue',
    icon: IconDatabaseExport,
    meaning: 'Verified extractions are written to files.',
  },
  exported: { label: 'Data ready', color: 'blue', icon: IconDatabaseExport, meaning: 'The files are written.' },
  awaiting_approval: {
    label: 'Needs an approval',
    color: 'yellow',
    icon: IconCoin,
    meaning: 'It costs more than usual. An admin approves it, or it is skipped.',
  },
  creating: { label: 'Starting', color: 'indigo', icon: IconSchool, meaning: 'The tuning job is being created.' },
  create_unknown: {
    label: 'Checking the start',
    color: 'yellow',
    icon: IconHelpCircle,
    meaning: 'Whether the tuning job was created is being found out.',
  },
  tuning: { label: 'Training', color: 'indigo', icon: IconSchool, meaning: 'The model is learning.' },
  evaluating: {
    label: 'Comparing',
    color: 'violet',
    icon: IconScale,
    meaning: 'The new model answers texts that it has never seen.',
  },
  cancelling: { label: 'Cancelling', color: 'orange', icon: IconBan, meaning: 'It ends as soon as it can.' },
  needs_operator: {
    label: 'Needs an operator',
    color: 'red',
    icon: IconAlertTriangle,
    meaning: 'Somebody who operates this installation has to look at it.',
  },
  succeeded: { label: 'Completed', color: 'teal', icon: IconCircleCheck, meaning: 'It has made a model.' },
  failed: { label: 'Failed', color: 'red', icon: IconX, meaning: 'It has made no model.' },
  skipped: {
    label: 'Skipped',
    color: 'gray',
    icon: IconPlayerSkipForward,
    meaning: 'There was a reason not to train.',
  },
  cancelled: { label: 'Cancelled', color: 'gray', icon: IconBan, meaning: 'Somebody ended it.' },
};

export const allRunStates = Object.keys(runStates) as RunState[];

/** Nothing happens by itself in these states: they rest until a person acts. */
export const restingStates: readonly RunState[] = ['awaiting_approval', 'needs_operator'];

/** The stages that a training goes through, in their order. */
export const stages: readonly { label: string; states: readonly RunState[] }[] = [
  { label: 'Collect data', states: ['requested', 'exporting'] },
  { label: 'Train', states: ['exported', 'awaiting_approval', 'creating', 'create_unknown', 'tuning'] },
  { label: 'Compare', states: ['evaluating'] },
];

export const triggers: Readonly<Record<RunTrigger, string>> = {
  manual: 'By hand',
  threshold: 'Enough new data',
  cron: 'Schedule',
  general_update: 'New general model',
  retry: 'Repeat after a failure',
};

export const allTriggers = Object.keys(triggers) as RunTrigger[];
