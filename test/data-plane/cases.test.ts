import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { caseFiles, casesFolder, readCaseFile, whySkipped, type Case } from '../support/cases/case-file.ts';
import { runCase } from '../support/cases/run-case.ts';

const ownFolder = join(import.meta.dirname, 'cases');

function readCases(folder: string): readonly Case[] {
  try {
    return caseFiles(folder).map(readCaseFile);
  } catch (error) {
    const { message } = error as Error;
    console.error(`Cases of practice that were not asked: ${message}`);
    test.skip(`cases of practice: ${message}`, () => undefined);
    return [];
  }
}

for (const one of [...caseFiles(ownFolder).map(readCaseFile), ...readCases(casesFolder())]) {
  const reason = whySkipped(one);
  if (reason === null) {
    test.concurrent(`${one.id}: ${one.title}`, async () => {
      expect((await runCase(one)).complaints).toEqual([]);
    }, 90_000);
  } else test.skip(`${one.id}: ${reason}`, () => undefined);
}
