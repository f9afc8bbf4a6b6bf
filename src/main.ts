/** The program's edge: arguments, environment, signals and the exit status. The only file that reads process.env or ends the process. */
import { runCli } from './cli/run.ts';

if (process.env['npm_lifecycle_event'] !== undefined) endWithLauncher();

// Output that nobody takes (a closed pipe, a full disk) is no reason to stop serving.
for (const output of [process.stdout, process.stderr]) output.on('error', () => {});

const code = await runCli(process.argv.slice(2), {
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  stderrIsTty: process.stderr.isTTY,
  env: process.env,
  cwd: process.cwd(),
  onSignal(signal, listener) {
    process.on(signal, listener);
    return () => process.off(signal, listener);
  },
  terminal:
    process.stdin.isTTY && process.stdout.isTTY
      ? {
          input: process.stdin,
          output: process.stdout,
          onExit(listener) {
            process.on('exit', listener);
            return () => process.off('exit', listener);
          },
        }
      : undefined,
});
// Sockets and timers that a command left open must not keep a finished command alive.
process.exit(code);

/** `npm run` hands its signals to a shell that dies of them without passing them on: losing that shell counts as SIGTERM. */
function endWithLauncher(): void {
  const launcher = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === launcher) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, 500);
  timer.unref();
}
