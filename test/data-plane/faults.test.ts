import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { faultScenarios } from '../support/faults/fault-scenarios.ts';
import { cellsOf, createFaultBench, type FaultBench } from '../support/faults/run-faults.ts';

jest.setTimeout(60_000);

const cells = cellsOf(faultScenarios);
let bench: FaultBench;

beforeAll(async () => {
  bench = await createFaultBench(cells);
});
afterAll(async () => {
  await bench?.close();
});

describe.each(['Sequential', 'Race'] as const)('%s: the first target fails, and the application gets what it should', (mode) => {
  for (const cell of cells.filter((one) => one.mode === mode)) {
    test(`${cell.scenario.name}, ${cell.stream ? 'streamed' : 'unary'}`, async () => {
      expect((await bench.ask(cell)).complaints).toEqual([]);
    });
  }
});
