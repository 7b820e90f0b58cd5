import assert from "node:assert/strict";
import { test } from "node:test";
import { isSameDatabase, parsePostgresUrl, postgresLocation } from "./url.ts";

test("a URL names server, login, database and schema", () => {
  assert.deepEqual(
    parsePostgresUrl("postgres://ann:p%40ss%20w@db.test:6543/my%20data?schema=mls"),
    {
      host: "db.test",
      port: 6543,
      database: "my data",
      user: "ann",
      password: "p@ss w",
      schema: "mls",
      sslMode: "verify-full",
    },
  );
  assert.deepEqual(parsePostgresUrl("postgresql://[::1]/x"), {
    host: "::1",
    port: 5432,
    database: "x",
    schema: "public",
    sslMode: "disable",
  });
  const socket = parsePostgresUrl("postgres:///x?host=/run/postgresql");
  assert.deepEqual([socket.host, socket.sslMode], ["/run/postgresql", "disable"]);
  assert.equal(postgresLocation(socket), "postgres:///x?host=/run/postgresql");
  assert.equal(postgresLocation(socket, "mls"), "postgres:///x?host=/run/postgresql&schema=mls");
});

test("another machine is asked for TLS unless told otherwise", () => {
  const mode = (url: string) => parsePostgresUrl(url).sslMode;
  assert.equal(mode("postgres://localhost/x"), "disable");
  assert.equal(mode("postgres://127.0.0.1/x"), "disable");
  assert.equal(mode("postgres://10.0.0.1/x"), "verify-full");
  assert.equal(mode("postgres://10.0.0.1/x?sslmode=require"), "require");
  assert.equal(mode("postgres://10.0.0.1/x?sslmode=disable"), "disable");
});

test("a location and a refusal hold no login", () => {
  const target = parsePostgresUrl("postgres://ann:s3cret@h/x?schema=mls");
  assert.equal(postgresLocation(target), "postgres://h:5432/x?schema=mls");
  const wrong: readonly (readonly [string, RegExp])[] = [
    ["postgres://ann:s3cret@h", /names no database/],
    ["postgres://ann:s3cret@h/", /names no database/],
    ["mysql://ann:s3cret@h/x", /cannot be read/],
    ["postgres://ann:s3cret@h:port/x", /cannot be read/],
    ["postgres://ann:s3%zzcret@h/x", /a % that is no escape/],
    ["postgres://ann:s3cret@h/x?sslmode=prefer", /sslmode "prefer"; allowed are disable/],
    ["postgres://ann:s3cret@h/x?pool=3", /parameter "pool"; allowed are schema/],
    ["postgres://ann:s3cret@h/x?schema=pg_temp", /schema "pg_temp"/],
    ["postgres://ann:s3cret@h/x?sslrootcert=/no/such", /"\/no\/such"/],
  ];
  for (const [url, message] of wrong) {
    assert.throws(
      () => parsePostgresUrl(url),
      (error: Error) => {
        assert.match(error.message, message);
        assert.ok(!`${error.message}${error.stack}`.includes("cret@"), error.message);
        return (error as { code?: string }).code === "CONFIG_INVALID";
      },
    );
  }
});

test("two URLs may lead to one database", () => {
  const same = (a: string, b: string) => isSameDatabase(parsePostgresUrl(a), parsePostgresUrl(b));
  assert.ok(same("postgres://a:1@h/x?schema=one", "postgres://a:2@h:5432/x"));
  assert.ok(!same("postgres://a@h/x", "postgres://b@h/x"));
  assert.ok(!same("postgres://a@h/x", "postgres://a@h/y"));
});
