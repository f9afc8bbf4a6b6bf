/** The command line of `llamero gpu-monitor`. Reads arguments only. */
import { parseArgs } from 'node:util';
import { isLoopback, parseListenAddress, type ListenAddress } from '../../config/listen-address.ts';
import { durationForm, tryParseDurationMs } from '../../config/values.ts';

export interface MonitorFlags {
  readonly help: boolean;
  readonly listen: ListenAddress;
  readonly intervalMs: number;
  /** Name of the environment variable with the key; undefined = none is wanted. */
  readonly keyEnv: string | undefined;
  readonly diskFolder: string;
}

const options = {
  listen: { type: 'string', short: 'l', default: '127.0.0.1:8701' },
  interval: { type: 'string', short: 'i', default: '1s' },
  'key-env': { type: 'string' },
  'allow-unauthenticated': { type: 'boolean', default: false },
  disk: { type: 'string', default: '.' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

const intervalMsMin = 200;
/** A router believes no reading that is older than ten seconds. */
const intervalMsMax = 5000;

/** Throws an Error that says what is wrong with the arguments. */
export function parseMonitorFlags(args: readonly string[]): MonitorFlags {
  const { values } = parseArgs({ args: [...args], options });
  const listen = parseListenAddress(values.listen);
  const keyEnv = values['key-env'];
  if (!isLoopback(listen.host) && keyEnv === undefined && !values['allow-unauthenticated']) {
    throw new Error(
      'other machines could use this address without a key: add --key-env, listen on 127.0.0.1, or set --allow-unauthenticated',
    );
  }
  return {
    help: values.help,
    listen,
    intervalMs: parseInterval(values.interval),
    keyEnv,
    diskFolder: values.disk,
  };
}

function parseInterval(text: string): number {
  const ms = tryParseDurationMs(text);
  if (ms === undefined) throw new Error(`--interval must be ${durationForm}`);
  if (ms < intervalMsMin || ms > intervalMsMax) throw new Error('--interval must be from 200ms to 5s');
  return ms;
}
