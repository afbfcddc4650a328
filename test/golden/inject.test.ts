import { describe, expect, test } from '@jest/globals';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { patchFor } from '@belay/operator/core/inject/patch-for.ts';
import { applyPatch } from './inject/apply-patch.ts';
import { readPods, settings } from './inject/read-pods.ts';

describe('an annotated pod gives the recorded patch (UPDATE_GOLDEN=1 records it anew)', () => {
  test.each(readPods().map(({ name, pod }) => [name, pod] as const))('%s', (name, pod) => {
    const outcome = patchFor(pod, settings);
    const text = `${JSON.stringify(outcome, null, 2)}\n`;
    const golden = join(import.meta.dirname, 'inject', `${name}.json`);
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(golden, text);
    expect(text).toBe(readFileSync(golden, 'utf8'));
    if (outcome.kind === 'patched') expect(patchFor(applyPatch(pod, outcome.patch), settings)).toEqual({ ...outcome, patch: [] });
  });
});
