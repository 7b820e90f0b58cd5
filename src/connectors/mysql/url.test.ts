import assert from "node:assert/strict";
import { test } from "node:test";
import { mysqlLocation, parseMysqlUrl } from "./url.ts";

test("a URL names host, port, database and login", () => {
  const target = parseMysqlUrl("mysql://shop:p%40ss@db.example.com:3307/stock");
  assert.deepEqual(target, {
    host: "db.example.com",
    port: 3307,
    database: "stock",
    user: "shop",
    password: "p@ss",
    sslMode: "verify-full",
  });
  assert.equal(mysqlLocation(target), "mysql://db.example.com:3307/stock");
});

test("a server on this machine needs no TLS, a socket neither", () => {
  assert.equal(parseMysqlUrl("mariadb://u@localhost/stock").sslMode, "disable");
  const socket = parseMysqlUrl("mysql://u@db/stock?socket=/run/mysqld.sock&sslmode=require");
  assert.deepEqual([socket.socket, socket.sslMode], ["/run/mysqld.sock", "require"]);
  assert.equal(mysqlLocation(socket), "mysql:///stock?socket=/run/mysqld.sock");
});

test("a URL that cannot be read is refused without its password", () => {
  for (const text of [
    "postgres://u:hidden@h/d",
    "mysql://u:hidden@h",
    "mysql://u:hidden@h/d?charset=latin1",
    "mysql://u:hidden@h/d?sslmode=prefer",
    "mysql://u:hidden%zz@h/d",
    "mysql://u:hidden@h/d?sslrootcert=/not/there",
  ]) {
    assert.throws(
      () => parseMysqlUrl(text),
      (error: Error) => {
        assert.equal((error as { code?: unknown }).code, "CONFIG_INVALID");
        assert.ok(!error.message.includes("hidden"), error.message);
        return true;
      },
    );
  }
});
