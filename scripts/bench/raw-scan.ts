/**
 * The least that SQL on the raw store must do for any of the auditor's questions: read every seal, decode every record, keep
 * those of one type. It verifies nothing.
 *
 *   node scripts/bench/raw-scan.ts STORE
 */
import { openDatabase } from '../../src/audit/duckdb.ts';

const { connection, close } = await openDatabase();
const result = await connection.runAndReadAll(`select count(*) as n from (
  select json_extract_string(decode(from_base64(json_extract_string(line, '$.dsseEnvelope.payload'))), '$.predicate.type') as type
  from (select unnest(string_split(content, chr(10))) as line from read_text('${process.argv[2]}/v1/seals/**/*.ndjson')) where line <> ''
) where type = 'deploy.outcome'`);
console.log(String(result.getRows()[0]?.[0]));
close();
