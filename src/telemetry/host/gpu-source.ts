/** One way to learn about the GPUs of this machine. Each vendor's tools and files are one implementation. Types only. */
import type { GpuReading, GpuVendor } from '../../domain/host-reading.ts';

export type GpuLook =
  | { readonly type: 'read'; readonly gpus: readonly GpuReading[] }
  /** There is no such tool or no such GPU; worth another look in a while. */
  | { readonly type: 'absent' }
  | { readonly type: 'failed'; readonly problem: string };

export interface GpuSource {
  /** For the log. */
  readonly name: string;
  /** GPUs of other vendors it never tells of. */
  readonly vendors: readonly GpuVendor[];
  /** Asked no more often than this. */
  readonly intervalMsMin: number;
  /** Never rejects; ends soon after the signal. Not asked again before it has answered. */
  read(signal: AbortSignal): Promise<GpuLook>;
  /** Ends what it keeps running. */
  close(): Promise<void>;
}

/** A source that keeps nothing running. */
export function passingSource(source: Omit<GpuSource, 'close'>): GpuSource {
  return { ...source, close: () => Promise.resolve() };
}
