/** Limits of a connection that backends, models and peers share word for word; each has its own defaults. */
import { describe, duration } from './values.ts';

export const keepaliveWith = (usual: string) =>
  describe(
    'A connection that has been silent this long is asked by TCP whether its other end still lives; 0 = 15s.',
    duration().prefault(usual),
  );

export const expectContinueWith = (usual: string) =>
  describe(
    'A client that asks before it sends a body (`Expect: 100-continue`) has the server asked, too: longest wait for its word, then the body is sent. 0 = it is sent without asking.',
    duration().prefault(usual),
  );
