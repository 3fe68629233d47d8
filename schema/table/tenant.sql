-- A tenant is a venue, or an organisation above venues. Everything else hangs below one.
CREATE TABLE tenant (
  tenant_id         INTEGER PRIMARY KEY,
  uuid              TEXT    NOT NULL UNIQUE CHECK (length(uuid) = 36),
  slug              TEXT    NOT NULL UNIQUE CHECK (length(slug) BETWEEN 1 AND 64),
  name              TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  type              TEXT    NOT NULL CHECK (type IN ('platform', 'partner', 'client')),
  parent_id         INTEGER REFERENCES tenant,
  currency          TEXT    NOT NULL CHECK (length(currency) = 3),
  timezone          TEXT    NOT NULL,
  policy_version    INTEGER NOT NULL CHECK (policy_version >= 1),
  blocklist_version INTEGER NOT NULL CHECK (blocklist_version >= 0),
  created_at_ms     INTEGER NOT NULL,
  updated_at_ms     INTEGER NOT NULL,
  version           INTEGER NOT NULL
) STRICT;

-- A person, known once to the whole server; what they may do is in their memberships.
CREATE TABLE user_account (
  user_no       INTEGER PRIMARY KEY,
  uuid          TEXT    NOT NULL UNIQUE CHECK (length(uuid) = 36),
  email         TEXT    NOT NULL UNIQUE CHECK (length(email) BETWEEN 3 AND 254),
  name          TEXT    CHECK (length(name) BETWEEN 1 AND 100),
  password_hash TEXT    NOT NULL,
  created_at_ms INTEGER NOT NULL,
  updated_at_ms INTEGER NOT NULL,
  version       INTEGER NOT NULL
) STRICT;

CREATE TABLE membership (
  tenant_id     INTEGER NOT NULL REFERENCES tenant,
  user_no       INTEGER NOT NULL REFERENCES user_account,
  role          TEXT    NOT NULL,
  created_at_ms INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, user_no)
) STRICT, WITHOUT ROWID;
