import { useState } from 'react';
import type { ExportInput, Scope } from '@/api/types';
import { useCancelExport } from '../api/cancel-export';
import { useExport } from '../api/get-export';
import { useStartExport } from '../api/start-export';
import { ExportOptionsModal } from './export-options-modal';

interface ExportDialogProps {
  scope: Scope;
  name: string;
  opened: boolean;
  onClose: () => void;
  initial: ExportInput;
}

/** Starts an export and shows how far it is, also when it was closed in between. */
export function ExportDialog({ scope, name, opened, onClose, initial }: ExportDialogProps) {
  const [id, setId] = useState<string>();
  const start = useStartExport(scope);
  const current = useExport(id);
  const cancel = useCancelExport(id ?? '');
  const again = () => {
    setId(undefined);
    start.reset();
    cancel.reset();
  };
  return (
    <ExportOptionsModal
      opened={opened}
      onClose={() => {
        onClose();
        if (current.data?.isOver || start.error) {
          again();
        }
      }}
      name={name}
      initial={initial}
      onExport={(input) =>
        start.mutate({ input, key: crypto.randomUUID() }, { onSuccess: (started) => setId(started.id) })
      }
      isStarting={start.isPending || (id !== undefined && current.isPending)}
      current={id === undefined ? undefined : current.data}
      error={start.error ?? current.error ?? cancel.error}
      onCancel={() => cancel.mutate()}
      onAgain={again}
    />
  );
}
