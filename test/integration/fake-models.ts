/** Models whose processes are fake engines: what `resolveModels` would make of a file that starts them. */
import { join } from 'node:path';
import { noModels, type ModelsConfig, type ResolvedModel } from '../../src/config/models.ts';
import { unusedPort } from '../processes/harness.ts';

const program = join(import.meta.dirname, '../fake-engine/main.ts');

export type FakeModel = Partial<Omit<ResolvedModel, 'id'>> & {
  /** Until then its health check says 503. */
  readonly loadMs?: number;
  /** The command ends at once with an error. */
  readonly broken?: boolean;
};

/** Each on a port of its own, in one group in which they may all run together unless `more` says otherwise. */
export async function fakeModels(
  models: Readonly<Record<string, FakeModel>>,
  more: Partial<ModelsConfig> = {},
): Promise<ModelsConfig> {
  const resolved = new Map<string, ResolvedModel>();
  for (const [id, model] of Object.entries(models)) resolved.set(id, await resolve(id, model));
  const group = {
    name: 'all',
    members: [...resolved.keys()],
    swap: false,
    exclusive: false,
    persistent: false,
  };
  return { ...noModels, models: resolved, routing: { kind: 'group', groups: [group] }, ...more };
}

async function resolve(
  id: string,
  { loadMs = 0, broken = false, ...model }: FakeModel,
): Promise<ResolvedModel> {
  const port = await unusedPort();
  const cmd = `'${process.execPath}' '${program}' --port ${port} --model '${id}' --load-ms ${loadMs}`;
  return {
    id,
    cmd: broken ? `'${process.execPath}' -e 'process.exit(3)'` : cmd,
    cmdStop: '',
    proxy: `http://127.0.0.1:${port}`,
    port,
    aliases: [],
    env: {},
    checkEndpoint: '/health',
    ttlMs: 0,
    readyTimeoutMs: 15_000,
    unloadTimeoutMs: 2000,
    unlisted: false,
    useModelName: undefined,
    name: '',
    description: '',
    concurrencyLimit: 10,
    filters: { stripParams: [], setParams: [], setParamsById: new Map() },
    metadata: {},
    sendLoadingState: false,
    timeouts: {
      connectMs: 5000,
      keepaliveMs: 0,
      responseHeaderMs: 0,
      tlsHandshakeMs: 0,
      expectContinueMs: 0,
      idleConnMs: 0,
    },
    ignoreWebsockets: false,
    capabilities: undefined,
    ...model,
  };
}
