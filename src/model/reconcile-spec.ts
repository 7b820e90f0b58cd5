/** When a plan is too much to be meant. Shares are 0 to 1 of a side's records. */
export interface ReconcileGuardSpec {
  /** Halt when more than this share of a side's records would be deleted. */
  readonly deleteShare: number;
  /** Halt above this number of deletions on one side. */
  readonly deleteCount: number;
  /** Deletions up to this number never halt by share. */
  readonly deleteFloor: number;
  /** Halt when more than this share of a side's records would be changed. */
  readonly changeShare: number;
  readonly changeCount: number;
  readonly changeFloor: number;
}
