/** Starts the real router in this process on a free port, configured by an object as a file would. */
import type { z } from 'zod';
import { statusSchema } from '../../src/admin/contract.ts';
import { App } from '../../src/app.ts';
import { loadConfigText } from '../../src/config/load.ts';
import { formatProblem } from '../../src/config/problems.ts';

type Status = z.infer<typeof statusSchema>;

export interface TestRouter extends AsyncDisposable {
  readonly app: App;
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** Lines of its log so far. */
  readonly logLines: readonly Readonly<Record<string, unknown>>[];
  /** Replaces the configuration by a reload. */
  reload(config: object): Promise<void>;
  /** What `/api/status` says. */
  status(): Promise<Status>;
  /** Waits until every backend in the list (default: all) takes requests; fails after ten seconds. */
  ready(ids?: readonly string[]): Promise<void>;
}

const fastProbes = { interval: '100ms', deadInterval: '100ms', timeout: 2 };

/** `config` is merged over: a free loopback port, fast probes, a quiet log. `output`: gets the log in place of `logLines`. */
export async function startRouter(
  config: object,
  output?: { write(text: string): void },
): Promise<TestRouter> {
  let current = JSON.stringify(withDefaults(config));
  const read = () => loadConfigText({ file: 'test', env: {}, text: current });
  const loaded = read();
  if (!loaded.ok) throw new Error(loaded.problems.map(formatProblem).join('\n'));
  const logLines: Record<string, unknown>[] = [];
  const app = new App({
    config: loaded.config,
    version: 'test',
    terminal: false,
    source: { file: 'test', read: () => Promise.resolve(read()) },
    logDestination: output ?? {
      write: (line) => void logLines.push(JSON.parse(line) as Record<string, unknown>),
    },
  });
  await app.start();
  const url = `http://${app.addresses()[0] ?? ''}`;
  const key = apiKeyOf(config);
  const status = async () => {
    const response = await fetch(`${url}/api/status`, {
      headers: key === undefined ? {} : { authorization: `Bearer ${key}` },
    });
    return statusSchema.parse(await response.json());
  };
  return {
    app,
    url,
    logLines,
    status,
    async reload(next) {
      current = JSON.stringify(withDefaults(next));
      const report = await app.reload();
      if (!report.ok) throw new Error(report.problems.join('\n'));
    },
    async ready(ids) {
      await until(async () => {
        const { backends } = await status();
        const wanted = ids === undefined ? backends : backends.filter(({ id }) => ids.includes(id));
        return wanted.length > 0 && wanted.every(({ state }) => state === 'live' || state === 'degraded');
      });
    },
    [Symbol.asyncDispose]: () => app.close(),
  };
}

/** Looks again every few milliseconds until the condition holds; fails after `timeoutMs`. */
export async function until(condition: () => boolean | Promise<boolean>, timeoutMs = 10_000): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadlineMs)
      throw new Error(`not so within ${timeoutMs} ms: ${String(condition)}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 10);
    });
  }
}

function withDefaults(config: object): object {
  return { listen: '127.0.0.1:0', probes: fastProbes, log: { level: 'info', format: 'json' }, ...config };
}

function apiKeyOf(config: object): string | undefined {
  const keys = 'apiKeys' in config && Array.isArray(config.apiKeys) ? (config.apiKeys as unknown[]) : [];
  const [first] = keys;
  return typeof first === 'string' ? first : undefined;
}
