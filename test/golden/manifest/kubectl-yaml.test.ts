import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { splitDocuments } from '@belay/cli/manifest/manifest-text.ts';
import { readTree, type Json } from '@belay/cli/manifest/yaml-tree.ts';

interface Outcome {
  readonly documents?: readonly Json[];
  readonly refused?: string | true;
}
interface Case {
  readonly text: string;
  readonly kubectl: Outcome;
  readonly belay?: Outcome & { readonly because: string };
}

const cases = JSON.parse(readFileSync(new URL('./kubectl-yaml.json', import.meta.url), 'utf8')) as Record<string, Case>;

function read(text: string): { readonly documents: readonly Json[]; readonly refused: boolean } {
  const { parts, fault } = splitDocuments(text);
  const trees = parts.map((part) => readTree(part, () => 0));
  const refused = fault !== null || trees.some((tree) => tree.faults.some((one) => one.severity === 'error'));
  return { documents: trees.map((tree) => tree.value).filter((value) => value !== null), refused };
}

describe('a manifest means what kubectl would make of it', () => {
  test.each(Object.entries(cases))('%s', (_name, { text, kubectl, belay }) => {
    const expected = belay ?? kubectl;
    const found = read(text);
    expect(found.refused).toBe(expected.refused !== undefined);
    if (expected.documents !== undefined) expect(found.documents).toEqual(expected.documents);
  });

  test('every difference from kubectl says why it is there', () => {
    for (const { belay } of Object.values(cases)) if (belay !== undefined) expect(belay.because).toMatch(/\w+ \w+ \w+/);
  });
});
