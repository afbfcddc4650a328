import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import type { JsonObject } from '@belay/cli/manifest/read-manifests.ts';
import { resourceCheckFor } from '@belay/cli/validate/check-resource.ts';
import { createKubernetesAPI, type KubernetesAPI } from './kubernetes-api.ts';
import { manifestsOf } from './manifest-arbitrary.ts';
import { mutatedManifests } from './mutated-manifest.ts';
import { readCases, sameMessage, type ExpectedCause, type ManifestCase } from './read-cases.ts';

const folder = join(import.meta.dirname, '../../crds');
const crds = ['fallbackchains.yaml', 'modelproviders.yaml'].map((file) => parse(readFileSync(join(folder, file), 'utf8')) as Crd);

interface Crd { readonly metadata: { readonly name: string }; readonly spec: { readonly names: { readonly kind: string; readonly plural: string } } }
interface PrintedTable { readonly columnDefinitions: readonly { readonly name: string }[]; readonly rows: readonly { readonly cells: readonly unknown[] }[] }
interface Answer { readonly message?: string; readonly details?: { readonly causes?: readonly { readonly field?: string; readonly reason: string; readonly message: string }[] } }

let api: KubernetesAPI;
let stop = (): Promise<void> => Promise.resolve();

beforeAll(async () => {
  api = createKubernetesAPI(await kubeconfig());
  for (const crd of crds) await establish(crd);
}, 900_000);

afterAll(async () => {
  api.close();
  await stop();
});

describe('a real API server judges each example', () => {
  test.each(readCases().map((example) => [`${example.file}:${example.line} ${example.sentence}`, example] as const))('%s', async (_, example) => {
    const { status, body } = await api.send('POST', `${collection(example.manifest)}?dryRun=All&fieldValidation=Strict`, { body: example.manifest });
    expect({ status, causes: difference(example.expected, causesOf(body as Answer)) }).toEqual({
      status: example.valid ? 201 : expect.any(Number),
      causes: { missing: [], unexpected: [] },
    });
    if (!example.valid) expect(status).toBeGreaterThanOrEqual(400);
  });
});

test.each(crds.map(({ spec }) => [spec.names.kind] as const))('no rule of %s fails to evaluate, whatever stands in the fields', async (kind) => {
  await fc.assert(fc.asyncProperty(manifestsOf(kind, ['any']), async ({ metadata, spec }) => {
    const manifest = { apiVersion: 'belay.dev/v1alpha1', kind, metadata: { name: metadata.name }, spec };
    const { status, body } = await api.send('POST', `${collection(manifest)}?dryRun=All`, { body: manifest });
    expect([201, 422]).toContain(status);
    expect(causesOf(body as Answer).filter(({ message }) => message.includes('rule:'))).toEqual([]);
  }), { numRuns: 300 });
}, 60_000);

test.each(exampleManifests())('the example %s is taken without a word', async (_, manifest) => {
  const { status, body } = await api.send('POST', `${collection(manifest)}?dryRun=All&fieldValidation=Strict`, { body: manifest });
  expect({ status, message: (body as Answer).message }).toEqual({ status: 201, message: undefined });
});

test('belay validate says of spoiled examples what the API server says', async () => {
  await fc.assert(fc.asyncProperty(mutatedManifests(readCases().map(({ manifest }) => manifest)), async (manifest) => {
    const { status, body } = await api.send('POST', `${collection(manifest)}?dryRun=All&fieldValidation=Strict`, { body: manifest });
    const said = status < 300 ? [] : causesOf(body as Answer);
    const { errors } = resourceCheckFor(String(manifest['kind']))(manifest as JsonObject);
    // Strict decoding stops an API server at unknown fields; the command line goes on.
    const unknown = errors.filter(({ reason }) => reason === 'UnknownField');
    const ours = (unknown.length > 0 ? unknown : errors).map(({ path, reason, message }) => ({ path, reason, message }));
    expect(difference(said, ours)).toEqual({ missing: [], unexpected: [] });
    expect(status >= 300).toBe(errors.length > 0);
  }), { numRuns: 400 });
}, 60_000);

test('a new resource is Ready=Unknown, Pending, and has every default', async () => {
  const name = 'defaults';
  const spec = { race: {}, targets: [{ providerRef: { name: 'openai' }, model: 'gpt-4o' }] };
  const path = '/apis/belay.dev/v1alpha1/namespaces/default/fallbackchains';
  await api.send('DELETE', `${path}/${name}`);
  await api.send('POST', path, { body: { apiVersion: 'belay.dev/v1alpha1', kind: 'FallbackChain', metadata: { name }, spec } });
  const { body } = await api.send('GET', `${path}/${name}`);
  await api.send('DELETE', `${path}/${name}`);
  expect(body).toMatchObject({
    spec: {
      fallbackMode: 'Sequential', deadline: '10m', retries: 1, egress: 'Any',
      race: { prefer: 'Primary', hedgeDelay: 'Auto', extraRequests: '5%' },
      targets: [{ providerRef: { name: 'openai' }, model: 'gpt-4o' }],
    },
    status: { conditions: [{ type: 'Ready', status: 'Unknown', reason: 'Pending' }] },
  });
});

test('what one tool created, another one applies server-side as it is, without a conflict', async () => {
  const path = '/apis/belay.dev/v1alpha1/namespaces/default/fallbackchains';
  const manifest = { apiVersion: 'belay.dev/v1alpha1', kind: 'FallbackChain', metadata: { name: 'handed-over' }, spec: { targets: [{ providerRef: { name: 'openai' }, model: 'gpt-4o' }] } };
  await api.send('POST', `${path}?fieldManager=kubectl-client-side-apply`, { body: manifest });
  const applied = await api.send('PATCH', `${path}/handed-over?fieldManager=argocd-controller`, { body: manifest, contentType: 'application/apply-patch+yaml' });
  await api.send('DELETE', `${path}/handed-over`);
  expect(applied).toMatchObject({ status: 200 });
});

