/** The limit of a connection that backends, models and peers share word for word; each has its own default. */
import { describe, duration } from './values.ts';

export const keepaliveWith = (usual: string) =>
  describe(
    'A connection that has been silent this long is asked by TCP whether its other end still lives; 0 = 15s.',
    duration().prefault(usual),
  );
