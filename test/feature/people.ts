/**
 * The services of people (accounts, roles, invitations, letters) as tests need them: hashing that costs
 * next to nothing, and letters that land in a list.
 */
import { accessService } from "../../src/feature/access/service.ts";
import { accountService } from "../../src/feature/account/service.ts";
import type { AuditService } from "../../src/feature/audit/service.ts";
import type { EventService } from "../../src/feature/event/service.ts";
import { invitationService } from "../../src/feature/invitation/service.ts";
import { mailService } from "../../src/feature/mail/service.ts";
import { roleService } from "../../src/feature/role/service.ts";
import type { Store } from "../../src/store/seam.ts";
import { argon } from "../../src/system/argon.ts";
import type { Message } from "../../src/system/mail.ts";
import type { Random } from "../../src/system/random.ts";

export interface PeopleDeps {
  readonly store: Store;
  readonly random: Random;
  readonly audit: AuditService;
  readonly event: EventService;
  readonly masterKey: Uint8Array;
  readonly publicUrl: string;
}

export function peopleServices({ masterKey, publicUrl, ...told }: PeopleDeps) {
  const { store, random } = told;
  const letters: Message[] = [];
  const failures: unknown[] = [];
  const account = accountService({ store, random });
  const access = accessService({ store });
  const passwords = argon({ cost: { memoryKib: 1_024, passes: 1 } });
  const mail = mailService({
    ...{ store, random, masterKey, publicUrl: () => publicUrl },
    mailer: {
      send: async (message) => {
        letters.push(message);
      },
    },
    failed: (_what, error) => failures.push(error),
  });
  const role = roleService({ ...told, access });
  const base = { ...told, account, access, role, mail, passwords };
  const invitation = invitationService(base);
  return { account, access, role, mail, invitation, passwords, letters, failures };
}
