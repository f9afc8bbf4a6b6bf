/** `llamero models`: looks at the models of a running router and manages them. Only a client of its HTTP API. */
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import type { LongRunningIo, Signal } from '../io.ts';
import { findKey, findRouterUrl, RouterUnknown } from '../router/find-router.ts';
import { routerOptionsHelp } from '../router/router-flags.ts';
import { RouterFault } from '../router/router-request.ts';
import { copyModel, deleteModel, pullModel, pushModel } from './change-models.ts';
import { createModel, FileFault } from './create-model.ts';
import { listModels, listRunning } from './list-models.ts';
import { loadModel, unloadModels } from './load-models.ts';
import type { ModelsCall } from './models-call.ts';
import { parseModelsFlags, type ModelsFlags, type ModelsVerb } from './models-flags.ts';

const usage = `Usage: llamero models [list]                 what the router serves
       llamero models ps                     what is in memory, and where
       llamero models load MODEL             processes that the router starts itself
       llamero models unload [MODEL]         that one, or all of them
       llamero models pull MODEL             by all Ollamas that the router manages
       llamero models push MODEL             by one of them that has it
       llamero models copy FROM TO
       llamero models delete MODEL
       llamero models create MODEL --from MODEL | --file PATH... [RECIPE]

  --backends A,B     of pull, push, copy, delete and create: on these Ollamas alone
  --plan             tell what would happen, and change nothing
  --json             print what a program can read; of pull, push and create a line for each step
${routerOptionsHelp}
RECIPE: --adapter PATH  --system TEXT  --template TEXT  --quantize TYPE  --parameter NAME=VALUE
Files are sent to the router first. --file, --adapter and --parameter may be said several times.

Ctrl-C ends a pull, push or create; what has come is kept, and the next pull goes on from there.
Exit status: 0 done, 64 wrong command line, 66 file not readable, 69 the router refuses, fails or does not answer,
78 problems found in the configuration, 130 interrupted.
`;

const verbs: Readonly<Record<ModelsVerb, (call: ModelsCall) => Promise<void>>> = {
  list: listModels,
  ps: listRunning,
  load: loadModel,
  unload: unloadModels,
  pull: pullModel,
  push: pushModel,
  copy: copyModel,
  delete: deleteModel,
  create: createModel,
};
/** What the router does to its end once it was asked. */
const unstoppable: ReadonlySet<ModelsVerb> = new Set(['load', 'unload', 'copy', 'delete']);
const endingSignals: readonly Signal[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** The user wants no more of it. */
class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

export async function runModels(args: readonly string[], io: LongRunningIo): Promise<ExitCode> {
  const flags = tryParseFlags(args, io);
  if (flags === undefined) return exitCodes.usage;
  if (flags === 'help') {
    io.stdout(usage);
    return exitCodes.ok;
  }
  const stopping = new AbortController();
  const offs = endingSignals.map((signal) => io.onSignal(signal, () => stopping.abort(new Interrupted())));
  try {
    const router = { url: await findRouterUrl(flags, io), key: findKey(flags, io.env) };
    await verbs[flags.verb]({ flags, io, router, signal: stopping.signal });
    return exitCodes.ok;
  } catch (error) {
    const [message, code] = explain(error, flags);
    io.stderr(`llamero models: ${message}\n`);
    return code;
  } finally {
    for (const off of offs) off();
  }
}

/** Says what is wrong with the arguments. */
function tryParseFlags(args: readonly string[], io: LongRunningIo): ModelsFlags | 'help' | undefined {
  try {
    return parseModelsFlags(args) ?? 'help';
  } catch (error) {
    io.stderr(`llamero models: ${error instanceof Error ? error.message : String(error)}\n${usage}`);
    return undefined;
  }
}

/** For people and for the shell. Throws what is a fault of the program. */
function explain(error: unknown, { verb }: ModelsFlags): readonly [string, ExitCode] {
  if (error instanceof RouterUnknown) return [error.message, error.exitCode];
  if (error instanceof RouterFault) return [error.message, exitCodes.unavailable];
  if (error instanceof FileFault) return [error.message, exitCodes.noInput];
  if (!(error instanceof Interrupted)) throw error;
  const goesOn = unstoppable.has(verb) ? 'no longer waits, but the router goes on' : 'stopped';
  return [goesOn, exitCodes.interrupted];
}
