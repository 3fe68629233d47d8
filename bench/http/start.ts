/**
 * `cold-start`: from starting the program on a venue's data to the first right answer to a device, over
 * a connection of its own. The program runs from source, as the other workloads' servers do.
 */
import { Latencies, median } from "../stat.ts";
import { copyVenue, type Workload } from "../workload.ts";
import { serveKartu } from "./process.ts";
import { bearer, once, requestBytes } from "./wire.ts";

export const coldStart: Workload = {
  name: "cold-start",
  unit: "ms",
  lessIsBetter: true,
  about: "from starting the program to its first right answer",
  start: async (site) => {
    const dataDir = copyVenue(site, "cold-start");
    const token = site.venue.devices[0]?.token ?? "";
    const startOnce = async (): Promise<number> => {
      const startMs = performance.now();
      const served = await serveKartu(dataDir, site.pins.server);
      const request = requestBytes(served.url, "GET", "/api/policy", bearer(token));
      const { status, body } = await once(served.url, request);
      const tookMs = performance.now() - startMs;
      if (status !== 200) throw new Error(`cold-start: ${status} ${body}`);
      await served.stop();
      return tookMs;
    };
    return {
      warmUp: async () => {
        await startOnce();
      },
      sample: async (windowMs) => {
        const took = new Latencies();
        const endMs = performance.now() + windowMs;
        do took.add(await startOnce());
        while (performance.now() < endMs);
        const latenciesMs = took.values();
        return { value: median([...latenciesMs]), latenciesMs };
      },
      finish: async () => undefined,
    };
  },
};
