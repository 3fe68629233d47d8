-- The audit record: one chain of commitments a tenant, without gaps.
CREATE TABLE audit (
  tenant_id    INTEGER NOT NULL REFERENCES tenant,
  seq          INTEGER NOT NULL CHECK (seq >= 1),
  uuid         TEXT    NOT NULL CHECK (length(uuid) = 36),
  at_ms        INTEGER NOT NULL,
  action       TEXT    NOT NULL,
  entity_type  TEXT    NOT NULL,
  entity_id    TEXT    NOT NULL,
  detail_hash  BLOB    NOT NULL CHECK (length(detail_hash) = 32),
  pii_hash     BLOB    NOT NULL CHECK (length(pii_hash) = 32),
  prev_hash    BLOB    NOT NULL CHECK (length(prev_hash) = 32),
  hash         BLOB    NOT NULL CHECK (length(hash) = 32),
  PRIMARY KEY (tenant_id, seq)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
  BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
  BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;

-- What the commitments of a record were made over. Only anonymising may change a row: it blanks it.
CREATE TABLE audit_detail (
  tenant_id   INTEGER NOT NULL,
  seq         INTEGER NOT NULL,
  actor_type  TEXT    NOT NULL CHECK (actor_type IN ('user', 'apiKey', 'module', 'device', 'system')),
  actor_id    TEXT    NOT NULL,
  trace_id    TEXT,
  detail_salt BLOB    NOT NULL CHECK (length(detail_salt) = 16),
  detail      TEXT    NOT NULL CHECK (json_valid(detail)),
  pii_salt    BLOB    CHECK (length(pii_salt) = 16),
  pii         TEXT    CHECK (json_valid(pii)),
  redacted    INTEGER NOT NULL CHECK (redacted IN (0, 1)),
  PRIMARY KEY (tenant_id, seq),
  FOREIGN KEY (tenant_id, seq) REFERENCES audit
) STRICT, WITHOUT ROWID;
CREATE TRIGGER audit_detail_no_update BEFORE UPDATE ON audit_detail
  WHEN new.redacted = 0 OR new.detail_salt <> old.detail_salt
  BEGIN SELECT RAISE(ABORT, 'audit_detail is append-only'); END;
CREATE TRIGGER audit_detail_no_delete BEFORE DELETE ON audit_detail
  BEGIN SELECT RAISE(ABORT, 'audit_detail is append-only'); END;
