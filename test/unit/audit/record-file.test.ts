import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RecordFile } from '../../../src/audit/record-file.ts';
import { type RecordInput, signRecord } from '../../../src/evidence/record.ts';
import { sandboxes } from '../../support/sandbox.ts';
import { keys, placeOfStep, sampleInput, sampleRun } from '../evidence/sample-ledger.ts';

const sandbox = sandboxes();
afterAll(() => sandbox.clean());

async function record(more: Partial<RecordInput> = {}) {
  const input = sampleInput('test.completed', sampleRun('1'), more);
  return (await signRecord(input, placeOfStep(1, 'test'), { signer: keys.emit, role: 'emit' })).record;
}

async function keep() {
  const path = join(sandbox.folder('records'), 'records');
  const file = new RecordFile(path);
  const kept = { a: await record(), b: await record({ data: { text: 'ü \u2028 "\\', deep: [[{ n: -1 }]] } }) };
  for (const [key, each] of Object.entries(kept)) file.add(key, each);
  return { path, file, kept };
}

describe('records in a file', () => {
  it('come back in any order as they were', async () => {
    const { file, kept } = await keep();
    expect(file.read('b')).toEqual(kept.b);
    expect(file.read('a')).toEqual(kept.a);
    expect(file.read('b')).toEqual(kept.b);
    file.close();
  });

  it.each<[string, (path: string) => string, RegExp]>([
    ['are not there', () => 'c', /does not hold record c as it was verified/],
    [
      'were changed in the file',
      (path) => {
        writeFileSync(path, Buffer.alloc(1, ' '), { flag: 'r+' });
        return 'a';
      },
      /does not hold record a as it was verified/,
    ],
    [
      'were cut off',
      (path) => {
        writeFileSync(path, '');
        return 'b';
      },
      /does not hold record b as it was verified/,
    ],
  ])('are refused when they %s', async (_, harm, message) => {
    const { path, file } = await keep();
    const key = harm(path);
    expect(() => file.read(key)).toThrow(message);
    file.close();
  });
});
