import { describe, expect, test } from '@jest/globals';
import type { ResourceOverrides } from './parse-injection.ts';
import type { PodSpec, Resources } from './pod.ts';
import { heapMebibytes, sidecarResources, spelledAs } from './sidecar-resources.ts';

const none: ResourceOverrides = { cpu: null, memory: null, cpuLimit: null, memoryLimit: null };
const full = { limits: { cpu: '1', memory: '1Gi' } };

describe('the sidecar of', () => {
  test.each<[string, readonly Resources[], Partial<ResourceOverrides>, Resources]>([
    ['a pod without resources has requests and a memory limit, and no CPU limit', [{}], {}, { requests: { cpu: '50m', memory: '96Mi' }, limits: { memory: '256Mi' } }],
    ['a pod where one container has no CPU limit has none', [full, { limits: { memory: '1Gi' } }], {}, { requests: { cpu: '50m', memory: '96Mi' }, limits: { memory: '256Mi' } }],
    ['a pod where every container has a CPU limit has one', [full, { limits: { cpu: 2 } }], {}, { requests: { cpu: '50m', memory: '96Mi' }, limits: { cpu: '500m', memory: '256Mi' } }],
    ['a Guaranteed pod has limits equal to requests', [full, { limits: full.limits, requests: { cpu: '1000m', memory: '1024Mi' } }], {}, { requests: { cpu: '500m', memory: '256Mi' }, limits: { cpu: '500m', memory: '256Mi' } }],
    ['a Guaranteed pod keeps that where a request is annotated', [full], { cpu: '2', memory: '1Gi' }, { requests: { cpu: '2', memory: '1Gi' }, limits: { cpu: '2', memory: '1Gi' } }],
    ['a Guaranteed pod keeps that where a limit is annotated', [full], { cpuLimit: '2', memoryLimit: '1Gi' }, { requests: { cpu: '2', memory: '1Gi' }, limits: { cpu: '2', memory: '1Gi' } }],
    ['a pod whose requests are below its limits is not Guaranteed', [{ limits: full.limits, requests: { cpu: '100m' } }], {}, { requests: { cpu: '50m', memory: '96Mi' }, limits: { cpu: '500m', memory: '256Mi' } }],
    ['a pod whose limits are zero is not Guaranteed', [{ limits: { cpu: '0', memory: '1Gi' } }], {}, { requests: { cpu: '50m', memory: '96Mi' }, limits: { cpu: '500m', memory: '256Mi' } }],
    ['a pod with an annotated request above the default limit gets that limit', [{ limits: { cpu: '1' } }], { cpu: '1', memory: '1Gi' }, { requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '1', memory: '1Gi' } }],
    ['a pod with an annotated limit below the default request gets that request', [{}], { cpuLimit: '20m', memoryLimit: '64Mi' }, { requests: { cpu: '20m', memory: '64Mi' }, limits: { cpu: '20m', memory: '64Mi' } }],
  ])('%s', (_, containers, overrides, expected) => {
    expect(resourcesBeside({}, containers, overrides)).toEqual(expected);
  });

  test.each<[string, PodSpec['resources'], Partial<ResourceOverrides>, Resources]>([
    ['resources of its own has none', { limits: { memory: '2Gi' } }, {}, {}],
    ['resources of its own has what annotations say', { requests: { cpu: '1' } }, { memory: '128Mi' }, { requests: { memory: '128Mi' } }],
    ['empty resources of its own is like any other', { requests: {} }, {}, { requests: { cpu: '50m', memory: '96Mi' }, limits: { memory: '256Mi' } }],
  ])('a pod with %s', (_, ofPod, overrides, expected) => {
    expect(resourcesBeside({ ...(ofPod === undefined ? {} : { resources: ofPod }) }, [{}], overrides)).toEqual(expected);
  });
});

test.each<[string, Resources, number]>([
  ['half of the memory limit', { limits: { memory: '1Gi' } }, 512],
  ['half of the default limit without one', {}, 128],
  ['in whole mebibytes', { limits: { memory: '100M' } }, 47],
])('the heap is %s', (_, resources, mebibytes) => {
  expect(heapMebibytes(resources)).toBe(mebibytes);
});

test('a quantity that only the API server spells otherwise is left as it stands', () => {
  expect(spelledAs({ limits: { cpu: '500m', memory: '1Gi' } }, { requests: { cpu: '1' }, limits: { cpu: '0.5', memory: '2Gi' } })).toEqual({ requests: { cpu: '1' }, limits: { cpu: '500m', memory: '2Gi' } });
});

function resourcesBeside(spec: Partial<PodSpec>, containers: readonly Resources[], overrides: Partial<ResourceOverrides>): Resources {
  const named = containers.map((resources, index) => ({ name: `c${index}`, resources }));
  return sidecarResources({ ...spec, containers: named }, named, { ...none, ...overrides });
}
