import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { openSqlite } from "../../src/drivers/sqlite/database.ts";
import { MIGRATIONS } from "../../src/homes/sqlite/migrate.ts";
import type { SampleMls } from "../../src/testing/sample-mls/index.ts";
import {
  createPlace,
  type Ended,
  endOf,
  environment,
  LOCKSTEP,
  type Place,
  startSmallMls,
  toldIn,
} from "./support.ts";

let mls: SampleMls;
let place: Place;
let edits = 0;

before(async () => {
  mls = await startSmallMls();
  place = createPlace(mls);
  await place.heal();
});
after(async () => {
  await mls.close();
  place.remove();
});

function edit(): void {
  edits += 1;
  mls.control.editMany({ count: 30, fields: { PublicRemarks: `Edit ${edits}` } });
}

test("a home made by a newer version is left alone", async () => {
  edit();
  const database = openSqlite(place.home);
  database.exec("INSERT INTO _lockstep_migrations VALUES (99, 0)");
  const { exit, told } = await place.lockstep(["run"]);
  database.exec("DELETE FROM _lockstep_migrations WHERE version = 99");
  database.close();
  assert.equal(
    told,
    `Failed: The home "FOLDER/lockstep.db" has version 99; this Lockstep knows versions up to ${MIGRATIONS.length}.
What to do: Upgrade Lockstep: \`npm install lockstep@latest\`.
Code: HOME_NEWER`,
  );
  assert.equal(exit, 1);
  await place.heal();
});

test("a file that is not a database is refused, and not touched", async () => {
  edit();
  const notes = join(place.folder, "notes.txt");
  const text = "What a person wrote down.\n".repeat(100);
  writeFileSync(notes, text);
  place.configure({ home: "sqlite:./notes.txt" });
  const { exit, told } = await place.lockstep(["run"]);
  assert.equal(
    told,
    `Failed: The database "FOLDER/notes.txt" is not a SQLite database (SQLite: file is not a database).
What to do: Name another file, or restore a backup.
Code: HOME_UNREADABLE`,
  );
  assert.equal(exit, 1);
  assert.equal(readFileSync(notes, "utf8"), text);
  place.configure();
  await place.heal();
});

test("a home in a folder that does not exist", async () => {
  place.configure({ home: "sqlite:./data/lockstep.db" });
  const { exit, told } = await place.lockstep(["run"]);
  assert.equal(
    told,
    `Failed: The database "FOLDER/data/lockstep.db" cannot be opened or made: its folder must exist and be writable (SQLite: unable to open database file).
What to do: Check the file's and folder's permissions.
Code: HOME_READ_ONLY`,
  );
  assert.equal(exit, 1);
  place.configure();
  await place.heal();
});

/** Permissions do not bind the superuser: then the command is run as nobody. */
const NOBODY = process.geteuid?.() === 0 ? { uid: 65_534 } : {};
const NOBODY_CAN_RUN =
  spawnSync(LOCKSTEP[0], [LOCKSTEP[1], "--version"], { ...NOBODY, stdio: "ignore" }).status === 0;

test("a read-only database", {
  skip: NOBODY_CAN_RUN ? false : "this checkout cannot be read by another user",
}, async () => {
  edit();
  const runReadOnly = async (): Promise<Ended> => {
    chmodSync(place.home, 0o444);
    chmodSync(place.folder, 0o555);
    try {
      return await place.lockstep(["run"], NOBODY);
    } finally {
      chmodSync(place.folder, 0o755);
      chmodSync(place.home, 0o644);
    }
  };
  const { exit, told } = await runReadOnly();
  assert.equal(
    told,
    `Failed: The database "FOLDER/lockstep.db" cannot be written (SQLite: attempt to write a readonly database).
What to do: Check the file's and folder's permissions.
Code: HOME_READ_ONLY`,
  );
  assert.equal(exit, 1);
  await place.heal();
});

/** A file system of the command's own, which needs no privileges where user namespaces are allowed. */
const TRY_MOUNT = ["-rm", "mount", "-t", "tmpfs", "tmpfs", tmpdir()];
const CAN_MOUNT = spawnSync("unshare", TRY_MOUNT, { stdio: "ignore" }).status === 0;

