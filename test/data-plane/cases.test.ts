import { expect, test } from '@jest/globals';
import { caseFiles, casesFolder, readCaseFile, whySkipped, type Case } from '../support/cases/case-file.ts';
import { runCase } from '../support/cases/run-case.ts';

const folder = casesFolder();

function readCases(): readonly Case[] | string {
  try {
    return caseFiles(folder).map(readCaseFile);
  } catch (error) {
    return (error as Error).message;
  }
}

const cases = readCases();
if (typeof cases === 'string') {
  console.error(`No case of practice was asked: ${cases}`);
  test.skip(`cases of practice: ${cases}`, () => undefined);
} else {
  for (const one of cases) {
    const reason = whySkipped(one);
    if (reason === null) {
      test.concurrent(`${one.id}: ${one.title}`, async () => {
        expect((await runCase(one)).complaints).toEqual([]);
      }, 90_000);
    } else test.skip(`${one.id}: ${reason}`, () => undefined);
  }
}
