/** Whether this program may open as many files and sockets as its configuration lets in. */
import type { Config } from '../../config/schema.ts';
import { fault, good, type Finding } from './finding.ts';

/** Most open files of one process; Infinity = no limit. */
export interface FileLimits {
  readonly soft: number;
  readonly hard: number;
}

/** Database, log, pipes, timers, and the sockets of probes. */
const ownFiles = 100;
/** stdin, stdout, stderr. */
const filesPerModel = 3;
/** Of a backend that does not say how many requests it takes. */
const slotsUsual = 64;

/** Nobody wants a router for fewer clients. */
const connectionsMin = 100;

/** undefined where the system has no such limit. */
export function readFileLimits(): FileLimits | undefined {
  // Else the names of all open connections are looked up, which can take seconds.
  Object.assign(process.report, { excludeNetwork: true });
  const report: unknown = process.report.getReport();
  const limits = member(member(report, 'userLimits'), 'open_files');
  const [soft, hard] = ['soft', 'hard'].map((name) => toCount(member(limits, name)));
  return soft === undefined || hard === undefined ? undefined : { soft, hard };
}

/** As many client connections as may be open, and a connection to an engine for each request that runs. */
export function filesNeeded(config: Config): number {
  const { connections } = config.limits;
  return filesBesideConnections(config) + connections + Math.min(connections, runningMax(config));
}

export function checkFileLimits(limits: FileLimits | undefined, config: Config): Finding[] {
  if (limits === undefined) return [];
  const { soft, hard } = limits;
  const needed = filesNeeded(config);
  if (soft >= needed) return [good('open files', `${soft} are allowed, up to ${needed} can be needed`)];
  const room = soft - filesBesideConnections(config);
  const connections = Math.max(room - runningMax(config), Math.floor(room / 2));
  const raise =
    hard >= needed
      ? `ulimit -n ${needed} before the start`
      : `LimitNOFILE=${needed} in its systemd unit (the hard limit is ${hard})`;
  return [
    fault('open files', {
      level: 'warning',
      saw: `${soft} are allowed, but up to ${needed} can be needed with limits.connections: ${config.limits.connections}`,
      change: connections < connectionsMin ? raise : `${raise}, or limits: { connections: ${connections} }`,
    }),
  ];
}

function filesBesideConnections({ models }: Config): number {
  return ownFiles + filesPerModel * Object.keys(models).length;
}

/** Most requests that run at the same time, each with a connection to its engine. */
function runningMax({ backends, models, peers, scheduling }: Config): number {
  if (scheduling.slotLimits === 'soft') return Infinity;
  const slots = Object.values(backends).reduce((sum, backend) => sum + (backend.slots ?? slotsUsual), 0);
  return slots + (Object.keys(models).length + Object.keys(peers).length) * slotsUsual;
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function toCount(value: unknown): number | undefined {
  if (value === 'unlimited') return Infinity;
  return typeof value === 'number' ? value : undefined;
}
