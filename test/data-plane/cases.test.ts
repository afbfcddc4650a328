import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { caseFiles, casesFolder, readCaseFile, whySkipped, type Case } from '../support/cases/case-file.ts';
import { runCase } from '../support/cases/run-case.ts';

function sharedCases(): readonly Case[] | string {
  try {
    return caseFiles(casesFolder()).map(readCaseFile);
  } catch (error) {
    return (error as Error).message;
  }
}

function ask(one: Case): void {
  const reason = whySkipped(one);
  if (reason !== null) return test.skip(`${one.id}: ${reason}`, () => undefined);
  test.concurrent(`${one.id}: ${one.title}`, async () => {
    expect((await runCase(one)).complaints).toEqual([]);
  }, 90_000);
}

const shared = sharedCases();
if (typeof shared === 'string') {
  console.error(`No case of practice was asked: ${shared}`);
  test.skip(`cases of practice: ${shared}`, () => undefined);
} else shared.forEach(ask);

/** The project's own: one for each kind of fault that users of gateways report. */
caseFiles(join(import.meta.dirname, 'cases')).map(readCaseFile).forEach(ask);
