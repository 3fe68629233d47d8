-- Session grants as they were issued, appended. The row is its own audit source; it holds no key.
CREATE TABLE session_grant (
  grant_no       INTEGER PRIMARY KEY,
  tenant_id      INTEGER NOT NULL,
  device_no      INTEGER NOT NULL,
  key_version    INTEGER NOT NULL CHECK (key_version BETWEEN 1 AND 255),
  ops            INTEGER NOT NULL CHECK (ops BETWEEN 0 AND 127),
  issued_at_ms   INTEGER NOT NULL,
  expires_at_sec INTEGER NOT NULL
) STRICT;
CREATE INDEX session_grant_device ON session_grant (device_no, expires_at_sec);
CREATE INDEX session_grant_open ON session_grant (tenant_id, expires_at_sec);
CREATE TRIGGER session_grant_no_update BEFORE UPDATE ON session_grant
  BEGIN SELECT RAISE(ABORT, 'session_grant is append-only'); END;
CREATE TRIGGER session_grant_no_delete BEFORE DELETE ON session_grant
  BEGIN SELECT RAISE(ABORT, 'session_grant is append-only'); END;
