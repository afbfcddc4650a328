import { until } from '../belay-process.ts';
import type { Rig } from '../rig.ts';
import type { StandIn } from '../stand-in.ts';

/** Milliseconds from the moment when a client left to the moment when this upstream saw its own caller close. */
export async function closeAfter(standIn: StandIn, leftAtMs: number): Promise<number> {
  await until('the upstream sees the close', () => standIn.requests.at(-1)?.closedByCallerAtMs() != null, 5_000);
  return (standIn.requests.at(-1)?.closedByCallerAtMs() ?? 0) - leftAtMs;
}

/** The same for requests that leave one after the other, each in the way of `leave`. */
export async function closeTimes(rig: Rig, leave: { readonly abortAfterMs?: number; readonly abortAfterEvents?: number }, times: number): Promise<readonly number[]> {
  const all: number[] = [];
  for (let again = 0; again < times; again++) {
    await rig.ask({ stream: true }, leave);
    all.push(await closeAfter(rig.a, performance.now()));
  }
  return all;
}
