-- A limit that a tenant sets for one route, beside that of its plan.
CREATE TABLE rate_rule (
  rate_rule_no   INTEGER PRIMARY KEY,
  uuid           TEXT    NOT NULL UNIQUE CHECK (length(uuid) = 36),
  tenant_id      INTEGER NOT NULL REFERENCES tenant,
  -- An operationId, or /m/{module}.
  route          TEXT    NOT NULL CHECK (length(route) BETWEEN 1 AND 128),
  group_by       TEXT    NOT NULL CHECK (group_by IN ('ip', 'user', 'tenant', 'apiKey')),
  requests       INTEGER NOT NULL CHECK (requests BETWEEN 1 AND 100000),
  -- NULL: as many as the others, counted apart.
  admin_requests INTEGER CHECK (admin_requests BETWEEN 1 AND 100000),
  window_sec     INTEGER NOT NULL CHECK (window_sec BETWEEN 1 AND 3600),
  created_at_ms  INTEGER NOT NULL,
  updated_at_ms  INTEGER NOT NULL,
  version        INTEGER NOT NULL,
  UNIQUE (tenant_id, route)
) STRICT;
CREATE INDEX rate_rule_tenant ON rate_rule (tenant_id, rate_rule_no);

-- A version of the API whose end is announced. 0 stands for the device surface.
CREATE TABLE api_version (
  version          INTEGER PRIMARY KEY CHECK (version >= 0),
  deprecated_at_ms INTEGER NOT NULL,
  sunset_at_ms     INTEGER NOT NULL CHECK (sunset_at_ms > deprecated_at_ms),
  successor        TEXT,
  -- SHA-256 of its document, which is frozen in a file.
  document_hash    BLOB    NOT NULL CHECK (length(document_hash) = 32)
) STRICT;
CREATE TRIGGER api_version_no_update BEFORE UPDATE ON api_version
  BEGIN SELECT RAISE(ABORT, 'api_version is append-only'); END;
CREATE TRIGGER api_version_no_delete BEFORE DELETE ON api_version
  BEGIN SELECT RAISE(ABORT, 'api_version is append-only'); END;
