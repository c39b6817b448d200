import { apiRoot, fetchFromApi } from '@/api/client';
import { readProblem } from '@/api/problem';
import type { ExportFile } from '@/api/types';

/** Enough for a few examples, and little beside a whole file. */
const previewBytes = 64 * 1024;

/** Saves a file of an export. A link would not carry the token. */
export async function downloadFile(file: ExportFile, exportId: string): Promise<void> {
  const response = await get(file.href);
  const address = URL.createObjectURL(await response.blob());
  const link = document.createElement('a');
  link.href = address;
  link.download = `${exportId.slice(0, 8)}-${file.name}`;
  link.click();
  // The browser has begun to read it when the click returns, but need not have finished.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** The first whole lines of a file of JSON lines, without the rest of it. */
export async function readFirstLines(file: ExportFile, most: number): Promise<string[]> {
  const response = await get(file.href, { Range: `bytes=0-${previewBytes - 1}` });
  const lines = (await response.text()).split('\n');
  // What follows the last line break is the half of a line, or nothing.
  return lines.slice(0, -1).slice(0, most);
}

async function get(href: string, headers?: Record<string, string>): Promise<Response> {
  const response = await fetchFromApi(new Request(`${location.origin}${apiRoot}${href}`, { headers }));
  if (!response.ok) {
    throw readProblem(response.status, await response.json().catch(() => undefined));
  }

  return response;
}
