-- What a card is: who holds it, which key, whether it may be used. What it did last is in `head`.
CREATE TABLE card (
  card_no           INTEGER PRIMARY KEY,
  tenant_id         INTEGER NOT NULL REFERENCES tenant,
  card_id           TEXT    NOT NULL CHECK (length(card_id) = 12),
  wallet_uuid       TEXT    NOT NULL UNIQUE CHECK (length(wallet_uuid) = 36),
  member_no         INTEGER NOT NULL REFERENCES member,
  user_id           INTEGER NOT NULL,
  name              TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 31),
  -- 0 ACTIVE, 1 BLOCKED_TAMPER, 2 BLOCKED_FRAUD, 3 BLOCKED_EXPIRED, 4 BLOCKED_ADMIN
  status            INTEGER NOT NULL CHECK (status BETWEEN 0 AND 4),
  key_version       INTEGER NOT NULL CHECK (key_version BETWEEN 1 AND 255),
  created_at_sec    INTEGER NOT NULL CHECK (created_at_sec BETWEEN 0 AND 4294967295),
  expires_at_sec    INTEGER CHECK (expires_at_sec BETWEEN 0 AND 4294967295),
  blocked_at_sec    INTEGER,
  block_reason      TEXT    CHECK (length(block_reason) <= 256),
  blocked_by        TEXT,
  replaces_no       INTEGER REFERENCES card,
  replaced_by_no    INTEGER REFERENCES card,
  needs_validation  INTEGER NOT NULL CHECK (needs_validation IN (0, 1)),
  registered_at_ms  INTEGER NOT NULL,
  UNIQUE (tenant_id, card_id),
  CHECK ((status = 0) = (blocked_at_sec IS NULL))
) STRICT;
CREATE UNIQUE INDEX card_active ON card (member_no) WHERE status = 0;
CREATE INDEX card_order ON card (tenant_id, card_no);
CREATE INDEX card_member ON card (member_no);
CREATE INDEX card_expiry ON card (expires_at_sec) WHERE status = 0 AND expires_at_sec IS NOT NULL;
-- Any choice of status, key version and validation is a few ranges of this, each in order of number.
CREATE INDEX card_kind ON card (tenant_id, status, key_version, needs_validation);

