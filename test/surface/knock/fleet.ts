/** Knocks at the calls about devices, zones, members, policies and keys; with those of `field.ts`, the fleet. */
import type { House } from "../house.ts";
import { fieldKnocks } from "./field.ts";
import type { Knocks } from "./knock.ts";

const at = async (house: House, noun: "devices" | "zones" | "members" | "policies") =>
  `/fleet/${noun}/${(await house.fleet(noun)).id}`;

const deviceKnocks: Knocks = {
  "GET /fleet/overview": {
    ...{ may: "fleet.devices.read", answers: "200" },
    make: () => ({ path: "/fleet/overview" }),
  },
  "GET /fleet/devices": {
    ...{ may: "fleet.devices.read", answers: "200" },
    make: () => ({ path: "/fleet/devices?status=active&role=gate&q=gate" }),
  },
  "POST /fleet/devices": {
    ...{ may: "fleet.devices.write", answers: "201", audit: "fleet.device.registered" },
    make: async (house) => ({
      path: "/fleet/devices",
      body: {
        ...{ deviceId: house.name("scout"), role: "scout", name: "Scout" },
        ...{ zoneId: (await house.fleet("zones")).id, memberId: (await house.fleet("members")).id },
      },
    }),
  },
  "GET /fleet/devices/:id": {
    ...{ may: "fleet.devices.read", answers: "200" },
    make: async (house) => ({ path: await at(house, "devices") }),
  },
  "PATCH /fleet/devices/:id": {
    ...{ may: "fleet.devices.write", answers: "200", audit: "fleet.device.updated" },
    make: async (house) => ({
      path: await at(house, "devices"),
      body: { name: "Gate", zoneId: (await house.fleet("zones")).id, version: 1 },
    }),
  },
  "DELETE /fleet/devices/:id": {
    ...{ may: "fleet.devices.write", answers: "204", audit: "fleet.device.retired" },
    make: async (house) => ({ path: await at(house, "devices") }),
  },
  "POST /fleet/devices/:id/suspend": {
    ...{ may: "fleet.devices.write", answers: "200", audit: "fleet.device.suspended" },
    make: async (house) => ({
      path: `${await at(house, "devices")}/suspend`,
      body: { reason: "Lost" },
    }),
  },
  "POST /fleet/devices/:id/resume": {
    ...{ may: "fleet.devices.write", answers: "200", audit: "fleet.device.resumed" },
    make: async (house) => {
      const path = await at(house, "devices");
      await house.made(`${path}/suspend`);
      return { path: `${path}/resume`, body: { reason: "Found" } };
    },
  },
  "POST /fleet/devices/:id/revoke-token": {
    ...{ may: "fleet.devices.write", answers: "200", audit: "fleet.device.revoked" },
    make: async (house) => ({ path: `${await at(house, "devices")}/revoke-token` }),
  },
  "POST /fleet/devices/:id/secret": {
    ...{ may: "fleet.devices.secret", answers: "201", audit: "fleet.device.secret_issued" },
    make: async (house) => ({
      path: `${await at(house, "devices")}/secret`,
      body: { keepToken: true },
    }),
  },
  "GET /fleet/devices/:id/policy": {
    ...{ may: "fleet.policies.read", answers: "200" },
    make: async (house) => ({ path: `${await at(house, "devices")}/policy` }),
  },
};

const zoneKnocks: Knocks = {
  "GET /fleet/zones": {
    ...{ may: "fleet.policies.read", answers: "200" },
    make: () => ({ path: "/fleet/zones" }),
  },
  "POST /fleet/zones": {
    ...{ may: "fleet.policies.write", answers: "201", audit: "fleet.zone.changed" },
    make: (house) => ({ path: "/fleet/zones", body: { name: house.name("Hall") } }),
  },
  "PATCH /fleet/zones/:id": {
    ...{ may: "fleet.policies.write", answers: "200", audit: "fleet.zone.changed" },
    make: async (house) => ({
      path: await at(house, "zones"),
      body: { name: house.name("Yard"), version: 1 },
    }),
  },
  "DELETE /fleet/zones/:id": {
    ...{ may: "fleet.policies.write", answers: "204", audit: "fleet.zone.changed" },
    make: async (house) => ({ path: await at(house, "zones") }),
  },
};

