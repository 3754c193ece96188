/**
 * Functions that Trino has under other names than DuckDB: with them one SQL text runs on both. `listagg … within group` cannot
 * be had, and `json_value` answers null in DuckDB without a word: queries must not use either (a test looks).
 */
export const MACROS: readonly string[] = [
  'json_extract_scalar(j, p) as json_extract_string(j, p)',
  'regexp_like(s, p) as regexp_matches(s, p)',
  'from_iso8601_timestamp(s) as cast(s as timestamptz)',
  'array_join(a, s) as array_to_string(a, s)',
  'arbitrary(x) as any_value(x)',
];
