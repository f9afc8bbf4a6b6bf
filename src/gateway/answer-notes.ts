/** What is learnt of an answer while it is put differently for its client, and where that is written down. */
import type { RepairName } from '../dialects/repairs.ts';
import type { RepairRecord } from '../domain/repair-record.ts';
import type { RequestRecord } from '../store/request-record.ts';

export interface AnswerNotes {
  /** Tokens of the prompt that the engine has read, and all of them. */
  progress(done: number, total: number): void;
  /** Something was put right in the answer. */
  repaired(repair: RepairName): void;
}

export function notesIn(record: RequestRecord): AnswerNotes {
  return {
    progress(done, total) {
      record.promptProgress = { done, total };
    },
    repaired(repair) {
      noteRepair(record, { repair });
    },
  };
}

/** Of the same repair the last one holds. */
export function noteRepair(record: RequestRecord, made: RepairRecord): void {
  record.repairs = [...record.repairs.filter(({ repair }) => repair !== made.repair), made];
}