const memberKnocks: Knocks = {
  "GET /fleet/members": {
    ...{ may: "fleet.members.read", answers: "200" },
    make: () => ({ path: "/fleet/members?status=active&userId=1&q=siti" }),
  },
  "POST /fleet/members": {
    ...{ may: "fleet.members.write", answers: "201", audit: "fleet.member.created" },
    make: (house) => ({
      path: "/fleet/members",
      body: { name: house.name("Siti"), email: "siti@example.com" },
    }),
  },
  "GET /fleet/members/:id": {
    ...{ may: "fleet.members.read", answers: "200" },
    make: async (house) => ({ path: await at(house, "members") }),
  },
  "PATCH /fleet/members/:id": {
    ...{ may: "fleet.members.write", answers: "200", audit: "fleet.member.updated" },
    make: async (house) => ({
      path: await at(house, "members"),
      body: { name: house.name("Siti"), email: null, status: "suspended", version: 1 },
    }),
  },
  "DELETE /fleet/members/:id": {
    ...{ may: "fleet.members.write", answers: "204", audit: "fleet.member.closed" },
    make: async (house) => ({ path: await at(house, "members") }),
  },
};

const policyKnocks: Knocks = {
  "GET /fleet/policies": {
    ...{ may: "fleet.policies.read", answers: "200" },
    make: () => ({ path: "/fleet/policies?scope=zone" }),
  },
  "POST /fleet/policies": {
    ...{ may: "fleet.policies.write", answers: "201", audit: "fleet.policy.changed" },
    make: async (house) => ({
      path: "/fleet/policies",
      body: { scope: "zone", scopeId: (await house.fleet("zones")).id, singleTxLimit: 50_000 },
    }),
  },
  "GET /fleet/policies/:id": {
    ...{ may: "fleet.policies.read", answers: "200" },
    make: async (house) => ({ path: await at(house, "policies") }),
  },
  "PATCH /fleet/policies/:id": {
    ...{ may: "fleet.policies.write", answers: "200", audit: "fleet.policy.changed" },
    make: async (house) => {
      const { id, version } = await house.fleet("policies");
      return { path: `/fleet/policies/${id}`, body: { singleTxLimit: 60_000, version } };
    },
  },
  "DELETE /fleet/policies/:id": {
    ...{ may: "fleet.policies.write", answers: "204", audit: "fleet.policy.changed" },
    make: async (house) => ({ path: await at(house, "policies") }),
  },
};

/** Numbered from 1 in each tenant, so another's number is one's own too. */
const numbered = { may: "fleet.keys.write", answers: "200", shared: true } as const;

const keyKnocks: Knocks = {
  "GET /fleet/key-versions": {
    ...{ may: "fleet.keys.read", answers: "200" },
    make: () => ({ path: "/fleet/key-versions" }),
  },
  "POST /fleet/key-versions": {
    ...{ may: "fleet.keys.write", answers: "201", audit: "fleet.key.created" },
    make: () => ({ path: "/fleet/key-versions", body: { note: "In autumn" } }),
  },
  "POST /fleet/key-versions/:keyVersion/activate": {
    ...{ ...numbered, audit: "fleet.key.activated" },
    make: async (house) => ({ path: `/fleet/key-versions/${await house.keyVersion()}/activate` }),
  },
  "POST /fleet/key-versions/:keyVersion/retire": {
    ...{ ...numbered, audit: "fleet.key.retired" },
    make: async (house) => ({
      path: `/fleet/key-versions/${await house.keyVersion()}/retire`,
      body: { force: true },
    }),
  },
};

export const fleetKnocks: Knocks = {
  ...deviceKnocks,
  ...zoneKnocks,
  ...memberKnocks,
  ...policyKnocks,
  ...keyKnocks,
  ...fieldKnocks,
};
