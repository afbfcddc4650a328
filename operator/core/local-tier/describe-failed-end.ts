import { llamaContainerName, modelFolder } from './local-tier.ts';
import { absent, type LocalTierReadiness } from './local-tier-readiness.ts';
import type { ObservedPod, TerminatedContainer } from './observed.ts';

/**
 * What the end of a llama.cpp server means, by its exit code alone (signals: 128 + n). Code 1 is what it ends with when it cannot load its model: a
 * file that is missing, unreadable or no GGUF (measured).
 */
export function describeFailedEnd(pod: ObservedPod, { exitCode, reason }: TerminatedContainer): LocalTierReadiness {
  const { name, namespace = 'default' } = pod.metadata;
  if (reason === 'OOMKilled') {
    const limit = containerOf(pod)?.resources?.limits?.['memory'];
    const bound = limit === undefined ? 'its node ran out of memory' : `its memory limit is ${limit}`;
    return absent('OOMKilled', `Pod ${name} was killed for want of memory (${bound}): raise spec.local.resources, or lower contextTokens or parallel.`);
  }
  if (exitCode === 1) return absent('ModelMissing', `llama.cpp could not load ${modelOf(pod)}: put the GGUF file there, readable for everybody (pod ${name} ended with exit code 1).`);
  const why = exitCode === 132
    ? 'an instruction that its processor does not have: take an image built for this node'
    : `exit code ${exitCode}: see kubectl logs -n ${namespace} ${name} --previous`;
  return absent('CrashLoop', `The server of pod ${name} ended with ${why}.`);
}

function modelOf(pod: ObservedPod): string {
  const args = containerOf(pod)?.args ?? [];
  const file = (args[args.indexOf('--model') + 1] ?? '').replaceAll('$$', '$');
  const claim = claimOf(pod);
  if (!file.startsWith(`${modelFolder}/`) || claim === undefined) return 'its model';
  return `${file.slice(modelFolder.length + 1)} from PersistentVolumeClaim "${claim}"`;
}

/** The claim that holds its model. */
export function claimOf({ spec }: ObservedPod): string | undefined {
  return spec?.volumes?.flatMap(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName ?? [])[0];
}

function containerOf({ spec }: ObservedPod) {
  return spec?.containers.find(({ name }) => name === llamaContainerName);
}
