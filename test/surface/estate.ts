/**
 * A server with people in it, for tests that knock at every door of the operator surface: the root tenant
 * and partners below it with things of every kind. What belongs to one tenant is `house.ts`.
 */
import { House, type Surroundings } from "./house.ts";
import { openServed, password, rootEmail, Served, type ServedOptions } from "./served.ts";

export class Estate extends Served implements Surroundings {
  /** The tenant of the platform's owner; set once it is open. */
  root!: House;
  #houses = 0;

  static async open(options: ServedOptions = {}): Promise<Estate> {
    const estate = new Estate(...(await openServed(options)));
    estate.root = await House.signedIn(estate, rootEmail, password);
    return estate;
  }

  /** A partner below the root, its owner signed in. */
  async house(): Promise<House> {
    this.#houses += 1;
    const ownerEmail = `owner-${this.#houses}@example.com`;
    const name = `Partner ${this.#houses}`;
    await this.root.made("/tenants", { name, type: "partner", ownerEmail });
    const token = await this.linkTo(ownerEmail, "in_");
    await this.ok("POST", "/auth/accept-invite", { body: { token, password } });
    return House.signedIn(this, ownerEmail, password);
  }
}
