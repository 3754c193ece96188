/**
 * The tables of the index. Flat, so that one SQL text runs on DuckDB and on Trino; integers and UTC times only. In every table
 * `evidence_key` is the object in the store that the row was read from, which `audit prove` fetches again.
 */
export type ColumnType = 'varchar' | 'bigint' | 'boolean' | 'timestamp';
export type Value = string | number | boolean | null;
export type Row<T extends TableName> = { [column in keyof (typeof tables)[T]]: Value };

/** What stands in every row that speaks for a record. */
const record = {
  evidence_key: 'varchar',
  /** The time that the record claims. */
  time: 'timestamp',
  run: 'varchar',
  environment: 'varchar',
  /** Verified, but the ledger contradicts it: another record claims its slot, or the run was sealed without it. */
  contested: 'boolean',
  /** Codes of all ledger findings about this object. */
  remarks: 'varchar',
} as const;

export const tables = {
  /** Every record that verified, also of types that nothing here knows. */
  events: {
    ...record,
    version_id: 'varchar',
    digest: 'varchar',
    leaf_index: 'bigint',
    stored_at: 'timestamp',
    sealed: 'boolean',
    id: 'varchar',
    type: 'varchar',
    signer: 'varchar',
    role: 'varchar',
    platform: 'varchar',
    host: 'varchar',
    repository: 'varchar',
    repository_id: 'varchar',
    run_id: 'varchar',
    attempt: 'bigint',
    job: 'varchar',
    ref: 'varchar',
    commit_id: 'varchar',
    actor: 'varchar',
    triggered_by: 'varchar',
    outcome: 'varchar',
    op_id: 'varchar',
    subject_name: 'varchar',
    subject_digest: 'varchar',
    change_ticket: 'varchar',
    data: 'varchar',
  },
  /** What a record is about, one row each. */
  subjects: { evidence_key: 'varchar', kind: 'varchar', name: 'varchar', digest: 'varchar' },
  /** One row for each outcome of a deploy, and one with outcome `unknown` for each intent that has none. */
  deploys: {
    ...record,
    deploy_id: 'varchar',
    outcome: 'varchar',
    repository: 'varchar',
    image: 'varchar',
    digest: 'varchar',
    target: 'varchar',
    /** Who started the run: as the platform says, and the person whom the register says that is. */
    identity: 'varchar',
    person: 'varchar',
    /** People who approved and had no part in the change, by the facts of the decision. */
    approved_by: 'varchar',
    decision_id: 'varchar',
    decision_key: 'varchar',
    intent_key: 'varchar',
    change_ticket: 'varchar',
    reason: 'varchar',
  },
  decisions: {
    ...record,
    decision_id: 'varchar',
    stage: 'varchar',
    outcome: 'varchar',
    image: 'varchar',
    digest: 'varchar',
    target: 'varchar',
    person: 'varchar',
    contract_digest: 'varchar',
    policy_digest: 'varchar',
    facts_digest: 'varchar',
  },
  /** Each rule of each decision, and each reason of a refused deploy. */
  reasons: {
    evidence_key: 'varchar',
    decision_id: 'varchar',
    rule: 'varchar',
    outcome: 'varchar',
    message: 'varchar',
    fix: 'varchar',
    controls: 'varchar',
  },
  /** Who had which part in the change that a decision is about. */
  people: { evidence_key: 'varchar', decision_id: 'varchar', person: 'varchar', part: 'varchar' },
  /** Each approval as the platform said it, and what the decision that took it knew: entitlement, and a part in the change. */
  approvals: {
    ...record,
    approved_at: 'timestamp',
    person: 'varchar',
    identity: 'varchar',
    state: 'varchar',
    strength: 'varchar',
    bound_digest: 'varchar',
    decision_id: 'varchar',
    entitled_group: 'varchar',
    entitled: 'boolean',
    own_change: 'boolean',
  },
  /** Reviews of the change, as the platform said them. */
  reviews: {
    ...record,
    reviewed_at: 'timestamp',
    person: 'varchar',
    identity: 'varchar',
    state: 'varchar',
  },
  scans: {
    ...record,
    tool: 'varchar',
    version: 'varchar',
    covers: 'varchar',
    status: 'varchar',
    digest: 'varchar',
    importer: 'varchar',
    report_digest: 'varchar',
    critical: 'bigint',
    high: 'bigint',
    medium: 'bigint',
    low: 'bigint',
    suppressed: 'bigint',
  },
  /** Findings of scanners, from reports whose bytes are those that the record names. */
  findings: {
    evidence_key: 'varchar',
    run: 'varchar',
    digest: 'varchar',
    tool: 'varchar',
    category: 'varchar',
    rule: 'varchar',
    title: 'varchar',
    severity: 'varchar',
    package: 'varchar',
    version: 'varchar',
    fixed_version: 'varchar',
    path: 'varchar',
    line: 'bigint',
    cve: 'varchar',
    fingerprint: 'varchar',
    suppressed: 'boolean',
  },
  /** Which SBOM says what is in an image. `readable` is false when its bytes are not those that the record names. */
  sboms: {
    ...record,
    image: 'varchar',
    digest: 'varchar',
    sbom_digest: 'varchar',
    format: 'varchar',
    components: 'bigint',
    readable: 'boolean',
  },
  /** Contents of each SBOM, once for each digest of an SBOM. */
  components: {
    evidence_key: 'varchar',
    sbom_digest: 'varchar',
    type: 'varchar',
    name: 'varchar',
    version: 'varchar',
    purl: 'varchar',
  },
  /** Each check of a cluster: one row for each difference, or one with nulls when there was none. */
  drift: {
    ...record,
    workloads: 'bigint',
    target: 'varchar',
    running: 'varchar',
    approved: 'varchar',
    reason: 'varchar',
  },
  runs: {
    evidence_key: 'varchar',
    run: 'varchar',
    repository: 'varchar',
    environment: 'varchar',
    attempts: 'bigint',
    records: 'bigint',
    opened_at: 'timestamp',
    sealed_at: 'timestamp',
    outcome: 'varchar',
    required: 'varchar',
    remarks: 'varchar',
  },
  /** What `ledger verify` finds, about objects and about what should be there and is not. */
  store_findings: { evidence_key: 'varchar', run: 'varchar', code: 'varchar', detail: 'varchar', meaning: 'varchar' },
  /** What lies in the store and is no fact, with the reason. */
  quarantine: { evidence_key: 'varchar', run: 'varchar', code: 'varchar', reason: 'varchar' },
} as const satisfies { [table: string]: { [column: string]: ColumnType } };

export type TableName = keyof typeof tables;
export const tableNames = Object.keys(tables) as TableName[];
