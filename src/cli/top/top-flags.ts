/** The command line of `llamero top`. Reads arguments only; what they mean for the router is found out elsewhere. */
import { parseArgs } from 'node:util';
import { durationForm, tryParseDurationMs } from '../../config/values.ts';
import { parseRouterFlags, routerOptions, type RouterFlags } from '../router/router-flags.ts';

export interface TopFlags extends RouterFlags {
  readonly help: boolean;
  readonly once: boolean;
  readonly intervalMs: number;
}

const options = {
  ...routerOptions,
  once: { type: 'boolean', default: false },
  interval: { type: 'string', short: 'i', default: '1s' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

const intervalMsMin = 100;
const intervalMsMax = 3_600_000;

/** Throws an Error that says what is wrong with the arguments. */
export function parseTopFlags(args: readonly string[]): TopFlags {
  const { values } = parseArgs({ args: [...args], options });
  return {
    ...parseRouterFlags(values),
    help: values.help,
    once: values.once,
    intervalMs: parseInterval(values.interval),
  };
}

function parseInterval(text: string): number {
  const ms = tryParseDurationMs(text);
  if (ms === undefined) throw new Error(`--interval must be ${durationForm}`);
  if (ms < intervalMsMin || ms > intervalMsMax) throw new Error('--interval must be from 100ms to 1h');
  return ms;
}
