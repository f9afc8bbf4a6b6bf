/** The logs of the router and its models as they are kept in memory and shown. Formats nothing. */
import type { DestinationStream } from 'pino';
import type { LogLookup } from './admin/deps.ts';
import type { Config } from './config/schema.ts';
import { createOutputLog, type OutputLog } from './process/output.ts';

export interface LogsOptions {
  readonly mode: Config['logToStdout'];
  /** Where what is shown is written. */
  readonly out: DestinationStream;
  /** What one model prints, by a name of it. */
  readonly outputOf: (name: string) => OutputLog | undefined;
}

export class Logs implements LogLookup {
  readonly all = createOutputLog();
  readonly #router = createOutputLog();
  readonly #upstream = createOutputLog();
  readonly #options: LogsOptions;
  readonly #followed = new WeakSet<OutputLog>();
  readonly #end = new AbortController();

  constructor(options: LogsOptions) {
    this.#options = options;
  }

  /** Where the router's own log goes as it is shown. */
  get destination(): DestinationStream {
    return this.#shows('proxy') ? this.#options.out : { write: () => {} };
  }

  readonly find = (name: string): OutputLog | undefined => {
    if (name === 'proxy') return this.#router;
    return name === 'upstream' ? this.#upstream : this.#options.outputOf(name);
  };

  /** Takes a line of the router's own log. */
  keep(line: string): void {
    const bytes = Buffer.from(line);
    this.#router.write(bytes);
    if (this.#shows('proxy')) this.all.write(bytes);
  }

  /** Takes over what a model prints from now on; a second time changes nothing. */
  follow(output: OutputLog): void {
    if (this.#followed.has(output)) return;
    this.#followed.add(output);
    void this.#copy(output);
  }

  /** To be called when nothing prints any more; resolves when the last of it is shown. */
  async close(): Promise<void> {
    this.#end.abort();
    // A feed that ends still gives what it holds, within the current turn of the event loop.
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }

  #shows(source: 'proxy' | 'upstream'): boolean {
    const { mode } = this.#options;
    return mode === 'both' || mode === source;
  }

  async #copy(output: OutputLog): Promise<void> {
    for await (const bytes of output.subscribe({ withHistory: true, signal: this.#end.signal })) {
      this.#upstream.write(bytes);
      if (!this.#shows('upstream')) continue;
      this.all.write(bytes);
      this.#options.out.write(Buffer.from(bytes).toString());
    }
  }
}