test("a disk that fills up in the middle of a copy: the next run goes on from there", {
  skip: CAN_MOUNT ? false : "no file system can be mounted here",
}, async () => {
  const own = createPlace(mls);
  try {
    own.configure({ home: "sqlite:./disk/lockstep.db" });
    mkdirSync(join(own.folder, "disk"));
    const script = `mount -t tmpfs -o size=1m tmpfs disk || exit
      "$@" run; echo "exit $?"; mount -o remount,size=64m disk
      "$@" run; echo "exit $?"; cp disk/lockstep.db* .`;
    const command = spawn("unshare", ["-rm", "bash", "-c", script, "bash", ...LOCKSTEP], {
      cwd: own.folder,
      env: environment(own),
      stdio: ["ignore", "pipe", "ignore"],
    });
    const ended = await endOf(command, own);
    assert.equal(ended.exit, 0, ended.out);
    const [first = "", firstExit, second = "", secondExit] = ended.out.split(/^exit (\d+)\n/m);
    assert.equal(
      toldIn(first, own),
      `Failed: 1 of 1 stream of listings failed (full; N s); nothing that was saved is lost.

Property failed: The database "FOLDER/disk/lockstep.db" cannot grow: there is no space left (SQLite: database or disk is full).
  What to do: Free some space, then run again; it goes on where it stopped.
  Code: HOME_FULL`,
    );
    assert.equal(firstExit, "1");
    assert.equal(toldIn(second, own), "Done: listings is up to date (full; N s).");
    assert.match(second, /^Note: Property: Resumed after \d+ records; what vanished/m);
    assert.equal(secondExit, "0");
    own.configure();
    await own.prove();
  } finally {
    own.remove();
  }
});

test("a file that may not grow, as under a quota", async () => {
  const own = createPlace(mls);
  try {
    const failed = await own.lockstep(["run"], { shell: "ulimit -f 1000" });
    assert.equal(
      failed.told,
      `Failed: 1 of 1 stream of listings failed (full; N s); nothing that was saved is lost.

Property failed: The database "FOLDER/lockstep.db" cannot grow: the disk or a quota is full, or the disk fails (SQLite: disk I/O error).
  What to do: Free some space, then run again; it goes on where it stopped.
  Code: HOME_FULL`,
    );
    assert.equal(failed.exit, 1);
    await own.heal();
  } finally {
    own.remove();
  }
});

test("a locked database: a run that cannot begin fails, one that is going on waits", async () => {
  const [begun, waiting] = await Promise.all([runUnderLock(), runIntoLock()]);
  assert.equal(
    begun.told,
    `Failed: The database "FOLDER/lockstep.db" is locked by another program (SQLite: database is locked).
What to do: Close the other program, then run again.
Code: HOME_LOCKED`,
  );
  assert.equal(begun.exit, 1);
  assert.equal(waiting.told, "Done: listings is up to date (full; N s).");
  assert.equal(waiting.exit, 0);
  await place.heal();
});

/** Another program holds the write lock for as long as the run lasts. */
async function runUnderLock(): Promise<Ended> {
  edit();
  const other = openSqlite(place.home);
  other.exec("BEGIN IMMEDIATE");
  try {
    return await place.lockstep(["run", "--incremental"]);
  } finally {
    other.exec("ROLLBACK");
    other.close();
  }
}

/** Another program takes the write lock in the middle of a run, until the run tells that it waits. */
async function runIntoLock(): Promise<Ended> {
  const own = createPlace(mls);
  try {
    const { child, ended } = own.start(["run"]);
    const { stderr } = child;
    assert.ok(stderr !== null);
    let other: ReturnType<typeof openSqlite> | undefined;
    stderr.on("data", (chunk: Buffer) => {
      const text = chunk.toString();
      if (text.includes("began")) {
        other = openSqlite(own.home);
        other.exec("BEGIN IMMEDIATE");
      } else if (text.includes("is locked by another program")) {
        other?.close();
      }
    });
    const result = await ended;
    await own.prove();
    return result;
  } finally {
    own.remove();
  }
}
