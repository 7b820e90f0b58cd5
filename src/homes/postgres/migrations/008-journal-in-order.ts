/** The journal by time; nothing looks into it by plan. */
export const journalInOrder = `
DROP INDEX %s._lockstep_operations_by_plan;
CREATE INDEX _lockstep_operations_in_order ON %s._lockstep_operations (sync, at, id);
`;
