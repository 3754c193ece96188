import type * as z from '../lib/zod.ts';
import { auditIndex } from './audit-index.ts';
import { collected } from './collected.ts';
import { contractFile } from './contract-file.ts';
import { decision } from './decision.ts';
import { facts } from './facts.ts';
import { platformFile } from './platform-file.ts';
import { receipt } from './receipt.ts';
import { record, recordStatement } from './record.ts';
import { register } from './register.ts';
import { runFile } from './run.ts';
import { scanReport, scanSidecar } from './scan-report.ts';
import { trust } from './trust.ts';

/** Every document that people or other programs read: a JSON Schema is generated from each. */
export const documents: Record<string, z.ZodMiniType> = {
  'audit-index': auditIndex,
  collected,
  contract: contractFile,
  decision,
  facts,
  platform: platformFile,
  receipt,
  record,
  'record-statement': recordStatement,
  register,
  run: runFile,
  'scan-report': scanReport,
  'scan-sidecar': scanSidecar,
  trust,
};
