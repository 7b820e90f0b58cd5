import { test } from "node:test";
import {
  postgresMissing,
  postgresServer,
  type TestDatabase,
} from "../../../test/postgres/server.ts";
import { openPostgres } from "../../drivers/postgres/database.ts";
import { parsePostgresUrl } from "../../drivers/postgres/url.ts";
import { createPostgresHome } from "../../homes/postgres/home.ts";
import { destinationKit } from "../../testing/destination-kit.ts";
import { createPostgresDestination } from "./destination.ts";

let made: Promise<TestDatabase> | undefined;
const testDatabase = (): Promise<TestDatabase> => {
  made ??= postgresServer().then((server) => server.createDatabase());
  return made;
};

if (postgresMissing) {
  test("destination: postgres", { skip: postgresMissing });
} else {
  destinationKit("postgres", {
    create: async (clock) => {
      const target = parsePostgresUrl((await testDatabase()).schemaUrl());
      const database = openPostgres(target);
      const others = [database];
      return {
        destination: createPostgresDestination({ database, sharesHome: true }),
        home: await createPostgresHome({ database, clock }),
        reopen: async () => {
          await database.close();
          const again = openPostgres(target);
          others.push(again);
          return createPostgresDestination({ database: again });
        },
        close: async () => {
          await Promise.all(others.map((each) => each.close()));
        },
      };
    },
  });
}
