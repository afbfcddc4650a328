import { parsed, refused, type Parsed } from '@belay/contract';
import type { InjectionOutcome } from '../../core/inject/patch-for.ts';
import type { Pod } from '../../core/inject/pod.ts';

/** What the webhook reads of an AdmissionReview (admission.k8s.io/v1). */
export interface ReviewedPod {
  readonly uid: string;
  readonly namespace: string;
  /** Of a pod that a controller makes: the beginning of it. */
  readonly name: string;
  /** Null: the review is of something that injection has nothing to do with. */
  readonly pod: Pod | null;
}

const apiVersion = 'admission.k8s.io/v1';
const kind = 'AdmissionReview';

/** Reads the body of a webhook call (Kubernetes documentation, "Dynamic Admission Control"). */
export function parseReview(body: unknown): Parsed<ReviewedPod> {
  if (!isRecord(body) || body['kind'] !== kind || body['apiVersion'] !== apiVersion) return refused('', `the body must be an ${kind} of ${apiVersion}`);
  const request = recordOf(body['request']);
  const uid = textOf(request['uid']);
  if (uid === '') return refused('request.uid', `must be a text: an ${kind} without it cannot be answered`);
  const about = { uid, namespace: textOf(request['namespace']) };
  if (!isCreationOfPod(request)) return parsed({ ...about, name: textOf(request['name']), pod: null });
  const object = recordOf(request['object']);
  const { metadata, spec } = object;
  if (!isRecord(metadata) || !isRecord(spec)) return refused('request.object', 'must be a pod with metadata and spec');
  // A pod without containers comes as null, and is refused by the API server afterwards in its own words.
  const pod = { ...object, metadata, spec: { ...spec, containers: spec['containers'] ?? [] } } as unknown as Pod;
  const name = [request['name'], metadata['name'], metadata['generateName']].map(textOf).find((text) => text !== '') ?? '';
  return parsed({ ...about, name, pod });
}

function isCreationOfPod(request: Readonly<Record<string, unknown>>): boolean {
  const { group, resource } = recordOf(request['resource']);
  return request['operation'] === 'CREATE' && textOf(group) === '' && resource === 'pods' && textOf(request['subResource']) === '';
}

/** The answer, `uid` echoed. A denial is an answer like any other, with a status for whoever asked. */
export function reviewResponse(uid: string, outcome: InjectionOutcome): object {
  return { apiVersion, kind, response: { uid, ...verdict(outcome) } };
}

function verdict(outcome: InjectionOutcome): object {
  switch (outcome.kind) {
    case 'denied':
      return { allowed: false, status: { status: 'Failure', code: 403, reason: 'Forbidden', message: outcome.message } };
    case 'skipped':
      return { allowed: true };
    case 'patched':
      return {
        allowed: true,
        ...(outcome.patch.length === 0 ? {} : { patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(outcome.patch)).toString('base64') }),
        ...(outcome.notices.length === 0 ? {} : { warnings: outcome.notices }),
      };
  }
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return isRecord(value) ? value : {};
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