test.each([
  ['fallbackchains', { fallbackMode: 'Race', targets: [{ providerRef: { name: 'openai' }, model: 'gpt-4o' }] }, 'FallbackChain',
    { serving: 'openai', sidecars: { connected: 3, current: 3, rejected: 0, lastError: '' }, conditions: [condition('True')] }, ['Name', 'Serving', 'Ready', 'Sidecars', 'Age', 'Mode', 'Targets'], ['printed', 'openai', 'True', 3, expect.any(String), 'Race']],
  ['modelproviders', { preset: 'Groq' }, 'ModelProvider', { conditions: [condition('False')] }, ['Name', 'Preset', 'Ready', 'Reason', 'Age', 'Base-URL', 'Suspended', 'Message'], ['printed', 'Groq', 'False', 'Test', expect.any(String)]],
])('kubectl get %s prints what an operator reads first', async (plural, spec, kind, status, columns, cells) => {
  const path = `/apis/belay.dev/v1alpha1/namespaces/default/${plural}`;
  await api.send('DELETE', `${path}/printed`);
  await api.send('POST', path, { body: { apiVersion: 'belay.dev/v1alpha1', kind, metadata: { name: 'printed' }, spec } });
  const written = await api.send('PATCH', `${path}/printed/status`, { body: { status }, contentType: 'application/merge-patch+json' });
  const { body } = await api.send('GET', `${path}/printed`, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' });
  await api.send('DELETE', `${path}/printed`);
  const { columnDefinitions, rows } = body as PrintedTable;
  expect(written.status).toBe(200);
  expect(columnDefinitions.map(({ name }) => name)).toEqual(columns);
  expect(rows[0]?.cells.slice(0, cells.length)).toEqual(cells);
});

async function kubeconfig(): Promise<string> {
  const given = process.env['BELAY_TEST_KUBECONFIG'];
  if (given !== undefined) return given;
  const { startApiServer } = (await import('../../scripts/kubernetes/with-api-server.ts')) as { startApiServer: () => Promise<{ kubeconfig: string; close: () => Promise<void> }> };
  const server = await startApiServer();
  stop = () => server.close();
  return server.kubeconfig;
}

/** Applies a CRD and waits until its endpoint answers. */
async function establish(crd: Crd): Promise<void> {
  const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${crd.metadata.name}`;
  const { status, body } = await api.send('PATCH', `${path}?fieldManager=test&force=true`, { body: crd, contentType: 'application/apply-patch+yaml' });
  if (status > 201) throw new Error(`${crd.metadata.name}: ${(body as Answer).message}`);
  for (let tries = 0; tries < 200; tries += 1) {
    const { body: probe } = await api.send('GET', path);
    const { status: answered } = await api.send('GET', `/apis/belay.dev/v1alpha1/namespaces/default/${crd.spec.names.plural}`);
    if (answered === 200 && established(probe)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${crd.metadata.name} was not established within 10 s`);
}

function established(crd: unknown): boolean {
  const { status } = crd as { status?: { conditions?: readonly { type: string; status: string }[] } };
  return status?.conditions?.some(({ type, status: value }) => type === 'Established' && value === 'True') ?? false;
}

function collection(manifest: ManifestCase['manifest']): string {
  const plural = crds.find(({ spec }) => spec.names.kind === manifest['kind'])?.spec.names.plural;
  return `/apis/belay.dev/v1alpha1/namespaces/default/${plural}`;
}

/** Every document of Belay's kinds below examples/, named by its file, kind and name. */
function exampleManifests(): readonly (readonly [string, ManifestCase['manifest']])[] {
  const examples = join(import.meta.dirname, '../../examples');
  return readdirSync(examples, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.yaml')).sort().flatMap((file) =>
    parseAllDocuments(readFileSync(join(examples, file), 'utf8')).map((document) => document.toJS() as { readonly kind: string; readonly metadata: { readonly name: string } })
      .filter(({ kind }) => crds.some(({ spec }) => spec.names.kind === kind))
      .map((manifest) => [`${file} ${manifest.kind} ${manifest.metadata.name}`, manifest] as const));
}

/** What the API server found, but for its remark that it stopped looking after errors of form. */
function causesOf({ message = '', details }: Answer): readonly ExpectedCause[] {
  const causes = (details?.causes ?? []).map(({ field = '', reason, message: text }) => ({ path: field, reason, message: text }));
  const unknown = [...message.matchAll(/unknown field "([^"]+)"/g)].map(([text, path = '']) => ({ path, reason: 'UnknownField', message: text }));
  return [...causes, ...unknown].filter(({ message: text }) => !text.includes('some validation rules were not checked'));
}

function difference(expected: readonly ExpectedCause[], actual: readonly ExpectedCause[]) {
  const same = (a: ExpectedCause, b: ExpectedCause) => a.path === b.path && a.reason === b.reason && sameMessage(a.message, b.message);
  return {
    missing: expected.filter((cause) => !actual.some((found) => same(cause, found))),
    unexpected: actual.filter((found) => !expected.some((cause) => same(cause, found))),
  };
}

function condition(status: string) {
  return { type: 'Ready', status, reason: 'Test', message: '', lastTransitionTime: '2026-11-24T00:00:00Z' };
}
