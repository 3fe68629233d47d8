-- A person, known once to the whole server; what they may do is in their memberships.
CREATE TABLE user_account (
  user_no              INTEGER PRIMARY KEY,
  uuid                 TEXT    NOT NULL UNIQUE CHECK (length(uuid) = 36),
  -- Lower case, unique over the whole server.
  email                TEXT    NOT NULL UNIQUE CHECK (length(email) BETWEEN 3 AND 254),
  name                 TEXT    CHECK (length(name) BETWEEN 1 AND 100),
  locale               TEXT    NOT NULL,
  -- Argon2id; NULL until a password is set, which signs in like a wrong one.
  password_hash        TEXT,
  email_verified_at_ms INTEGER,
  -- Sealed TOTP secret; in force once enabled. The last step used, so that none is used twice.
  mfa_sealed           BLOB,
  mfa_enabled          INTEGER NOT NULL CHECK (mfa_enabled IN (0, 1)),
  mfa_step             INTEGER NOT NULL,
  remembered_tenant_id INTEGER REFERENCES tenant,
  last_login_at_ms     INTEGER,
  -- Access tokens made before are dead: password change, sign-out everywhere.
  tokens_from_ms       INTEGER NOT NULL,
  created_at_ms        INTEGER NOT NULL,
  updated_at_ms        INTEGER NOT NULL,
  version              INTEGER NOT NULL,
  CHECK (mfa_enabled = 0 OR mfa_sealed IS NOT NULL)
) STRICT;

-- A user in a tenant.
CREATE TABLE membership (
  membership_no  INTEGER PRIMARY KEY,
  tenant_id      INTEGER NOT NULL REFERENCES tenant,
  user_no        INTEGER NOT NULL REFERENCES user_account,
  -- invited until the mailed link is followed; deleted may be taken back for 30 days.
  status         TEXT    NOT NULL CHECK (status IN ('active', 'invited', 'blocked', 'deleted')),
  -- Access tokens for this tenant made before are dead: blocked, removed.
  tokens_from_ms INTEGER NOT NULL,
  deleted_at_ms  INTEGER,
  -- When they came; NULL for somebody who was only ever asked.
  joined_at_ms   INTEGER,
  created_at_ms  INTEGER NOT NULL,
  updated_at_ms  INTEGER NOT NULL,
  version        INTEGER NOT NULL,
  UNIQUE (tenant_id, user_no),
  CHECK (joined_at_ms IS NOT NULL OR status IN ('invited', 'deleted')),
  CHECK ((status = 'deleted') = (deleted_at_ms IS NOT NULL))
) STRICT;
CREATE INDEX membership_user ON membership (user_no);
CREATE INDEX membership_deleted ON membership (deleted_at_ms) WHERE deleted_at_ms IS NOT NULL;

-- A named set of permissions. `owner`, `admin` and `member` come with the tenant and stay as they are.
CREATE TABLE role (
  role_no       INTEGER PRIMARY KEY,
  uuid          TEXT    NOT NULL UNIQUE CHECK (length(uuid) = 36),
  tenant_id     INTEGER NOT NULL REFERENCES tenant,
  name          TEXT    NOT NULL CHECK (length(name) BETWEEN 2 AND 32),
  display_name  TEXT    NOT NULL CHECK (length(display_name) BETWEEN 1 AND 60),
  description   TEXT    CHECK (length(description) <= 500),
  -- JSON array of permissions, exact, `prefix.*` or `*`.
  permissions   TEXT    NOT NULL CHECK (json_valid(permissions)),
  built_in      INTEGER NOT NULL CHECK (built_in IN (0, 1)),
  created_by    TEXT    NOT NULL,
  created_at_ms INTEGER NOT NULL,
  updated_at_ms INTEGER NOT NULL,
  version       INTEGER NOT NULL,
  UNIQUE (tenant_id, name)
) STRICT;

CREATE TABLE membership_role (
  membership_no INTEGER NOT NULL REFERENCES membership,
  role_no       INTEGER NOT NULL REFERENCES role,
  tenant_id     INTEGER NOT NULL REFERENCES tenant,
  PRIMARY KEY (membership_no, role_no)
) STRICT, WITHOUT ROWID;
CREATE INDEX membership_role_role ON membership_role (role_no);
-- Exactly one owner a tenant: kept here, since a unique index can't look into a join.
CREATE TABLE tenant_owner (
  tenant_id     INTEGER PRIMARY KEY REFERENCES tenant,
  membership_no INTEGER NOT NULL UNIQUE REFERENCES membership
) STRICT;

