/** Which configuration files a command reads: those that are named, else the first usual one of the working folder. */
import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { ConfigFiles } from '../config/read-files.ts';

/** Looked for in the working folder, first match wins. */
const defaultFiles = ['llamero.yaml', 'llamero.yml', 'config.yaml', 'config.yml'];

export interface NamedConfig {
  readonly config: string | undefined;
  readonly configDir: string | undefined;
}

/** undefined: none is named and none is there. */
export async function findConfigFiles(
  { config, configDir: folder }: NamedConfig,
  cwd: string,
): Promise<ConfigFiles | undefined> {
  const file = config ?? (folder === undefined ? await firstExisting(cwd) : undefined);
  return file === undefined && folder === undefined ? undefined : { file, folder };
}

/** How messages call them. */
export function nameOfFiles({ file, folder }: ConfigFiles): string {
  return [file, folder].filter((name) => name !== undefined).join(' and ');
}

async function firstExisting(cwd: string): Promise<string | undefined> {
  for (const name of defaultFiles) {
    const exists = await access(resolve(cwd, name)).then(
      () => true,
      () => false,
    );
    if (exists) return name;
  }
  return undefined;
}
