/** `llamero schema`: prints the JSON Schema of the configuration file. */
import { configJsonSchemaText } from '../config/json-schema.ts';
import { exitCodes } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';
import type { CliIo } from './io.ts';

const usage = 'Usage: llamero schema\n\nPrints the JSON Schema (draft 2020-12) of the configuration file.\n';

export async function runSchema(args: readonly string[], io: CliIo): Promise<ExitCode> {
  if (args.length === 1 && (args[0] === '--help' || args[0] === '-h')) {
    io.stdout(usage);
    return exitCodes.ok;
  }
  if (args.length > 0) {
    io.stderr(`llamero schema: takes no arguments\n${usage}`);
    return exitCodes.usage;
  }
  io.stdout(configJsonSchemaText());
  return exitCodes.ok;
}