-- A sign-in and all that was refreshed from it: a refresh family (the `sid` of its tokens).
CREATE TABLE session (
  session_no      INTEGER PRIMARY KEY,
  uuid            TEXT    NOT NULL UNIQUE CHECK (length(uuid) = 36),
  tenant_id       INTEGER NOT NULL REFERENCES tenant,
  -- NULL for an OAuth client that calls by itself.
  user_no         INTEGER REFERENCES user_account,
  -- A family of tokens for an OAuth client, with the scopes it was given.
  client_no       INTEGER,
  scopes          TEXT    CHECK (json_valid(scopes)),
  cookie          INTEGER NOT NULL CHECK (cookie IN (0, 1)),
  ip              TEXT    NOT NULL,
  user_agent      TEXT    NOT NULL,
  created_at_ms   INTEGER NOT NULL,
  last_used_at_ms INTEGER NOT NULL,
  -- When its newest refresh token lapses.
  expires_at_ms   INTEGER NOT NULL,
  revoked_at_ms   INTEGER,
  CHECK ((client_no IS NULL) = (scopes IS NULL)),
  CHECK (user_no IS NOT NULL OR client_no IS NOT NULL)
) STRICT;
CREATE INDEX session_user ON session (user_no, tenant_id) WHERE revoked_at_ms IS NULL;
CREATE INDEX session_expiry ON session (expires_at_ms);

-- Refresh tokens by SHA-256. No foreign keys, so that what has lapsed is deleted without a search for
-- what refers to each.
CREATE TABLE refresh_token (
  hash          BLOB    PRIMARY KEY CHECK (length(hash) = 32),
  session_no    INTEGER NOT NULL,
  expires_at_ms INTEGER NOT NULL,
  used_at_ms    INTEGER,
  -- Row of refresh_grace, gone once its time is over.
  grace_no      INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX refresh_token_expiry ON refresh_token (expires_at_ms);

-- The answer that the first use of a refresh token gave, for the 10 s in which it is repeated: sealed
-- under a key that only the old token itself yields. Apart from the tokens, in the order of coming,
-- because it is much larger than they are and each of them is written at every refresh.
CREATE TABLE refresh_grace (
  grace_no   INTEGER PRIMARY KEY,
  used_at_ms INTEGER NOT NULL,
  sealed     BLOB    NOT NULL
) STRICT;
CREATE INDEX refresh_grace_used ON refresh_grace (used_at_ms);

-- What proves something once: a mail link, a tenant choice, a code of a redirect. By SHA-256.
CREATE TABLE proof (
  hash          BLOB    PRIMARY KEY CHECK (length(hash) = 32),
  kind          TEXT    NOT NULL CHECK (kind IN ('verify', 'reset', 'choice', 'login', 'state')),
  user_no       INTEGER REFERENCES user_account,
  -- What the holder may do with it; sealed where it is secret.
  data          TEXT    NOT NULL CHECK (json_valid(data)),
  expires_at_ms INTEGER NOT NULL,
  used_at_ms    INTEGER,
  created_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX proof_user ON proof (user_no, kind) WHERE user_no IS NOT NULL;
CREATE INDEX proof_expiry ON proof (expires_at_ms);

-- Recovery codes, Argon2id, each once.
CREATE TABLE recovery_code (
  user_no    INTEGER NOT NULL REFERENCES user_account,
  place      INTEGER NOT NULL CHECK (place BETWEEN 0 AND 9),
  hash       TEXT    NOT NULL,
  used_at_ms INTEGER,
  PRIMARY KEY (user_no, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE invitation (
  invitation_no  INTEGER PRIMARY KEY,
  uuid           TEXT    NOT NULL UNIQUE CHECK (length(uuid) = 36),
  tenant_id      INTEGER NOT NULL REFERENCES tenant,
  email          TEXT    NOT NULL CHECK (length(email) BETWEEN 3 AND 254),
  name           TEXT    CHECK (length(name) BETWEEN 1 AND 100),
  -- JSON array of names.
  roles          TEXT    NOT NULL CHECK (json_valid(roles)),
  -- SHA-256 of the token in the newest link; older links are dead.
  token_hash     BLOB    NOT NULL UNIQUE CHECK (length(token_hash) = 32),
  status         TEXT    NOT NULL CHECK (status IN ('pending', 'accepted', 'revoked')),
  expires_at_ms  INTEGER NOT NULL,
  invited_by     TEXT    NOT NULL,
  created_at_ms  INTEGER NOT NULL,
  updated_at_ms  INTEGER NOT NULL
) STRICT;
CREATE INDEX invitation_tenant ON invitation (tenant_id, invitation_no);
CREATE INDEX invitation_email ON invitation (tenant_id, email) WHERE status = 'pending';

CREATE TABLE api_key (
  api_key_no      INTEGER PRIMARY KEY,
  uuid            TEXT    NOT NULL UNIQUE CHECK (length(uuid) = 36),
  tenant_id       INTEGER NOT NULL REFERENCES tenant,
  name            TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  hash            BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),
  -- First 8 characters, to tell keys apart.
  prefix          TEXT    NOT NULL CHECK (length(prefix) = 8),
  roles           TEXT    NOT NULL CHECK (json_valid(roles)),
  -- JSON array of CIDR ranges; empty = from anywhere.
  allowed_ips     TEXT    NOT NULL CHECK (json_valid(allowed_ips)),
  expires_at_ms   INTEGER,
  last_used_at_ms INTEGER,
  revoked_at_ms   INTEGER,
  created_by      TEXT    NOT NULL,
  created_at_ms   INTEGER NOT NULL
) STRICT;
CREATE INDEX api_key_tenant ON api_key (tenant_id, api_key_no);
