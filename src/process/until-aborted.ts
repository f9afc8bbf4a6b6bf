/** Waiting for something that others may call off. Leaves no listener behind on signals that live longer than the wait. */

/** The promise's value, or undefined as soon as one of the signals is aborted. */
export function untilAborted<T>(
  promise: Promise<T>,
  signals: readonly (AbortSignal | undefined)[],
): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      settle();
      resolve(undefined);
    };
    const settle = (): void => {
      for (const signal of signals) signal?.removeEventListener('abort', onAbort);
    };
    if (signals.some((signal) => signal?.aborted === true)) {
      resolve(undefined);
      return;
    }
    for (const signal of signals) signal?.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(settle);
  });
}
