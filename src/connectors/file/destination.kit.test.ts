import { destinationKit } from "../../testing/destination-kit.ts";
import { createTemporaryFolder } from "../../testing/temporary-folder.ts";
import { openSqliteDestination } from "../sqlite/open-destination.ts";
import { openFileDestination } from "./open-destination.ts";

destinationKit("file", {
  create: async () => {
    const folder = createTemporaryFolder();
    const open = () =>
      openFileDestination(
        {
          folder: folder.path,
          format: "jsonl",
          snapshots: true,
          changes: true,
          numbers: "exact",
        },
        (path) => openSqliteDestination(path, folder.path),
      );
    let destination = open();
    return {
      destination,
      reopen: async () => {
        await destination.close();
        destination = open();
        return destination;
      },
      close: async () => {
        await destination.close();
        folder.remove();
      },
    };
  },
});
