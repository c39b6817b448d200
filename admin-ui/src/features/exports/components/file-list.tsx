import { Button, CloseButton, Code, Group, ScrollArea, Stack, Text } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { IconDownload, IconEye } from '@tabler/icons-react';
import { useState } from 'react';
import type { ExportFile } from '@/api/types';
import { counted, size } from '@/components/ui/format';
import { Problem } from '@/components/ui/problem';
import { Loaded } from '@/components/ui/section';
import { downloadFile, readFirstLines } from '../api/files';

const previewLines = 3;
const meanings: Readonly<Record<string, string>> = {
  'train.jsonl': 'trained on',
  'validation.jsonl': 'checked while training',
  'test.jsonl': 'held out to compare models',
  'metadata.json': 'figures of the export',
};

/** The files of an export, for those who may have them. */
export function FileList({ exportId, files, mayRead }: { exportId: string; files: ExportFile[]; mayRead: boolean }) {
  const download = useMutation({ mutationFn: (file: ExportFile) => downloadFile(file, exportId) });
  const [preview, setPreview] = useState<ExportFile | null>(null);
  return (
    <Stack gap="xs">
      {files.map((file) => (
        <Group key={file.name} justify="space-between" gap="xs">
          <div>
            <Text size="sm" fw={500}>
              {file.name}
            </Text>
            <Text size="xs" c="dimmed">
              {[
                meanings[file.name],
                file.examples !== null && counted(file.examples, 'example'),
                file.bytes !== null && size(file.bytes),
              ]
                .filter(Boolean)
                .join(' · ')}
            </Text>
          </div>
          {mayRead && (
            <Group gap={6}>
              {file.name.endsWith('.jsonl') && (file.examples ?? 0) > 0 && (
                <Button
                  size="compact-sm"
                  variant="subtle"
                  leftSection={<IconEye size={16} />}
                  aria-label={`Preview ${file.name}`}
                  onClick={() => setPreview(file)}
                >
                  Preview
                </Button>
              )}
              <Button
                size="compact-sm"
                variant="light"
                leftSection={<IconDownload size={16} />}
                aria-label={`Download ${file.name}`}
                loading={download.isPending && download.variables === file}
                onClick={() => download.mutate(file)}
              >
                Download
              </Button>
            </Group>
          )}
        </Group>
      ))}
      {!mayRead && (
        <Text size="xs" c="dimmed">
          The files hold texts of documents. Admins can download them.
        </Text>
      )}
      {download.error && <Problem problem={download.error} />}
      {preview && (
        <Stack gap="xs" component="section" aria-label={`First lines of ${preview.name}`}>
          <Group justify="space-between">
            <Text size="sm" fw={600}>
              First lines of {preview.name}
            </Text>
            <CloseButton aria-label="Close the preview" onClick={() => setPreview(null)} />
          </Group>
          <Preview file={preview} />
        </Stack>
      )}
    </Stack>
  );
}

function Preview({ file }: { file: ExportFile }) {
  const lines = useQuery({
    queryKey: ['preview', file.href],
    queryFn: () => readFirstLines(file, previewLines),
    // Texts of documents stay no longer than they are looked at.
    gcTime: 0,
  });
  return (
    <Loaded query={lines}>
      {(found) =>
        found.length === 0 ? (
          <Text size="sm">The first example is too long to be shown here. Download the file to see it.</Text>
        ) : (
          <Stack>
            {found.map((line, index) => (
              <ScrollArea.Autosize key={index} mah={260} viewportProps={{ tabIndex: 0 }}>
                <Code block style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
                  {JSON.stringify(JSON.parse(line), null, 2)}
                </Code>
              </ScrollArea.Autosize>
            ))}
          </Stack>
        )
      }
    </Loaded>
  );
}
