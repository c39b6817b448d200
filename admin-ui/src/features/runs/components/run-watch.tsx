import { Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useQueryClient } from '@tanstack/react-query';
import { IconBan, IconCheck, IconX } from '@tabler/icons-react';
import { useEffect, useRef, type ReactNode } from 'react';
import { scopeKey, type ExportDetails, type Me, type RunSummary, type Scope } from '@/api/types';
import { counted } from '@/components/ui/format';
import { pathOf } from '@/components/layout/paths';
import { placeOf, useMe } from '@/features/session/api/get-me';
import { useSession } from '@/features/session/session';
import { useWatchedExports, useWatchedRuns } from '../api/watch-runs';
import { LastSeen } from './last-seen';

type Work = Pick<
  RunSummary,
  'id' | 'organizationId' | 'projectId' | 'state' | 'isOver' | 'updatedAt' | 'endedAt' | 'reason'
>;

/** Ends of the time before that are told one by one. */
const mostToldLater = 3;

/**
 * Says what has ended, on whatever page one is, and at the next visit when no page was open. Has everything read again that
 * it changed.
 */
export function RunWatch() {
  const me = useMe().data;
  return me ? <Watch me={me} /> : null;
}

function Watch({ me }: { me: Me }) {
  const { subject } = useSession();
  const runs = useWatchedRuns().data;
  const exports = useWatchedExports().data;
  useEnds(runs, new LastSeen(subject, 'trainings'), (run) => tellOfTraining(run, me));
  useEnds(exports, new LastSeen(subject, 'exports'), (each) => tellOfExport(each, me));
  return null;
}

/** Tells of each item whose end nobody has been told of. */
function useEnds<T extends Work>(items: readonly T[] | undefined, lastSeen: LastSeen, tell: (item: T) => void) {
  const client = useQueryClient();
  const seen = useRef<Map<string, Work> | null>(null);
  const latest = useRef({ tell, lastSeen });
  useEffect(() => {
    latest.current = { tell, lastSeen };
  });

  useEffect(() => {
    if (!items) {
      return;
    }

    const current = latest.current;
    const before = seen.current;
    if (before === null) {
      const until = current.lastSeen.read();
      const missed = until === null ? [] : items.filter((item) => endOf(item) > until);
      missed.slice(0, mostToldLater).forEach(current.tell);
      tellOfMore(missed.length - mostToldLater);
    }

    for (const item of before ? items : []) {
      const last = before?.get(item.id);
      if (last?.updatedAt !== item.updatedAt || last.isOver !== item.isOver) {
        void client.invalidateQueries({ queryKey: scopeKey(scopeOf(item)) });
        if (item.isOver) {
          // A new general model is what projects without one of their own use.
          void client.invalidateQueries({ queryKey: ['scope'] });
          void client.invalidateQueries({ queryKey: ['run', item.id] });
          if (!last?.isOver) {
            current.tell(item);
          }
        }
      }
    }

    seen.current = new Map([...(before ?? []), ...items.map((item) => [item.id, item] as const)]);
    current.lastSeen.write(Math.max(0, ...items.map(endOf)));
  }, [items, client]);
}

/** Milliseconds; 0 for what is not over. */
function endOf({ isOver, endedAt }: Work): number {
  return isOver && endedAt !== null ? Date.parse(endedAt) : 0;
}

function scopeOf(work: Work): Scope {
  return work.projectId === null
    ? { kind: 'organization', id: work.organizationId }
    : { kind: 'project', id: work.projectId };
}

function tellOfTraining(run: RunSummary, me: Me) {
  const scope = scopeOf(run);
  const place = placeOf(me, scope)?.name ?? 'this project';
  const version = run.model ? `version ${run.model.version}` : 'a model';
  if (run.state === 'succeeded') {
    const isInUse = run.model?.status === 'ready';
    show(run.id, scope, {
      color: 'teal',
      icon: <IconCheck size={18} />,
      title: `Training of ${place} is complete`,
      message: isInUse ? `It has made ${version}, which is in use now.` : `It has made ${version}, which was kept back.`,
    });
  } else if (run.state === 'failed') {
    show(run.id, scope, {
      color: 'red',
      icon: <IconX size={18} />,
      title: `Training of ${place} has failed`,
      message: run.reason ?? 'It gave no reason.',
    });
  } else {
    show(run.id, scope, {
      color: 'gray',
      icon: <IconBan size={18} />,
      title: `Training of ${place} was ${run.state}`,
      message: run.reason ?? '',
    });
  }
}

function tellOfExport(each: ExportDetails, me: Me) {
  const scope = scopeOf(each);
  const place = placeOf(me, scope)?.name ?? 'this project';
  const isDone = each.state === 'succeeded';
  show(each.id, scope, {
    color: isDone ? 'teal' : 'red',
    icon: isDone ? <IconCheck size={18} /> : <IconX size={18} />,
    title: isDone ? `Export of ${place} is complete` : `Export of ${place} was ${each.state}`,
    message: isDone ? counted(each.progress?.examples ?? 0, 'example') : (each.reason ?? ''),
  });
}

function tellOfMore(number: number) {
  if (number > 0) {
    notifications.show({
      color: 'gray',
      title: `${counted(number, 'more', 'more')} ended since you were last here`,
      message: 'The training histories have them.',
      autoClose: 15_000,
      withBorder: true,
      role: 'status',
    });
  }
}

interface Toast {
  color: string;
  icon: ReactNode;
  title: string;
  message: string;
}

function show(id: string, scope: Scope, { message, ...toast }: Toast) {
  notifications.show({
    id,
    ...toast,
    autoClose: 15_000,
    withBorder: true,
    role: 'status',
    message: (
      <>
        <Text size="sm" component="span" display="block">
          {message}
        </Text>
        {/* Outside the router, whose links cannot be used here. */}
        <a href={pathOf(scope)}>Show it</a>
      </>
    ),
  });
}
