-- Applications that sign people in through Kartu, and machines that call it by themselves.
CREATE TABLE oauth_client (
  client_no           INTEGER PRIMARY KEY,
  uuid                TEXT    NOT NULL UNIQUE CHECK (length(uuid) = 36),
  tenant_id           INTEGER NOT NULL REFERENCES tenant,
  name                TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  type                TEXT    NOT NULL CHECK (type IN ('confidential', 'public')),
  -- JSON arrays of text.
  redirect_uris       TEXT    NOT NULL CHECK (json_valid(redirect_uris)),
  grant_types         TEXT    NOT NULL CHECK (json_valid(grant_types)),
  scopes              TEXT    NOT NULL CHECK (json_valid(scopes)),
  -- SHA-256; a public client has none.
  secret_hash         BLOB    CHECK (length(secret_hash) = 32),
  -- The one before, good until then.
  old_secret_hash     BLOB    CHECK (length(old_secret_hash) = 32),
  old_secret_until_ms INTEGER,
  deleted_at_ms       INTEGER,
  created_by          TEXT    NOT NULL,
  created_at_ms       INTEGER NOT NULL,
  updated_at_ms       INTEGER NOT NULL,
  version             INTEGER NOT NULL,
  CHECK (type = 'confidential' OR (secret_hash IS NULL AND old_secret_hash IS NULL)),
  CHECK ((old_secret_hash IS NULL) = (old_secret_until_ms IS NULL))
) STRICT;
CREATE INDEX oauth_client_tenant ON oauth_client (tenant_id, client_no) WHERE deleted_at_ms IS NULL;

-- One sign-in at Kartu for an application: asked for, allowed or denied, its code spent.
CREATE TABLE oauth_request (
  request_no         INTEGER PRIMARY KEY,
  uuid               TEXT    NOT NULL UNIQUE CHECK (length(uuid) = 36),
  client_no          INTEGER NOT NULL REFERENCES oauth_client,
  redirect_uri       TEXT    NOT NULL CHECK (length(redirect_uri) <= 2048),
  -- JSON array: what was asked, then what was given.
  scopes             TEXT    NOT NULL CHECK (json_valid(scopes)),
  state              TEXT    CHECK (length(state) <= 1024),
  nonce              TEXT    CHECK (length(nonce) <= 1024),
  code_challenge     TEXT    NOT NULL CHECK (length(code_challenge) = 43),
  -- Who allows must have signed in since then.
  signed_in_from_ms  INTEGER NOT NULL,
  status             TEXT    NOT NULL CHECK (status IN ('pending', 'approved', 'denied')),
  -- Who allowed it, in which tenant.
  user_no            INTEGER REFERENCES user_account,
  tenant_id          INTEGER REFERENCES tenant,
  signed_in_at_ms    INTEGER,
  -- SHA-256 of the code.
  code_hash          BLOB    UNIQUE CHECK (length(code_hash) = 32),
  -- Of the page, then of the code.
  expires_at_ms      INTEGER NOT NULL,
  spent_at_ms        INTEGER,
  -- The session that the code was spent for; ended when the code comes back.
  sid                TEXT    CHECK (length(sid) = 36),
  created_at_ms      INTEGER NOT NULL,
  CHECK ((status = 'approved') = (code_hash IS NOT NULL)),
  CHECK ((status = 'approved') = (user_no IS NOT NULL AND tenant_id IS NOT NULL AND signed_in_at_ms IS NOT NULL)),
  CHECK ((spent_at_ms IS NULL) = (sid IS NULL))
) STRICT;
CREATE INDEX oauth_request_expiry ON oauth_request (expires_at_ms);

-- An account elsewhere that signs in a user here.
CREATE TABLE identity_link (
  provider_id   TEXT    NOT NULL CHECK (length(provider_id) BETWEEN 1 AND 32),
  -- As the provider names the account; of a wallet its address, checksummed.
  subject       TEXT    NOT NULL CHECK (length(subject) BETWEEN 1 AND 255),
  user_no       INTEGER NOT NULL REFERENCES user_account,
  created_at_ms INTEGER NOT NULL,
  PRIMARY KEY (provider_id, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX identity_link_user ON identity_link (user_no);
