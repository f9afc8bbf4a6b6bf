/**
 * The most memory that each command was seen to take, also by earlier routers: a small file beside the ledger of
 * processes. Only this file knows its format. Losing it costs new measurements, nothing else.
 */
import { createHash } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import type { ResolvedModel } from '../config/models.ts';
import type { BackendLog } from '../engines/watch-context.ts';
import type { MemoryNeed } from '../scheduler/residency/memory.ts';

/** Commands that nobody measures any more are forgotten after so many newer ones. */
const commandsMax = 1000;

/** Measurements jitter: they are rounded up to this, so that the file is not written for every page. */
const stepBytes = 16 * 2 ** 20;

const bytes = z.int().min(0).optional();
const fileSchema = z.object({
  version: z.literal(1),
  needs: z.record(z.string(), z.object({ vramBytes: bytes, ramBytes: bytes })),
});

export class MeasuredNeeds {
  readonly #log: BackendLog;
  readonly #keys = new WeakMap<ResolvedModel, string>();
  /** Those measured last are last. */
  readonly #needs = new Map<string, MemoryNeed>();
  #file: string | undefined;
  #hasComplained = false;

  constructor(log: BackendLog) {
    this.#log = log;
  }

  /** Takes in what an earlier router knew, and keeps the file up to date from now on. */
  open(file: string): void {
    this.#file = file;
    try {
      const { needs } = fileSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
      for (const [key, { vramBytes, ramBytes }] of Object.entries(needs)) {
        if (!this.#needs.has(key)) this.#needs.set(key, { vramBytes, ramBytes });
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      this.#log.warn({ err: error, file }, 'The file of measured memory is damaged and begun anew');
    }
  }

  of(model: ResolvedModel): MemoryNeed | undefined {
    return this.#needs.get(this.#keyOf(model));
  }

  /** Takes in one measurement; undefined = not measured. Returns whether the most seen so far has changed. */
  add(model: ResolvedModel, { vramBytes, ramBytes }: MemoryNeed): boolean {
    const key = this.#keyOf(model);
    const known = this.#needs.get(key);
    const need = {
      vramBytes: larger(known?.vramBytes, vramBytes),
      ramBytes: larger(known?.ramBytes, ramBytes),
    };
    if (need.vramBytes === known?.vramBytes && need.ramBytes === known?.ramBytes) return false;
    this.#needs.delete(key);
    this.#needs.set(key, need);
    for (const [oldest] of this.#needs) {
      if (this.#needs.size <= commandsMax) break;
      this.#needs.delete(oldest);
    }
    this.#write();
    return true;
  }

  #write(): void {
    if (this.#file === undefined) return;
    const draft = `${this.#file}.${process.pid}`;
    try {
      // In place of the old one at once or not at all: a reader never sees half a file.
      const content = { version: 1, needs: Object.fromEntries(this.#needs) };
      writeFileSync(draft, JSON.stringify(content), { mode: 0o600 });
      renameSync(draft, this.#file);
    } catch (error) {
      if (!this.#hasComplained) this.#log.warn({ err: error }, 'Measured memory cannot be written down');
      this.#hasComplained = true;
    }
  }

  /** What the program is, without the port that it happens to get. */
  #keyOf(model: ResolvedModel): string {
    let key = this.#keys.get(model);
    if (key === undefined) {
      const { cmd, env, port } = model;
      const plain = port === undefined ? cmd : cmd.replaceAll(new RegExp(`(?<!\\d)${port}(?!\\d)`, 'g'), '');
      const text = JSON.stringify([plain, env]);
      key = createHash('sha256').update(text).digest('hex').slice(0, 32);
      this.#keys.set(model, key);
    }
    return key;
  }
}

function larger(known: number | undefined, measured: number | undefined): number | undefined {
  if (measured === undefined) return known;
  return Math.max(known ?? 0, Math.ceil(measured / stepBytes) * stepBytes);
}
