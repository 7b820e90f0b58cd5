/** Unsettled records of plans are found at once; an operation is kept from when it is intended. */
export const openPlans = `
DELETE FROM _lockstep_operations WHERE state = 'planned';
CREATE INDEX _lockstep_planned_open ON _lockstep_planned (sync, plan) WHERE settled_at IS NULL;
`;
