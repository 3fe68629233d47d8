-- Rejected events, kept as they came. side = approved as it stood: booked, never part of the chain.
CREATE TABLE quarantine (
  quarantine_no  INTEGER PRIMARY KEY,
  tenant_id      INTEGER NOT NULL,
  device_no      INTEGER NOT NULL,
  batch_no       INTEGER NOT NULL,
  card_id        TEXT    NOT NULL CHECK (length(card_id) = 12),
  counter        INTEGER NOT NULL CHECK (counter BETWEEN 1 AND 9007199254740991),
  type           INTEGER NOT NULL CHECK (type BETWEEN 0 AND 3 OR type = 15),
  amount         INTEGER NOT NULL CHECK (amount BETWEEN 0 AND 4294967295),
  balance_after  INTEGER NOT NULL CHECK (balance_after BETWEEN 0 AND 4294967295),
  timestamp_sec  INTEGER NOT NULL CHECK (timestamp_sec BETWEEN 0 AND 4294967295),
  hash           INTEGER NOT NULL CHECK (hash BETWEEN 0 AND 281474976710655),
  reason         TEXT    NOT NULL,
  status         TEXT    NOT NULL CHECK (status IN ('open', 'approved', 'dismissed')),
  side           INTEGER NOT NULL CHECK (side IN (0, 1)),
  received_at_ms INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX quarantine_content ON quarantine
  (tenant_id, card_id, counter, type, amount, balance_after, timestamp_sec, hash);
CREATE INDEX quarantine_device ON quarantine (device_no, status);
CREATE INDEX quarantine_batch ON quarantine (batch_no);
CREATE TRIGGER quarantine_no_delete BEFORE DELETE ON quarantine
  BEGIN SELECT RAISE(ABORT, 'quarantine is never deleted'); END;

-- The review queue: one row an accepted event and reason, one a quarantined event, one a card under review.
CREATE TABLE flag (
  flag_no       INTEGER PRIMARY KEY,
  uuid          TEXT    NOT NULL UNIQUE CHECK (length(uuid) = 36),
  tenant_id     INTEGER NOT NULL,
  kind          TEXT    NOT NULL CHECK (kind IN ('flag', 'quarantine')),
  reason        TEXT    NOT NULL,
  severity      TEXT    NOT NULL CHECK (severity IN ('low', 'medium', 'high')),
  status        TEXT    NOT NULL CHECK (status IN ('open', 'approved', 'dismissed')),
  card_no       INTEGER,
  card_id       TEXT    NOT NULL,
  device_no     INTEGER NOT NULL,
  event_id      INTEGER,
  quarantine_no INTEGER UNIQUE,
  batch_no      INTEGER,
  counter       INTEGER,
  amount        INTEGER,
  raised_at_ms  INTEGER NOT NULL,
  decided_at_ms INTEGER,
  decided_by    TEXT,
  note          TEXT    CHECK (length(note) <= 1000),
  evidence      TEXT    NOT NULL CHECK (json_valid(evidence)),
  CHECK ((status = 'open') = (decided_at_ms IS NULL)),
  CHECK ((kind = 'quarantine') = (quarantine_no IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX flag_event ON flag (event_id, reason) WHERE event_id IS NOT NULL;
CREATE INDEX flag_status ON flag (tenant_id, status, flag_no);
-- Any choice of status, reason, severity and kind is a few ranges of this, each in order of number.
CREATE INDEX flag_sort ON flag (tenant_id, status, reason, severity, kind);
CREATE INDEX flag_card ON flag (card_no, status) WHERE card_no IS NOT NULL;
CREATE INDEX flag_card_id ON flag (tenant_id, card_id, status);
CREATE INDEX flag_device ON flag (device_no, status);
CREATE INDEX flag_open_card ON flag (tenant_id, card_no) WHERE status = 'open' AND card_no IS NOT NULL;
CREATE TRIGGER flag_no_delete BEFORE DELETE ON flag
  BEGIN SELECT RAISE(ABORT, 'flag is never deleted'); END;

-- What an operator must hear of now.
CREATE TABLE alert (
  alert_no    INTEGER PRIMARY KEY,
  uuid        TEXT    NOT NULL UNIQUE CHECK (length(uuid) = 36),
  tenant_id   INTEGER NOT NULL,
  severity    TEXT    NOT NULL CHECK (severity IN ('low', 'medium', 'high')),
  reason      TEXT    NOT NULL,
  card_id     TEXT,
  terminal_id INTEGER,
  detail      TEXT    NOT NULL CHECK (json_valid(detail)),
  at_ms       INTEGER NOT NULL
) STRICT;
CREATE INDEX alert_tenant ON alert (tenant_id, alert_no);
