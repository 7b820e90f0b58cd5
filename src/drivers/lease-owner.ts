import { hostname } from "node:os";

/** This process as the holder of leases, `process 4711 on mailbox`. */
export function createLeaseOwner(): {
  readonly name: string;
  readonly isGone: (leaseOwner: string) => boolean;
} {
  const host = hostname();
  return {
    name: `process ${process.pid} on ${host}`,
    isGone: (leaseOwner) => {
      const [, pid, where] = /^process (\d+) on ([^,]+)/.exec(leaseOwner) ?? [];
      return where === host && pid !== undefined && !isAlive(Number(pid));
    },
  };
}

/** A process of another user is alive too, though it may not be signalled. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
