import { describe, expect, test } from '@jest/globals';
import { readManifests, type JsonObject } from '../manifest/read-manifests.ts';
import { readCases, sameMessage } from '../../test/crds/read-cases.ts';
import { resourceCheckFor } from './check-resource.ts';

const cases = readCases();

describe('says what an API server says', () => {
  test.each(cases.map((one) => [`${one.file}:${one.line} ${one.sentence}`, one] as const))('%s', (_title, { text, expected }) => {
    const { resources, problems } = readManifests([{ name: 'case.yaml', text }]);
    expect(problems).toEqual([]);
    const { kind, value } = resources[0] ?? { kind: '', value: {} as JsonObject };
    const { errors } = resourceCheckFor(kind)(value);
    const found = errors.map(({ path, reason, message }) => ({ path, reason, message }));
    const missing = expected.filter((cause) => !found.some((one) => one.path === cause.path && one.reason === cause.reason && sameMessage(cause.message, one.message)));
    const unexpected = found.filter((one) => !expected.some((cause) => one.path === cause.path && one.reason === cause.reason && sameMessage(cause.message, one.message)));
    expect({ missing, unexpected }).toEqual({ missing: [], unexpected: [] });
  });
});
