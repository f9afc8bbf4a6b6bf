/** Finds the command and runs it. Knows names and help texts, not what commands do. */
import { exitCodes, type ExitCode } from './exit-codes.ts';
import type { LongRunningIo } from './io.ts';
import { isServeFlag } from './serve-flags.ts';
import { version } from './version.ts';

type Run = (args: readonly string[], io: LongRunningIo) => Promise<ExitCode>;

interface Command {
  readonly summary: string;
  /** Only what a command needs is in memory: a monitor is a third smaller than a router. */
  readonly load: () => Promise<Run>;
}

const loadServe = async (): Promise<Run> => (await import('./serve.ts')).runServe;

const commands: Readonly<Record<string, Command>> = {
  serve: {
    summary: 'Serve. [--config FILE] [--config-dir DIR] [--listen ADDR]... [--watch]',
    load: loadServe,
  },
  demo: {
    summary: 'Serve a simulated fleet with gentle traffic. [--listen ADDR] [--no-traffic]',
    load: async () => (await import('./demo.ts')).runDemo,
  },
  top: {
    summary: 'Watch a running router. [--url URL] [--key-env NAME] [--interval TIME] [--once]',
    load: async () => (await import('./top/top.ts')).runTop,
  },
  models: {
    summary:
      'Models of a running router. [list] | ps | load | unload | pull | push | copy | delete | create [--url URL]',
    load: async () => (await import('./models/models.ts')).runModels,
  },
  'gpu-monitor': {
    summary:
      'Tell routers what this machine and its GPUs do. [--listen ADDR] [--interval TIME] [--key-env NAME]',
    load: async () => (await import('./gpu-monitor/gpu-monitor.ts')).runGpuMonitor,
  },
  keys: {
    summary: 'Add, list and revoke API keys. add NAME | list | revoke NAME [--file FILE]',
    load: async () => (await import('./keys/keys.ts')).runKeys,
  },
  check: {
    summary: 'Check configuration files. [FILE] [--config-dir DIR]',
    load: async () => (await import('./check.ts')).runCheck,
  },
  doctor: {
    summary: 'Look for what is wrong here and at every backend. [--config FILE] [--config-dir DIR] [--json]',
    load: async () => (await import('./doctor/doctor.ts')).runDoctor,
  },
  import: {
    summary: 'Print the configuration of another router as one of Llamero. SYSTEM [FILE] [-o FILE]',
    load: async () => (await import('./import.ts')).runImport,
  },
  schema: {
    summary: 'Print the JSON Schema of the configuration file.',
    load: async () => (await import('./schema.ts')).runSchema,
  },
};

/** Runs one command line (without the program's name) and returns the exit status. */
export async function runCli(args: readonly string[], io: LongRunningIo): Promise<ExitCode> {
  const [name, ...rest] = args;
  if (['--version', '-V', '-version', 'version'].includes(name ?? '')) {
    io.stdout(`llamero ${version}\n`);
    return exitCodes.ok;
  }
  if (name === '--help' || name === '-h' || (name === 'help' && rest.length === 0)) {
    io.stdout(help());
    return exitCodes.ok;
  }
  if (name === 'help') return runCli([...rest.slice(0, 1), '--help'], io);
  // llama-swap has no commands: its command lines begin with a flag.
  if (name !== undefined && isServeFlag(name)) return (await loadServe())(args, io);
  const command = Object.hasOwn(commands, name ?? '') ? commands[name ?? ''] : undefined;
  if (command === undefined) {
    io.stderr(name === undefined ? help() : `llamero: unknown command '${name}'\n\n${help()}`);
    return exitCodes.usage;
  }
  const run = await command.load();
  return run(rest, io);
}

function help(): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length));
  const lines = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`);
  return [
    'llamero: one API in front of self-hosted LLM inference servers',
    '',
    'Usage: llamero COMMAND [OPTIONS]',
    '',
    ...lines,
    '',
    '  help COMMAND, --help, --version',
    '',
    'Without --config, serve reads llamero.yaml or config.yaml here, else looks for engines on their usual local ports.',
    'Exit status: 0 done, 1 doctor found errors, 64 usage, 66 file not readable, 69 unavailable, 70 internal, 78 configuration, 130 interrupted.',
    '',
  ].join('\n');
}