-- How many cards of each kind there are, so that no list counts a million of them.
CREATE TABLE card_count (
  tenant_id        INTEGER NOT NULL,
  status           INTEGER NOT NULL,
  key_version      INTEGER NOT NULL,
  needs_validation INTEGER NOT NULL,
  cards            INTEGER NOT NULL CHECK (cards >= 0),
  PRIMARY KEY (tenant_id, status, key_version, needs_validation)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER card_counted_new AFTER INSERT ON card BEGIN
  INSERT INTO card_count (tenant_id, status, key_version, needs_validation, cards)
    VALUES (new.tenant_id, new.status, new.key_version, new.needs_validation, 1)
    ON CONFLICT DO UPDATE SET cards = cards + 1;
END;
CREATE TRIGGER card_counted_changed AFTER UPDATE OF status, key_version, needs_validation ON card
  WHEN new.status <> old.status OR new.key_version <> old.key_version
    OR new.needs_validation <> old.needs_validation
BEGIN
  UPDATE card_count SET cards = cards - 1 WHERE tenant_id = old.tenant_id AND status = old.status
    AND key_version = old.key_version AND needs_validation = old.needs_validation;
  INSERT INTO card_count (tenant_id, status, key_version, needs_validation, cards)
    VALUES (new.tenant_id, new.status, new.key_version, new.needs_validation, 1)
    ON CONFLICT DO UPDATE SET cards = cards + 1;
END;

-- The card's highest accepted event (a full copy: the predecessor of the next), what is derived from
-- all of them, and the balances of the card's wallet. A row may lag behind: events above `applied` are
-- not in it yet. Each of those came above the head as it then was, is the journal entry of its money,
-- and is found from the card's newest event by `prev`; whatever else changes a head writes all of it.
CREATE TABLE head (
  card_no         INTEGER PRIMARY KEY REFERENCES card,
  tenant_id       INTEGER NOT NULL,
  -- The highest event; event_id 0 and counter 0 stand for the registration.
  event_id        INTEGER NOT NULL,
  counter         INTEGER NOT NULL CHECK (counter BETWEEN 0 AND 9007199254740991),
  type            INTEGER NOT NULL,
  amount          INTEGER NOT NULL,
  chip_balance    INTEGER NOT NULL CHECK (chip_balance BETWEEN 0 AND 4294967295),
  timestamp_sec   INTEGER NOT NULL,
  hash            INTEGER NOT NULL,
  flags           INTEGER NOT NULL,
  linked          INTEGER NOT NULL CHECK (linked IN (0, 1)),
  start_sec       INTEGER,
  state           INTEGER CHECK (state BETWEEN 0 AND 3 AND state <> 2),
  -- State of the highest event whose state is known, and that event's counter.
  shown_state     INTEGER NOT NULL CHECK (shown_state BETWEEN 0 AND 3 AND shown_state <> 2),
  shown_counter   INTEGER NOT NULL,
  opening_balance INTEGER NOT NULL CHECK (opening_balance BETWEEN 0 AND 4294967295),
  -- Chain events (in order of arrival and counter) and late ones (arrived below the head).
  depth           INTEGER NOT NULL CHECK (depth >= 0),
  late            INTEGER NOT NULL CHECK (late >= 0),
  -- 1 once an event of this card went to quarantine: look there first.
  quarantined     INTEGER NOT NULL CHECK (quarantined IN (0, 1)),
  available       INTEGER NOT NULL CHECK (available BETWEEN -9007199254740991 AND 9007199254740991),
  pending         INTEGER NOT NULL CHECK (pending BETWEEN 0 AND 9007199254740991),
  frozen          INTEGER NOT NULL CHECK (frozen BETWEEN 0 AND 9007199254740991),
  -- Accepted debits of the newest local week seen, by weekday from Monday.
  week            INTEGER NOT NULL,
  d0 INTEGER NOT NULL, d1 INTEGER NOT NULL, d2 INTEGER NOT NULL, d3 INTEGER NOT NULL,
  d4 INTEGER NOT NULL, d5 INTEGER NOT NULL, d6 INTEGER NOT NULL,
  -- Id of the card's last event that is in this row, late ones too.
  applied         INTEGER NOT NULL CHECK (applied >= event_id)
) STRICT;
CREATE INDEX head_overdrawn ON head (tenant_id, card_no) WHERE available + pending < 0;

-- How far heads are complete: no head lacks an event with an id up to `through`. One row, or none.
CREATE TABLE head_round (
  round   INTEGER PRIMARY KEY CHECK (round = 1),
  through INTEGER NOT NULL CHECK (through >= 0)
) STRICT;

-- The same sums for every other week that had a debit.
CREATE TABLE debit_week (
  card_no   INTEGER NOT NULL,
  week      INTEGER NOT NULL,
  tenant_id INTEGER NOT NULL,
  d0 INTEGER NOT NULL, d1 INTEGER NOT NULL, d2 INTEGER NOT NULL, d3 INTEGER NOT NULL,
  d4 INTEGER NOT NULL, d5 INTEGER NOT NULL, d6 INTEGER NOT NULL,
  PRIMARY KEY (card_no, week)
) STRICT, WITHOUT ROWID;

-- What happened to a card besides its events: the rest of its timeline, appended.
CREATE TABLE card_change (
  change_no   INTEGER PRIMARY KEY,
  tenant_id   INTEGER NOT NULL REFERENCES tenant,
  card_no     INTEGER NOT NULL REFERENCES card,
  at_ms       INTEGER NOT NULL,
  kind        TEXT    NOT NULL CHECK (kind IN ('registered', 'topup', 'topup_cancelled', 'report',
                'status', 'decision', 'rekey', 'reissue', 'refund')),
  terminal_id INTEGER,
  actor       TEXT    NOT NULL,
  amount      INTEGER,
  detail      TEXT    NOT NULL CHECK (json_valid(detail))
) STRICT;
CREATE INDEX card_change_card ON card_change (card_no, at_ms);
CREATE TRIGGER card_change_no_update BEFORE UPDATE ON card_change
  BEGIN SELECT RAISE(ABORT, 'card_change is append-only'); END;
CREATE TRIGGER card_change_no_delete BEFORE DELETE ON card_change
  BEGIN SELECT RAISE(ABORT, 'card_change is append-only'); END;

-- A reissue as it was asked for and answered: the same body from the same device gets the same answer.
CREATE TABLE reissue (
  new_card_no  INTEGER PRIMARY KEY REFERENCES card,
  tenant_id    INTEGER NOT NULL REFERENCES tenant,
  old_card_no  INTEGER NOT NULL UNIQUE REFERENCES card,
  device_no    INTEGER NOT NULL REFERENCES device,
  digest       BLOB    NOT NULL CHECK (length(digest) = 32),
  answer       TEXT    NOT NULL CHECK (json_valid(answer))
) STRICT;
