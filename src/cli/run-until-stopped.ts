/** Runs a router until a signal ends it: the first drains, the second ends at once, SIGHUP reloads. */
import type { App } from '../app.ts';
import { setHeapFlags } from '../base/heap-flags.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';
import type { LongRunningIo } from './io.ts';

/** Resolves with the exit status once everything is closed. `onListening` gets the first address, as `HOST:PORT`. */
export async function runUntilStopped(
  app: App,
  io: LongRunningIo,
  onListening: (address: string) => void = () => {},
): Promise<ExitCode> {
  setHeapFlags();
  try {
    await app.start();
  } catch (error) {
    io.stderr(`llamero: ${error instanceof Error ? error.message : String(error)}\n`);
    await app.close();
    return exitCodes.unavailable;
  }
  onListening(app.addresses()[0] ?? '');
  return new Promise((resolve) => {
    let stopping = false;
    const finish = (code: ExitCode) => {
      for (const off of listening) off();
      resolve(code);
    };
    const stop = () => {
      if (stopping) {
        app.log.warn('second signal, ending at once');
        void app.close().then(() => finish(exitCodes.ok));
        return;
      }
      stopping = true;
      void app.drain().then(() => finish(exitCodes.ok));
    };
    const listening = [
      io.onSignal('SIGTERM', stop),
      io.onSignal('SIGINT', stop),
      io.onSignal('SIGHUP', () => void app.reload()),
    ];
  });
}
