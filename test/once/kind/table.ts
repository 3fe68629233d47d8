/** Every call that is made at once, by name. */
import { credentialKinds } from "./credential.ts";
import { fieldKinds } from "./field.ts";
import type { Kinds } from "./kind.ts";
import { moneyKinds } from "./money.ts";

export const kinds: Kinds = { ...fieldKinds, ...moneyKinds, ...credentialKinds };
