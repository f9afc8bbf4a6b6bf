/** How it is told that a request or an answer was put right: one word each, and a number where there is one to tell. */

export interface RepairRecord {
  /** A key of `repairs` in the configuration, or what was wrong with the answer (src/dialects/repairs.ts). */
  readonly repair: string;
  /** trimContext: how many went. */
  readonly messages?: number;
}

/** `trimContext(12)` */
export function repairText({ repair, messages }: RepairRecord): string {
  return messages === undefined ? repair : `${repair}(${messages})`;
}
