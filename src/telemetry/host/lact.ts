/** GPUs as the daemon of LACT tells them on its socket, where neither the drivers' files nor the vendors' tools are at hand. */
import { createConnection } from 'node:net';
import { LineReader } from '../../base/line-reader.ts';
import { unknownGpu, type GpuReading, type GpuVendor } from '../../domain/host-reading.ts';
import { passingSource, type GpuSource } from './gpu-source.ts';
import { at, tryNumberOf, tryTextOf } from './loose-json.ts';

export const lactSocket = '/run/lactd.sock';

const timeoutMsDefault = 5000;
const answerBytesMax = 1_000_000;
const vendorsById: Readonly<Record<string, GpuVendor>> = { '10DE': 'nvidia', '1002': 'amd', '8086': 'intel' };

/** `socket`: a path. `timeoutMs`: for each answer. */
export function createLactSource(socket: string, timeoutMs = timeoutMsDefault): GpuSource {
  const ask = (request: object, signal: AbortSignal): Promise<unknown> =>
    askDaemon({ socket, request, signal, timeoutMs });
  return passingSource({
    name: 'lact',
    vendors: ['nvidia', 'amd', 'intel'],
    intervalMsMin: 0,
    async read(signal) {
      try {
        const devices = await ask({ command: 'list_devices' }, signal);
        const gpus: GpuReading[] = [];
        for (const device of Array.isArray(devices) ? (devices as unknown[]) : []) {
          const id = tryTextOf(at(device, 'id'));
          if (id === undefined) continue;
          const stats = await ask({ command: 'device_stats', args: { id } }, signal);
          const gpu = tryReadDevice({ id, name: tryTextOf(at(device, 'name')), stats, index: gpus.length });
          if (gpu !== undefined) gpus.push(gpu);
        }
        return gpus.length === 0 ? { type: 'absent' } : { type: 'read', gpus };
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        // A socket that is there and refuses belongs to a daemon that has ended.
        const isAbsent = code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'EACCES';
        return isAbsent ? { type: 'absent' } : { type: 'failed', problem: message };
      }
    },
  });
}

/** Of one device: its `id` begins with the vendor's number, as in `1002:687F-1043:0555-0000:0b:00.0`. */
export function tryReadDevice({ id, name, stats, index }: LactDevice): GpuReading | undefined {
  const vendor = vendorsById[id.slice(0, 4).toUpperCase()];
  if (vendor === undefined) return undefined;
  const value = (...keys: string[]): number | undefined => tryNumberOf(at(stats, ...keys));
  const temperature = (sensor: string): number | undefined =>
    value('temps', sensor, 'current') ?? value('temps', sensor, 'value', 'current');
  const pwm = value('fan', 'pwm_current');
  return {
    ...unknownGpu({ index, vendor, name: name ?? `${vendor} GPU ${index}` }),
    memoryKind: value('vram', 'total') === undefined ? 'unknown' : 'dedicated',
    utilizationPercent: value('busy_percent'),
    memoryUsedBytes: value('vram', 'used'),
    memoryTotalBytes: value('vram', 'total'),
    temperatureCelsius: temperature('junction') ?? temperature('edge') ?? temperature('GPU'),
    memoryTemperatureCelsius: temperature('mem') ?? temperature('VRAM'),
    powerWatts: value('power', 'current') ?? value('power', 'average'),
    powerLimitWatts: value('power', 'cap_current'),
    clockMhz: value('clockspeed', 'gpu_clockspeed'),
    memoryClockMhz: value('clockspeed', 'vram_clockspeed'),
    fanPercent: pwm === undefined ? undefined : Math.round((pwm / 255) * 100),
  };
}

export interface LactDevice {
  readonly id: string;
  readonly name: string | undefined;
  /** `data` of the answer to `device_stats`. */
  readonly stats: unknown;
  readonly index: number;
}

interface DaemonRequest {
  readonly socket: string;
  readonly request: object;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

/** One request and its answer, a line of JSON each. Rejects in time when none comes. */
function askDaemon({ socket, request, signal, timeoutMs }: DaemonRequest): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const connection = createConnection({ path: socket, signal });
    const end = (settle: () => void): void => {
      connection.destroy();
      settle();
    };
    const reader = new LineReader({
      lineBytesMax: answerBytesMax,
      onLine: (line) => {
        end(() => {
          try {
            const answer: unknown = JSON.parse(line);
            if (at(answer, 'status') === 'ok') resolve(at(answer, 'data'));
            else reject(new Error(`refused: ${line.slice(0, 200)}`));
          } catch {
            reject(new Error(`unexpected answer: ${line.slice(0, 200)}`));
          }
        });
      },
    });
    connection.setTimeout(timeoutMs, () => end(() => reject(new Error(`no answer within ${timeoutMs} ms`))));
    connection.on('error', (error) => end(() => reject(error)));
    connection.on('close', () => reject(new Error('closed without an answer')));
    connection.on('data', (part: Buffer) => {
      try {
        reader.push(part);
      } catch (error) {
        end(() => reject(error));
      }
    });
    connection.write(`${JSON.stringify(request)}\n`);
  });
}
