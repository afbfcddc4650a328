import type { BelayProcess } from '../../test/support/belay-process.ts';

/** What the demo starts Belay with as LLAMA_API_KEY, so that it may look into the local server too. */
export const demoLocalKey = 'key-of-the-demo';

/** `llamacpp:tokens_predicted_total` of the llama-server that Belay runs; null while it is not there or loads its model. */
export async function readPredictedTokens(belay: BelayProcess): Promise<number | null> {
  const port = belay.lines().findLast(({ event }) => event === 'local-server-started')?.['port'];
  if (port === undefined) return null;
  try {
    const text = await (await fetch(`http://127.0.0.1:${String(port)}/metrics`, { headers: { authorization: `Bearer ${demoLocalKey}` } })).text();
    const found = /^llamacpp:tokens_predicted_total ([0-9.e+]+)$/m.exec(text);
    return found === null ? null : Number(found[1]);
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}
