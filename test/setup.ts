/** What `npm run setup` found or could not get: the programs that some tests need, or the reason they are missing. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

export type ProvidedName = 'llamaServer' | 'chromium' | 'valkey';

/** Exactly one of the two is set. */
export type Provided =
  | { readonly path: string; readonly missing: undefined }
  | { readonly path: undefined; readonly missing: string };

export type TestSetup = Readonly<Record<ProvidedName, Provided>>;

export const setupFile = resolve(import.meta.dirname, '..', '.cache', 'test-setup.json');

/**
 * Reads the result of the last set-up. Without one everything is missing. Use:
 * `const { path, missing } = testSetup().llamaServer`, then `context.skip(path === undefined, missing)` in a test.
 */
export function testSetup(): TestSetup {
  const written = readSetup();
  return {
    llamaServer: provided(written['llamaServer']),
    chromium: provided(written['chromium']),
    valkey: provided(written['valkey']),
  };
}

function provided(entry: { path?: string; missing?: string } | undefined): Provided {
  if (entry?.path !== undefined) return { path: entry.path, missing: undefined };
  return { path: undefined, missing: entry?.missing ?? 'not set up: run `npm run setup`' };
}

function readSetup(): Record<string, { path?: string; missing?: string }> {
  try {
    return JSON.parse(readFileSync(setupFile, 'utf8')) as Record<string, { path?: string; missing?: string }>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
}
