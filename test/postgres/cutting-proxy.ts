import { connect, createServer, type Socket } from "node:net";

/** A way to a server that can lose what the server answers. */
export interface CuttingProxy {
  readonly port: number;
  /** From now on so many statements that hold `text` reach the server, and their answers nobody. */
  cutAfter(text: string, times: number): void;
  /** How many were cut so far. */
  readonly cuts: number;
  close(): Promise<void>;
}

/** Stands before a server on loopback; cutting closes the client's connection, not the server's. */
export async function startCuttingProxy(serverPort: number): Promise<CuttingProxy> {
  const sockets = new Set<Socket>();
  let wanted = Buffer.alloc(0);
  let left = 0;
  let cuts = 0;

  const server = createServer((client) => {
    const upstream = connect(serverPort, "127.0.0.1");
    let isCut = false;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        sockets.delete(socket);
        // The server must see the end of the connection, as it would in a network that lost it.
        client.destroy();
        upstream.end();
      });
    }
    client.on("data", (data) => {
      if (left > 0 && data.includes(wanted)) {
        left -= 1;
        cuts += 1;
        isCut = true;
      }
      upstream.write(data);
    });
    upstream.on("data", (data) => {
      if (isCut) client.destroy();
      else client.write(data);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("The proxy has no port.");
  return {
    port: address.port,
    cutAfter: (text, times) => {
      wanted = Buffer.from(text);
      left = times;
    },
    get cuts() {
      return cuts;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
