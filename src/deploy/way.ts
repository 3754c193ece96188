/** What is to be there, worked out while nothing is changed yet. */
export interface Plan {
  /** Of what is to be there: the committed file (GitOps), or the workload’s pod template as the cluster stores it. */
  manifestDigest: string;
  /** Of the image that is there now, or null where there is none by digest. */
  previousDigest: string | null;
  /** More about where it is to be, for the records. */
  where?: { [name: string]: unknown };
}

/** What was read back. */
export interface Observed {
  /** As `manifestDigest`, of what is there. null where nothing is. */
  observedDigest: string | null;
  /** What else is not as it was decided, for people. Empty, and the digests equal, or the deploy has failed. */
  differences: string[];
  /** More about what is there, for the record and the answer. */
  about: { [name: string]: unknown };
}

/** For what keeps a note of who changed it, such as a commit. */
export interface Note {
  title: string;
  decisionId: string;
  deployId: string;
}

/**
 * One way of deploying. The decision is used up and the intent recorded between `plan` and `act`, the outcome after `observe`:
 * that is the same for every way, and none of their business.
 */
export interface Way<P extends Plan = Plan, D = unknown> {
  /** Changes nothing. Throws DeployRefused for what was not decided, BadInput for what is not understood, CouldNot. */
  plan(): Promise<P>;
  /** Does what was planned, or nothing: what changed since then is a conflict. Throws CouldNot or Denied. */
  act(plan: P, note: Note): Promise<D>;
  /** Reads what is there, from where it takes effect. Throws CouldNot. */
  observe(plan: P, done: D): Promise<Observed>;
}
