import { afterEach } from '@jest/globals';
import { runSidecar, type RunningSidecar } from './running-sidecar.ts';

let running: RunningSidecar | null = null;
afterEach(async () => {
  await running?.close();
  running = null;
});

/** As `runSidecar`; it is closed when the test is over. One a test. */
export async function startSidecar(...given: Parameters<typeof runSidecar>): Promise<RunningSidecar> {
  running = await runSidecar(...given);
  return running;
}
