import { join } from 'node:path';
import { select } from '../../../src/audit/ask.ts';
import { openDatabase } from '../../../src/audit/duckdb.ts';
import { readerOf, TableFile } from '../../../src/audit/table-file.ts';
import { sandboxes } from '../../support/sandbox.ts';

const sandbox = sandboxes();
afterAll(() => sandbox.clean());

it('rows of a table are read back whole, however long one of them is', async () => {
  const file = new TableFile<'quarantine'>(join(sandbox.folder('rows'), 'quarantine.ndjson'));
  // Bytes are more than characters, and both more than the engine takes by itself.
  const reasons = ['short', 'ü'.repeat(17 * 1024 * 1024), ''];
  for (const reason of reasons) file.add({ evidence_key: null, run: null, code: 'x', reason });
  file.close();
  const { connection, close } = await openDatabase();
  try {
    const { rows } = await select(connection, `select length(reason) as n from (${readerOf('quarantine', file)})`);
    expect(rows.map(({ n }) => n)).toEqual(reasons.map(({ length }) => length));
  } finally {
    close();
  }
});
