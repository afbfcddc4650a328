import { describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../manifest/read-manifests.ts';
import { checkMetadata } from './check-metadata.ts';

const check = (metadata: unknown) => checkMetadata({ metadata } as JsonObject).map(({ path, message }) => `${path}: ${message}`);

describe('metadata, in the words of an API server 1.35', () => {
  test.each([
    ['no name', {}, ['metadata.name: Required value: name or generateName is required']],
    ['a name in capitals', { name: 'A' }, [expect.stringMatching(/^metadata.name: Invalid value: "A": a lowercase RFC 1123 subdomain must consist of/)]],
    ['a name that is too long', { name: 'a'.repeat(254) }, [expect.stringMatching(/: must be no more than 253 characters$/)]],
    ['a namespace with a dot', { name: 'a', namespace: 'b.c' }, [expect.stringMatching(/^metadata.namespace: Invalid value: "b.c": a lowercase RFC 1123 label must consist of/)]],
    ['a label key with a space', { name: 'a', labels: { 'a b': 'c' } }, [expect.stringMatching(/^metadata.labels: Invalid value: "a b": name part must consist of/)]],
    ['a label key that is too long', { name: 'a', labels: { ['k'.repeat(64)]: '' } }, [expect.stringMatching(/: name part must be no more than 63 bytes$/)]],
    ['a label key with an empty prefix', { name: 'a', labels: { '/k': '' } }, ['metadata.labels: Invalid value: "/k": prefix part must be non-empty']],
    ['a label key with two slashes', { name: 'a', labels: { 'a/b/c': '' } }, [expect.stringMatching(/^metadata.labels: Invalid value: "a\/b\/c": a valid label key must consist of/)]],
    ['a label value that ends in a dash', { name: 'a', labels: { k: 'v-' } }, [expect.stringMatching(/^metadata.labels: Invalid value: "v-": a valid label must be an empty string or consist of/)]],
    ['a label that YAML made a boolean', { name: 'a', labels: { inject: true } }, ['metadata.labels.inject: must be text: quote it, as "true"']],
    ['an annotation key in capitals', { name: 'a', annotations: { 'Example.com/A': 'anything goes' } }, []],
    ['annotations beyond 256 KiB', { name: 'a', annotations: { a: 'x'.repeat(262_144) } }, ['metadata.annotations: Too long: may not be more than 262144 bytes']],
    ['a name to be generated', { generateName: 'a-' }, ['metadata.name: Required value: what is read from files needs a name of its own; generateName has no effect']],
    ['a word for metadata', 'x', ['metadata: must be an object']],
    ['nothing odd', { name: 'a.b-c', namespace: 'd', labels: { 'app.io/x': 'V_1' }, annotations: null }, []],
  ])('%s', (_title, metadata, expected) => {
    expect(check(metadata)).toEqual(expected);
  });
});
