import { test } from "node:test";
import {
  postgresMissing,
  postgresServer,
  type TestDatabase,
} from "../../../test/postgres/server.ts";
import { openPostgres, type PostgresDatabase } from "../../drivers/postgres/database.ts";
import { parsePostgresUrl } from "../../drivers/postgres/url.ts";
import { homeKit } from "../../testing/home-kit.ts";
import { createPostgresHome } from "./home.ts";

if (postgresMissing) {
  test("postgres home", { skip: postgresMissing });
} else {
  let database: Promise<TestDatabase> | undefined;
  homeKit("postgres", {
    create: async (clock) => {
      database ??= postgresServer().then((server) => server.createDatabase());
      const target = parsePostgresUrl((await database).schemaUrl());
      const opened: PostgresDatabase[] = [];
      const open = () => {
        const pool = openPostgres(target);
        opened.push(pool);
        return createPostgresHome({ database: pool, clock });
      };
      return {
        home: await open(),
        reopen: open,
        close: async () => {
          await Promise.all(opened.map((pool) => pool.close()));
        },
      };
    },
  });
}
