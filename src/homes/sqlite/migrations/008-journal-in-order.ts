/** The journal by time; nothing looks into it by plan. */
export const journalInOrder = `
DROP INDEX _lockstep_operations_by_plan;
CREATE INDEX _lockstep_operations_in_order ON _lockstep_operations (sync, at, id);
`;
