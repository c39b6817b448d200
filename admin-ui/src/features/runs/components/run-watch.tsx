import { Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useQueryClient } from '@tanstack/react-query';
import { IconBan, IconCheck, IconX } from '@tabler/icons-react';
import { useEffect, useRef, type ReactNode } from 'react';
import { scopeKey, type ExportDetails, type Me, type RunSummary, type Scope } from '@/api/types';
import { counted } from '@/components/ui/format';
import { pathOf } from '@/components/layout/paths';
import { placeOf, useMe } from '@/features/session/api/get-me';
import { useWatchedExports, useWatchedRuns } from '../api/watch-runs';

type Work = Pick<RunSummary, 'id' | 'organizationId' | 'projectId' | 'state' | 'isOver' | 'updatedAt' | 'reason'>;

/**
 * Says what has ended, on whatever page one is, and has everything read again that it changed. Exports that belong to a
 * training are told of by the training.
 */
export function RunWatch() {
  const me = useMe().data;
  const runs = useWatchedRuns().data;
  const exports = useWatchedExports().data;
  useChanges(runs, (run, wasLive) => me && wasLive && run.isOver && tellOfTraining(run, me));
  useChanges(exports, (each, wasLive) => me && wasLive && each.isOver && tellOfExport(each, me));
  return null;
}

/** Calls back for each item that is not as it was when it was last seen. */
function useChanges<T extends Work>(items: readonly T[] | undefined, onChange: (item: T, wasLive: boolean) => void) {
  const client = useQueryClient();
  const seen = useRef<Map<string, Work> | null>(null);
  const tell = useRef(onChange);
  useEffect(() => {
    tell.current = onChange;
  });

  useEffect(() => {
    if (!items) {
      return;
    }

    const before = seen.current;
    for (const item of before ? items : []) {
      const last = before?.get(item.id);
      if (last?.updatedAt !== item.updatedAt || last.isOver !== item.isOver) {
        void client.invalidateQueries({ queryKey: scopeKey(scopeOf(item)) });
        tell.current(item, last ? !last.isOver : item.isOver);
        if (item.isOver) {
          // A new general model is what projects without one of their own use.
          void client.invalidateQueries({ queryKey: ['scope'] });
          void client.invalidateQueries({ queryKey: ['run', item.id] });
        }
      }
    }

    seen.current = new Map([...(before ?? []), ...items.map((item) => [item.id, item] as const)]);
  }, [items, client]);
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
  if (each.purpose === 'export') {
    show(each.id, scope, {
      color: isDone ? 'teal' : 'red',
      icon: isDone ? <IconCheck size={18} /> : <IconX size={18} />,
      title: isDone ? `Export of ${place} is complete` : `Export of ${place} was ${each.state}`,
      message: isDone ? counted(each.progress?.examples ?? 0, 'example') : (each.reason ?? ''),
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
