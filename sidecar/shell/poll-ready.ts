import type { CompiledTarget } from '../core/plan/compiled-table.ts';
import type { Plane } from './plane.ts';

/** How often a target that loads is asked (routing rule 4, Loading). */
const pollMs = 250;

/**
 * Asks a local target's /health until its model has loaded, and tells once; a target that was only at its concurrency
 * cap is ready when a slot is free. The returned function stops it.
 */
export function pollReady(plane: Plane, target: CompiledTarget, onReady: () => void): () => void {
  const { clock } = plane.options;
  let stopped = false;
  let disarm = clock.after(pollMs, ask);
  let hangUp = (): void => undefined;
  function ask(): void {
    hangUp = askHealth(plane, target, (ready) => {
      if (stopped) return;
      if (ready && !isFull(plane, target)) {
        stopped = true;
        onReady();
      } else disarm = clock.after(pollMs, ask);
    });
  }
  return () => {
    stopped = true;
    disarm();
    hangUp();
  };
}

/** At its concurrency cap: another attempt would have to queue. */
export function isFull({ concurrency }: Plane, { provider }: CompiledTarget): boolean {
  return provider.concurrency !== null && concurrency.inFlight(provider.name) >= provider.concurrency;
}

/** One GET /health, or what is known without; `tell` is called once. */
function askHealth(plane: Plane, target: CompiledTarget, tell: (ready: boolean) => void): () => void {
  const nothing = (): void => undefined;
  const endpoint = plane.table.endpointFor(target);
  const isLocal = target.provider.address.startsWith('local:');
  if (!isLocal || endpoint?.state !== 'Ready' || endpoint.url === null) {
    tell(!isLocal);
    return nothing;
  }
  const url = new URL('/health', endpoint.url);
  const { request, agent } = plane.pools.poolFor(url, target.provider);
  let ready = false;
  const asked = request(url, { agent }, (answer) => {
    ready = answer.statusCode === 200;
    answer.resume();
  });
  const disarm = plane.options.clock.after(pollMs, () => asked.destroy());
  asked.on('error', nothing);
  asked.on('close', () => {
    disarm();
    tell(ready);
  });
  asked.end();
  return () => asked.destroy();
}
