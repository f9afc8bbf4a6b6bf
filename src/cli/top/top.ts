/** `llamero top`: a running router in the terminal, once or live. Only a client of its control API. */
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import type { LongRunningIo } from '../io.ts';
import { findKey, findRouterUrl, RouterUnknown } from '../router/find-router.ts';
import { routerOptionsHelp } from '../router/router-flags.ts';
import { RouterFault } from '../router/router-request.ts';
import { runLiveView } from './live-view.ts';
import { createLineJoiner } from './log-lines.ts';
import { plainPaint } from './paint.ts';
import { renderTop } from './render-top.ts';
import type { Reading } from './router-answers.ts';
import { createRouterClient, type RouterClient } from './router-client.ts';
import { parseTopFlags, type TopFlags } from './top-flags.ts';
import { initialState, withLogLines } from './top-state.ts';

const usage = `Usage: llamero top [--url URL | --config FILE | --config-dir DIR] [--key-env NAME] [--interval TIME] [--once]

${routerOptionsHelp}\
  --interval TIME    between two looks, 100ms to 1h; default 1s
  --once             print one plain snapshot and end; so without a terminal, too

Keys: ? tells them. NO_COLOR turns colors off. NODE_EXTRA_CA_CERTS names a file with a certificate of your own.
`;

/** Every reading has a time limit of its own. */
const never = new AbortController().signal;
/** Lines of log in a snapshot. */
const onceLogLines = 10;

export async function runTop(args: readonly string[], io: LongRunningIo): Promise<ExitCode> {
  const flags = tryParseFlags(args, io);
  if (flags === undefined) return exitCodes.usage;
  if (flags.help) {
    io.stdout(usage);
    return exitCodes.ok;
  }
  try {
    const url = await findRouterUrl(flags, io);
    const client = createRouterClient({ url, key: findKey(flags, io.env) });
    const address = url.host + url.pathname.replace(/\/$/, '');
    const first = await client.read(never);
    const { terminal } = io;
    if (flags.once || terminal === undefined) await printOnce({ client, address, first }, io);
    else await runLiveView({ client, address, first, intervalMs: flags.intervalMs, io, terminal });
    return exitCodes.ok;
  } catch (error) {
    if (!(error instanceof RouterFault) && !(error instanceof RouterUnknown)) throw error;
    io.stderr(`llamero top: ${error.message}\n`);
    return error instanceof RouterUnknown ? error.exitCode : exitCodes.unavailable;
  }
}

/** Says what is wrong with the arguments. */
function tryParseFlags(args: readonly string[], io: LongRunningIo): TopFlags | undefined {
  try {
    return parseTopFlags(args);
  } catch (error) {
    io.stderr(`llamero top: ${error instanceof Error ? error.message : String(error)}\n${usage}`);
    return undefined;
  }
}

interface Snapshot {
  readonly client: RouterClient;
  readonly address: string;
  readonly first: Reading;
}

/** As wide as it is, for whatever reads it may be no screen. */
async function printOnce({ client, address, first }: Snapshot, io: LongRunningIo): Promise<void> {
  const text = await client.recentLog(never);
  const log = createLineJoiner('proxy')(text).slice(-onceLogLines);
  const lines = renderTop(withLogLines(initialState(address, first), log), {
    // Some terminals do not know their size and say 0.
    columns: io.terminal?.output.columns || Infinity,
    rows: Infinity,
    isInteractive: false,
    paint: plainPaint,
  });
  io.stdout(`${lines.join('\n')}\n`);
}
