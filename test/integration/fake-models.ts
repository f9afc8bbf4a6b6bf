/** A configuration whose models are fake engines that the router starts itself. */
import { resolve } from 'node:path';
import { freePorts } from './free-ports.ts';

const program = resolve(import.meta.dirname, '..', 'fake-engine', 'main.ts');

/** The command of a fake engine for a model; `flags` as `test/fake-engine/main.ts` takes them. */
export function fakeCommand(id: string, flags = ''): string {
  return `${process.execPath} ${program} --port \${PORT} --model ${id} ${flags}`;
}

/** `${PORT}` is counted up from a free port, far from those of other tests. Fields of a model are merged over its command. */
export async function withModels<Models extends Record<string, object>>(models: Models, more: object = {}) {
  return {
    startPort: await freePorts(Object.keys(models).length + 2),
    healthCheckTimeout: 20,
    models: Object.fromEntries(
      Object.entries(models).map(([id, fields]) => [id, { cmd: fakeCommand(id), ...fields }]),
    ) as Record<keyof Models, object>,
    ...more,
  };
}
