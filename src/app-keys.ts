/** API keys of the running router: those of the configuration, those of the file, what each of them uses. Owns these, decides nothing. */
import { resolve } from 'node:path';
import type { Logger } from 'pino';
import type { Clock } from './base/clock.ts';
import type { Config } from './config/schema.ts';
import { KeyMeter, type KeyReading } from './keys/key-meter.ts';
import { KeyRing } from './keys/key-ring.ts';
import type { KeyRules } from './keys/key-rules.ts';
import { KeyUse, keyUsePath } from './keys/key-use.ts';
import { StoredKeysWatch } from './keys/stored-keys-watch.ts';
import type { StoreFaults } from './store/store-faults.ts';

export class KeyKeeper {
  readonly ring = new KeyRing();
  readonly meter: KeyMeter;
  readonly #log: Logger;
  readonly #faults: StoreFaults;
  #usePath: string | undefined;
  #use: KeyUse;
  #filePath: string | undefined;
  #watch: StoredKeysWatch | undefined;

  constructor({
    clock,
    config,
    log,
    faults,
  }: {
    readonly clock: Clock;
    readonly config: Config;
    readonly log: Logger;
    readonly faults: StoreFaults;
  }) {
    this.#log = log;
    this.#faults = faults;
    this.#use = this.#openUse(undefined);
    this.meter = new KeyMeter(clock, () => this.#use);
    this.configure(config);
  }

  /** Takes over another configuration. */
  configure({ apiKeys, keysFile, store }: Config): void {
    this.ring.configure(apiKeys, { hasFile: keysFile !== undefined });
    this.#keepUseIn(store === undefined ? undefined : keyUsePath(resolve(store.path)));
    const path = keysFile === undefined ? undefined : resolve(keysFile);
    if (path === this.#filePath) return;
    this.#filePath = path;
    this.#watch?.close();
    // Keys of another file must not open anything while this one cannot be read.
    this.ring.store([]);
    this.#watch =
      path === undefined
        ? undefined
        : new StoredKeysWatch({
            path,
            onChange: (keys) => this.ring.store(keys),
            onUnreadable: (error) => this.#log.error({ path, err: error }, 'Cannot read the file of keys'),
          });
  }

  /** Every key with what it uses, by name. */
  readonly list = (): { readonly rules: KeyRules; readonly reading: KeyReading }[] =>
    this.ring.all().map((rules) => ({ rules, reading: this.meter.read(rules) }));

  close(): void {
    this.#watch?.close();
    this.#use.close();
  }

  #keepUseIn(path: string | undefined): void {
    if (path === this.#usePath) return;
    try {
      const use = this.#openUse(path);
      this.#use.close();
      this.#use = use;
      this.#usePath = path;
      this.meter.keepAll();
    } catch (error) {
      // A router whose disk is full still routes; what keys use is kept where it was.
      this.#faults.failed('keys', error);
    }
  }

  #openUse(path: string | undefined): KeyUse {
    return new KeyUse({
      path,
      onFault: (error) => this.#faults.failed('keys', error),
      onWritten: () => this.#faults.worked('keys'),
    });
  }
}
