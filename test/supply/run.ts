/** `npm run sbom`: prints the bill of materials, or writes it to the file that is named. */
import { sbom } from "./sbom.ts";

/** Whoever builds reproducibly names the moment (reproducible-builds.org); else it is now. */
const epoch = process.env.SOURCE_DATE_EPOCH;
const text = `${await sbom(epoch === undefined ? Date.now() : Number(epoch) * 1000)}\n`;
const [file] = process.argv.slice(2);
if (file === undefined) process.stdout.write(text);
else await Bun.write(file, text);
