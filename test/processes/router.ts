/**
 * A router reduced to its children: takes over the ledger, starts every command it is given, prints one line of JSON
 * when all are ready, and then waits to be killed. Usage: router.ts LEDGER guard|no-guard COMMAND..., each with its
 * `--port N` in it.
 */
import { systemClock } from '../../src/base/clock.ts';
import { startGuard } from '../../src/process/guard.ts';
import { createLedger } from '../../src/process/ledger.ts';
import { createProcess, stopAll } from '../../src/process/process.ts';

const [ledgerFile = '', guarded, ...commands] = process.argv.slice(2);
const { env, platform } = process;
const onError = (error: unknown): void => {
  throw error;
};
const ledger = createLedger({ file: ledgerFile, platform, onError });
const guard = guarded === 'guard' ? startGuard({ ledgerFile, env, onLost: onError }) : undefined;
const models = commands.map((cmd, index) =>
  createProcess(
    {
      id: `m${index}`,
      cmd,
      cmdStop: '',
      env: {},
      cwd: undefined,
      proxy: `http://127.0.0.1:${/--port (\d+)/.exec(cmd)?.[1]}`,
      checkEndpoint: '/health',
      port: undefined,
      readyTimeoutMs: 10_000,
      stopTimeoutMs: 1000,
    },
    { clock: systemClock, env, ledger, platform },
  ),
);
process.once('SIGTERM', () => {
  void stopAll(models).then(() => guard?.close());
});
const results = await Promise.all(models.map((model) => model.ensureReady()));
process.stdout.write(
  `${JSON.stringify({ guard: guard?.pid, children: results.map((result) => result.type === 'ready' && result.pid) })}\n`,
);
