/** What mailed links carry. */
import { Type } from "@sinclair/typebox";
import { closed } from "./common.ts";

/** Read by the page's own script; a link that was cut short still shows the page, which says so. */
export const linkQuery = closed({
  token: Type.Optional(Type.String({ maxLength: 64, description: "Of the mailed link." })),
});
