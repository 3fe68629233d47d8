-- What a device says it saw. Repeats of (device, card, type, counter, timestamp) are one row.
CREATE TABLE report (
  report_no      INTEGER PRIMARY KEY,
  uuid           TEXT    NOT NULL UNIQUE CHECK (length(uuid) = 36),
  tenant_id      INTEGER NOT NULL,
  device_no      INTEGER NOT NULL REFERENCES device,
  card_id        TEXT    CHECK (length(card_id) = 12),
  event_type     TEXT    NOT NULL CHECK (event_type IN ('tamper', 'replay', 'invalid_transition',
                   'write_failure', 'session_expired', 'terminal_error')),
  details        TEXT    NOT NULL CHECK (length(details) <= 256),
  counter        INTEGER CHECK (counter BETWEEN 0 AND 9007199254740991),
  timestamp_sec  INTEGER NOT NULL CHECK (timestamp_sec BETWEEN 0 AND 4294967295),
  received_at_ms INTEGER NOT NULL,
  -- none, blocked, flagged (under review), recorded (would have blocked, but may not)
  action         TEXT    NOT NULL
) STRICT;
CREATE UNIQUE INDEX report_once ON report
  (device_no, event_type, timestamp_sec, coalesce(card_id, ''), coalesce(counter, -1));
CREATE INDEX report_blocks ON report (device_no, received_at_ms) WHERE action = 'blocked';
CREATE INDEX report_failures ON report (tenant_id, card_id, received_at_ms) WHERE event_type = 'write_failure';
CREATE INDEX report_tenant ON report (tenant_id, report_no);
CREATE INDEX report_card ON report (tenant_id, card_id) WHERE card_id IS NOT NULL;
CREATE INDEX report_type ON report (tenant_id, event_type);
CREATE INDEX report_device ON report (device_no);
CREATE TRIGGER report_no_update BEFORE UPDATE ON report
  BEGIN SELECT RAISE(ABORT, 'report is append-only'); END;
CREATE TRIGGER report_no_delete BEFORE DELETE ON report
  BEGIN SELECT RAISE(ABORT, 'report is append-only'); END;
