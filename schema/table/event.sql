-- Accepted events of cards, appended. (card, counter) is unique by the rules of the writer and proved
-- by `kartu verify`; an index on it would cost a page an event. The row is also the journal entry:
-- its postings are those of the view `entry`.
CREATE TABLE event (
  event_id      INTEGER PRIMARY KEY,
  tenant_id     INTEGER NOT NULL,
  card_no       INTEGER NOT NULL,
  batch_no      INTEGER NOT NULL,
  device_no     INTEGER NOT NULL,
  counter       INTEGER NOT NULL CHECK (counter BETWEEN 1 AND 9007199254740991),
  -- 0 debit, 1 credit, 2 checkin, 3 checkout, 15 admin
  type          INTEGER NOT NULL CHECK (type BETWEEN 0 AND 3 OR type = 15),
  amount        INTEGER NOT NULL CHECK (amount BETWEEN 0 AND 16777215),
  balance_after INTEGER NOT NULL CHECK (balance_after BETWEEN 0 AND 4294967295),
  timestamp_sec INTEGER NOT NULL CHECK (timestamp_sec BETWEEN 0 AND 4294967295),
  -- 48 bits
  hash          INTEGER NOT NULL CHECK (hash BETWEEN 0 AND 281474976710655),
  -- As judged on arrival; later knowledge is in event_amend.
  flags         INTEGER NOT NULL,
  linked        INTEGER NOT NULL,
  start_sec     INTEGER,
  state         INTEGER,
  -- The chain event before (0: none). A late event is off the chain: 0, found by event_place.
  prev          INTEGER NOT NULL,
  late          INTEGER NOT NULL CHECK (late IN (0, 1)),
  -- 0 moves nothing, 1 debit, 2 settles a top-up, 3 parked in suspense, 4 credit of a top-up settled before
  booking       INTEGER NOT NULL CHECK (booking BETWEEN 0 AND 4),
  topup_no      INTEGER,
  CHECK ((topup_no IS NOT NULL) = (booking = 2 OR booking = 4))
) STRICT;
-- Credits that nobody had announced: few.
CREATE INDEX event_parked ON event (tenant_id) WHERE booking = 3;
CREATE TRIGGER event_no_update BEFORE UPDATE ON event
  BEGIN SELECT RAISE(ABORT, 'event is append-only'); END;
CREATE TRIGGER event_no_delete BEFORE DELETE ON event
  BEGIN SELECT RAISE(ABORT, 'event is append-only'); END;

-- Where to find an event of a card: every 32nd of its chain, and every one that came late.
CREATE TABLE event_place (
  card_no   INTEGER NOT NULL,
  late      INTEGER NOT NULL CHECK (late IN (0, 1)),
  counter   INTEGER NOT NULL,
  event_id  INTEGER NOT NULL,
  tenant_id INTEGER NOT NULL,
  PRIMARY KEY (card_no, late, counter)
) STRICT, WITHOUT ROWID;

-- What a filled gap, a conflict or a decision teaches about an event that is recorded already.
CREATE TABLE event_amend (
  event_id  INTEGER PRIMARY KEY,
  tenant_id INTEGER NOT NULL,
  flags     INTEGER NOT NULL,
  linked    INTEGER NOT NULL,
  start_sec INTEGER,
  state     INTEGER
) STRICT;

-- Events whose predecessor is not known: a hole below them.
CREATE TABLE event_hole (
  card_no   INTEGER NOT NULL,
  counter   INTEGER NOT NULL,
  tenant_id INTEGER NOT NULL,
  event_id  INTEGER NOT NULL,
  since_sec INTEGER NOT NULL,
  flagged   INTEGER NOT NULL CHECK (flagged IN (0, 1)),
  PRIMARY KEY (card_no, counter)
) STRICT, WITHOUT ROWID;
CREATE INDEX event_hole_since ON event_hole (since_sec) WHERE flagged = 0;
