/** Reads request traces with block hashes, one JSON object per line, gzipped (Mooncake, FAST '25). */
import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';

export interface TracedRequest {
  readonly atMs: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** One number per 512 tokens; equal ones stand for an equal beginning up to there. */
  readonly blocks: readonly number[];
}

export const tokensPerBlock = 512;

export async function readTrace(file: string): Promise<TracedRequest[]> {
  const text = gunzipSync(await readFile(file)).toString('utf8');
  return text
    .trim()
    .split('\n')
    .map((line) => {
      const fields = JSON.parse(line) as {
        timestamp: number;
        input_length: number;
        output_length: number;
        hash_ids: number[];
      };
      return {
        atMs: fields.timestamp,
        inputTokens: fields.input_length,
        outputTokens: fields.output_length,
        blocks: fields.hash_ids,
      };
    });
}
