import type { Decision } from '@belay/contract';

/** The record of one request, as `/belay/decisions` shows it. */
export type ShownDecision = Decision & { readonly sentence: string };

/** The decision of one answer, by its id; null where the answer carries none. Waits until the record is kept. */
export async function readDecision(origin: string, headers: { readonly [name: string]: string }, limitMs = 2_000): Promise<ShownDecision | null> {
  const id = headers['x-belay-request-id'];
  if (id === undefined) return null;
  const limit = Date.now() + limitMs;
  for (;;) {
    const answer = await fetch(`${origin}/belay/decisions?id=${encodeURIComponent(id)}`);
    if (answer.ok) return (await answer.json()) as ShownDecision;
    await answer.body?.cancel();
    if (Date.now() > limit) return null;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
