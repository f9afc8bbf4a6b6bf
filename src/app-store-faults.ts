/** Says in the log when a store cannot be written, and when it can again. */
import type { Logger } from 'pino';
import { StoreFaults } from './store/store-faults.ts';

export function createStoreFaults(log: Logger): StoreFaults {
  return new StoreFaults({
    onBegin: (store, error) =>
      log.error({ store, err: error }, 'A store cannot be used; requests go on, and this is told once'),
    onEnd: (store, failures) => log.info({ store, failures }, 'The store is written again'),
  });
}
