/** Refusals of the operator's side of the device world. */
import type { Raises } from "./raise.ts";

const keyed = () => ({ "idempotency-key": crypto.randomUUID() });

export const fleetRaises: Raises = {
  "unblock-by-reissue": [
    409,
    "no",
    async ({ estate, house }) => {
      const { cardId } = await (await house.desk()).card();
      await house.made(`/fleet/cards/${cardId}/block`, { reason: "Lost" });
      return estate.send("POST", `/fleet/cards/${cardId}/unblock`, { token: house.owner });
    },
  ],
  "still-rejected": [
    409,
    "no",
    async ({ estate, house }) => {
      const { venue, station, till } = await house.desk();
      const chain = await venue.loaded(station, till, 50_000);
      await till.upload({ ...chain.checkin(), amount: 5 });
      const token = house.owner;
      const { data } = await estate.ok<{ data: { id: string }[] }>(
        "GET",
        "/fleet/flags?kind=quarantine",
        { token },
      );
      const body = { note: "Let it be" };
      return estate.send("POST", `/fleet/flags/${data[0]?.id}/approve`, { token, body });
    },
  ],
  "wallet-empty": [
    409,
    "no",
    async ({ estate, house }) => {
      const { cardId } = await (await house.desk()).card();
      const path = `/fleet/cards/${cardId}/refund`;
      const body = { reason: "Leaves" };
      await house.moved(path, body);
      return estate.send("POST", path, { token: house.owner, body, headers: keyed() });
    },
  ],
  "card-wallet-live": [
    409,
    "no",
    async ({ estate, house }) => {
      const { cardId } = await (await house.desk()).card();
      const token = house.owner;
      const card = await estate.ok<{ wallet: { id: string } }>("GET", `/fleet/cards/${cardId}`, {
        token,
      });
      return estate.send("POST", `/wallets/${card.wallet.id}/close`, { token });
    },
  ],
  "too-many-streams": [
    429,
    "wait",
    async ({ estate, house }) => {
      const token = await house.holder(["fleet.stream"], "watcher");
      const open: Response[] = [];
      for (let count = 0; count < 10; count++) {
        open.push(await estate.send("GET", "/fleet/stream", { token }));
      }
      const response = await estate.send("GET", "/fleet/stream", { token });
      for (const stream of open) await stream.body?.cancel();
      return response;
    },
  ],
};
