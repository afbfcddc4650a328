import type { CompiledTarget } from '../core/plan/compiled-table.ts';
import type { Plane } from './plane.ts';

/** How often a target that loads is asked (routing rule 4, Loading). */
const pollMs = 250;

/**
 * Asks a local target's /health until its model has loaded, then waits in line for a slot, where the provider has a
 * concurrency cap: first come first served with all other requests. Tells once, with the function that gives the slot
 * back. The returned function stops it.
 */
export function pollReady(plane: Plane, target: CompiledTarget, onReady: (leaveSlot: () => void) => void): () => void {
  const { clock } = plane.options;
  let stopped = false;
  let leaveLine = (): void => undefined;
  let disarm = clock.after(pollMs, ask);
  let hangUp = (): void => undefined;
  function ask(): void {
    hangUp = askHealth(plane, target, (ready) => {
      if (stopped) return;
      if (ready) leaveLine = takeSlot(plane, target, onReady);
      else disarm = clock.after(pollMs, ask);
    });
  }
  return () => {
    stopped = true;
    disarm();
    hangUp();
    leaveLine();
  };
}

/** The returned function leaves the line; once the slot is taken, it is `onTaken`'s. */
function takeSlot({ concurrency }: Plane, { provider }: CompiledTarget, onTaken: (leaveSlot: () => void) => void): () => void {
  let leave: (() => void) | null = null;
  let taken = false;
  const entered = concurrency.enter(provider.name, provider.concurrency, () => {
    taken = true;
    if (leave !== null) onTaken(leave);
  });
  leave = entered;
  if (taken) onTaken(entered);
  return () => { if (!taken) entered(); };
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
