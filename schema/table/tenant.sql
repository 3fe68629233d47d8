-- A tenant is a venue, or an organisation above venues. Everything else hangs below one.
CREATE TABLE tenant (
  tenant_id         INTEGER PRIMARY KEY,
  uuid              TEXT    NOT NULL UNIQUE CHECK (length(uuid) = 36),
  slug              TEXT    NOT NULL UNIQUE CHECK (length(slug) BETWEEN 1 AND 64),
  name              TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  type              TEXT    NOT NULL CHECK (type IN ('platform', 'partner', 'client')),
  parent_id         INTEGER REFERENCES tenant,
  -- The root stands at 0.
  depth             INTEGER NOT NULL CHECK (depth >= 0),
  -- blocked stops its people, not its devices; deleted is for good.
  status            TEXT    NOT NULL CHECK (status IN ('active', 'blocked', 'deleted')),
  block_reason      TEXT    CHECK (length(block_reason) <= 256),
  logo_url          TEXT    CHECK (length(logo_url) <= 2048),
  currency          TEXT    NOT NULL CHECK (length(currency) = 3),
  timezone          TEXT    NOT NULL,
  locale            TEXT    NOT NULL,
  policy_version    INTEGER NOT NULL CHECK (policy_version >= 1),
  blocklist_version INTEGER NOT NULL CHECK (blocklist_version >= 0),
  created_at_ms     INTEGER NOT NULL,
  updated_at_ms     INTEGER NOT NULL,
  version           INTEGER NOT NULL
) STRICT;
CREATE INDEX tenant_parent ON tenant (parent_id);

-- Every pair of a tenant and one above it, itself included at distance 0.
CREATE TABLE tenant_closure (
  ancestor_id   INTEGER NOT NULL REFERENCES tenant,
  descendant_id INTEGER NOT NULL REFERENCES tenant,
  distance      INTEGER NOT NULL CHECK (distance >= 0),
  PRIMARY KEY (ancestor_id, descendant_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX tenant_closure_up ON tenant_closure (descendant_id, distance);
