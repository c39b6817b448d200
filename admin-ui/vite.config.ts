import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import react from '@vitejs/plugin-react';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

/** Compressed bytes of script that the first page may take, whichever of the two pages it is. */
const scriptBudget = 300 * 1024;
const pages = ['project-page.tsx', 'organization-page.tsx'];

/** Fails the build when a page needs more script than the budget before it can be seen. */
function holdBudget(): Plugin {
  return {
    name: 'hold-script-budget',
    apply: 'build',
    generateBundle(_, bundle) {
      const chunks = Object.values(bundle).filter((each) => each.type === 'chunk');
      const closure = (names: string[]): Set<string> => {
        const found = new Set<string>();
        const visit = (name: string) => {
          const chunk = chunks.find((each) => each.fileName === name);
          if (chunk && !found.has(name)) {
            found.add(name);
            chunk.imports.forEach(visit);
          }
        };
        names.forEach(visit);
        return found;
      };
      const entry = chunks.filter((each) => each.isEntry).map((each) => each.fileName);
      for (const page of pages) {
        const own = chunks.filter((each) => each.facadeModuleId?.endsWith(page)).map((each) => each.fileName);
        if (own.length !== 1) {
          this.error(`${page} is no chunk of its own`);
        }

        const bytes = [...closure([...entry, ...own])]
          .map((name) => chunks.find((each) => each.fileName === name)?.code ?? '')
          .reduce((sum, code) => sum + gzipSync(code).length, 0);
        this.info(`${page}: ${Math.round(bytes / 1024)} of ${scriptBudget / 1024} kB of script, gzip`);
        if (bytes > scriptBudget) {
          this.error(`${page} takes ${bytes} bytes of compressed script, and ${scriptBudget} are allowed`);
        }
      }
    },
  };
}

/** A compressed copy beside each file: the function that serves them pays for its processor by the request. */
function compress(): Plugin {
  return {
    name: 'compress',
    apply: 'build',
    writeBundle({ dir }) {
      const walk = (folder: string): string[] =>
        readdirSync(folder).flatMap((name) => {
          const path = join(folder, name);
          return statSync(path).isDirectory() ? walk(path) : [path];
        });
      for (const file of walk(dir ?? '').filter((each) => /\.(js|css|svg)$/.test(each))) {
        writeFileSync(`${file}.br`, brotliCompressSync(readFileSync(file)));
      }
    },
  };
}

export default defineConfig({
  plugins: [react(), holdBudget(), compress()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  build: { target: 'es2022', reportCompressedSize: false, chunkSizeWarningLimit: 1000 },
  test: {
    environment: 'jsdom',
    include: ['src/**/*.test.{ts,tsx}'],
    setupFiles: ['src/test/setup.ts'],
    env: { TZ: 'Europe/Berlin' },
    // Most of the time of a test file is the making of its browser and the reading of the libraries: all files share them.
    isolate: false,
    // Limits against what hangs, on a machine that may have a lot to do: nothing here measures time.
    testTimeout: 10 * 60_000,
    hookTimeout: 10 * 60_000,
  },
});
