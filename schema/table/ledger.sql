-- Accounts of people and of the house. Card wallets have their identity in `card` and their balances in `head`.
CREATE TABLE wallet (
  wallet_no     INTEGER PRIMARY KEY,
  uuid          TEXT    NOT NULL UNIQUE CHECK (length(uuid) = 36),
  tenant_id     INTEGER NOT NULL REFERENCES tenant,
  kind          TEXT    NOT NULL CHECK (kind IN ('user', 'system')),
  user_no       INTEGER REFERENCES user_account,
  -- cash, suspense, settlement:<terminalId>
  system_key    TEXT,
  currency      TEXT    NOT NULL CHECK (length(currency) = 3),
  label         TEXT    CHECK (length(label) <= 100),
  status        TEXT    NOT NULL CHECK (status IN ('active', 'closed')),
  available     INTEGER NOT NULL CHECK (available BETWEEN -9007199254740991 AND 9007199254740991),
  pending       INTEGER NOT NULL CHECK (pending BETWEEN 0 AND 9007199254740991),
  frozen        INTEGER NOT NULL CHECK (frozen BETWEEN 0 AND 9007199254740991),
  created_at_ms INTEGER NOT NULL,
  updated_at_ms INTEGER NOT NULL,
  version       INTEGER NOT NULL,
  -- Of a person's: its newest transaction, and how many there are. Each names the one before.
  last_txn_no   INTEGER NOT NULL DEFAULT 0,
  txns          INTEGER NOT NULL DEFAULT 0,
  CHECK ((kind = 'system') = (system_key IS NOT NULL)),
  CHECK ((kind = 'user') = (user_no IS NOT NULL)),
  CHECK (available >= 0 OR system_key IN ('cash', 'suspense'))
) STRICT;
CREATE INDEX wallet_kind ON wallet (tenant_id, kind);
CREATE INDEX wallet_user ON wallet (user_no) WHERE user_no IS NOT NULL;
CREATE UNIQUE INDEX wallet_system ON wallet (tenant_id, system_key, currency) WHERE kind = 'system';

-- What people call the wallet of a card; without a row it has the card's name.
CREATE TABLE card_label (
  card_no       INTEGER PRIMARY KEY REFERENCES card,
  tenant_id     INTEGER NOT NULL REFERENCES tenant,
  label         TEXT    CHECK (length(label) <= 100),
  updated_at_ms INTEGER NOT NULL,
  version       INTEGER NOT NULL
) STRICT;

-- Why money moved. A device's debit or credit is no row here but its event row.
CREATE TABLE txn (
  txn_no            INTEGER PRIMARY KEY,
  uuid              TEXT    NOT NULL UNIQUE CHECK (length(uuid) = 36),
  tenant_id         INTEGER NOT NULL REFERENCES tenant,
  type              TEXT    NOT NULL CHECK (type IN ('credit', 'debit', 'hold', 'transfer', 'reversal',
                      'topup', 'card_debit', 'card_credit', 'reissue', 'refund')),
  status            TEXT    NOT NULL CHECK (status IN ('completed', 'held', 'confirmed', 'canceled',
                      'pending', 'parked')),
  -- Which entries the row itself stands for, see `entry`: 0 none, they are postings; 1 available to the
  -- other side's; 2 back from there; 3 a hold: available to frozen, and what its status says after.
  journal           INTEGER NOT NULL DEFAULT 0 CHECK (journal BETWEEN 0 AND 3),
  amount            INTEGER NOT NULL CHECK (amount BETWEEN 0 AND 9007199254740991),
  currency          TEXT    NOT NULL,
  -- Exactly one of each pair, where the transaction has that side. That there is such an account is
  -- proved by `kartu verify`: looking it up at each insert would cost as much as the row.
  wallet_no         INTEGER,
  card_no           INTEGER,
  counter_wallet_no INTEGER,
  counter_card_no   INTEGER,
  -- Where a side is a person's wallet: its transaction before (0: none), so that its statement needs no
  -- index, which would cost a page a transaction.
  prev_no           INTEGER,
  counter_prev_no   INTEGER,
  after_available   INTEGER NOT NULL,
  after_pending     INTEGER NOT NULL,
  after_frozen      INTEGER NOT NULL,
  description       TEXT    CHECK (length(description) <= 500),
  metadata          TEXT    CHECK (json_valid(metadata)),
  reason            TEXT    CHECK (length(reason) <= 500),
  reference_txn_no  INTEGER REFERENCES txn,
  -- A quarantined event that was approved as it stood.
  quarantine_no     INTEGER UNIQUE REFERENCES quarantine,
  ttl_sec           INTEGER,
  expires_at_ms     INTEGER,
  source            TEXT    NOT NULL CHECK (source IN ('platform', 'device')),
  created_by        TEXT    NOT NULL,
  created_at_ms     INTEGER NOT NULL,
  updated_at_ms     INTEGER NOT NULL,
  CHECK (wallet_no IS NULL OR card_no IS NULL),
  CHECK (counter_wallet_no IS NULL OR counter_card_no IS NULL),
  CHECK (journal = 0 OR (wallet_no IS NULL) <> (card_no IS NULL)),
  CHECK (journal NOT IN (1, 2) OR (counter_wallet_no IS NULL) <> (counter_card_no IS NULL)),
  CHECK ((journal = 3) = (type = 'hold')),
  CHECK (journal <> 3 OR (status = 'confirmed') = (counter_wallet_no IS NOT NULL)),
  CHECK ((type = 'hold') = (expires_at_ms IS NOT NULL))
) STRICT;
CREATE INDEX txn_tenant ON txn (tenant_id, txn_no);
CREATE INDEX txn_wallet ON txn (wallet_no) WHERE wallet_no IS NOT NULL AND prev_no IS NULL;
CREATE INDEX txn_card ON txn (card_no) WHERE card_no IS NOT NULL;
CREATE INDEX txn_counter ON txn (counter_wallet_no)
  WHERE counter_wallet_no IS NOT NULL AND counter_prev_no IS NULL;
CREATE INDEX txn_counter_card ON txn (counter_card_no) WHERE counter_card_no IS NOT NULL;
-- Nothing is reversed twice.
CREATE UNIQUE INDEX txn_reversal ON txn (reference_txn_no) WHERE type = 'reversal';
CREATE INDEX txn_held ON txn (wallet_no, card_no) WHERE status = 'held';
CREATE INDEX txn_hold_due ON txn (expires_at_ms) WHERE status = 'held';
-- Its entries stay what they were; only how it ended is added.
CREATE TRIGGER txn_no_change BEFORE UPDATE OF uuid, tenant_id, type, journal, amount, currency, wallet_no,
    card_no, counter_card_no, prev_no, counter_prev_no, reference_txn_no, created_at_ms ON txn
  WHEN (new.uuid, new.tenant_id, new.type, new.journal, new.amount, new.currency, new.created_at_ms)
      <> (old.uuid, old.tenant_id, old.type, old.journal, old.amount, old.currency, old.created_at_ms)
    OR new.wallet_no IS NOT old.wallet_no OR new.card_no IS NOT old.card_no
    OR new.counter_card_no IS NOT old.counter_card_no OR new.prev_no IS NOT old.prev_no
    OR new.counter_prev_no IS NOT old.counter_prev_no OR new.reference_txn_no IS NOT old.reference_txn_no
  BEGIN SELECT RAISE(ABORT, 'txn is append-only'); END;
CREATE TRIGGER txn_ended BEFORE UPDATE OF status, counter_wallet_no ON txn
  WHEN old.status NOT IN ('held', 'pending')
    AND (new.status <> old.status OR new.counter_wallet_no IS NOT old.counter_wallet_no)
  BEGIN SELECT RAISE(ABORT, 'txn has ended'); END;
CREATE TRIGGER txn_no_delete BEFORE DELETE ON txn
  BEGIN SELECT RAISE(ABORT, 'txn is never deleted'); END;

-- The legs of a transaction, or what a decision adds to an event's own two. Signed; appended.
CREATE TABLE posting (
  posting_no INTEGER PRIMARY KEY,
  tenant_id  INTEGER NOT NULL REFERENCES tenant,
  txn_no     INTEGER REFERENCES txn,
  event_id   INTEGER,
  wallet_no  INTEGER REFERENCES wallet,
  card_no    INTEGER REFERENCES card,
  -- 0 available, 1 pending, 2 frozen
  bucket     INTEGER NOT NULL CHECK (bucket BETWEEN 0 AND 2),
  amount     INTEGER NOT NULL CHECK (amount <> 0 AND amount BETWEEN -9007199254740991 AND 9007199254740991),
  at_ms      INTEGER NOT NULL,
  CHECK ((txn_no IS NULL) <> (event_id IS NULL)),
  CHECK ((wallet_no IS NULL) <> (card_no IS NULL))
) STRICT;
CREATE INDEX posting_txn ON posting (txn_no) WHERE txn_no IS NOT NULL;
CREATE INDEX posting_event ON posting (event_id) WHERE event_id IS NOT NULL;
CREATE INDEX posting_wallet ON posting (wallet_no) WHERE wallet_no IS NOT NULL;
CREATE INDEX posting_card ON posting (card_no) WHERE card_no IS NOT NULL;
CREATE TRIGGER posting_no_update BEFORE UPDATE ON posting
  BEGIN SELECT RAISE(ABORT, 'posting is append-only'); END;
CREATE TRIGGER posting_no_delete BEFORE DELETE ON posting
  BEGIN SELECT RAISE(ABORT, 'posting is append-only'); END;

-- A device's top-up: a transaction and what the card's credit needs to find it.
CREATE TABLE topup (
  topup_no           INTEGER PRIMARY KEY REFERENCES txn,
  tenant_id          INTEGER NOT NULL REFERENCES tenant,
  card_no            INTEGER NOT NULL REFERENCES card,
  device_no          INTEGER NOT NULL REFERENCES device,
  amount             INTEGER NOT NULL CHECK (amount BETWEEN 1 AND 4294967295),
  operator_id        INTEGER NOT NULL CHECK (operator_id BETWEEN 0 AND 4294967295),
  timestamp_sec      INTEGER NOT NULL CHECK (timestamp_sec BETWEEN 0 AND 4294967295),
  made_at_ms         INTEGER NOT NULL,
  -- The counter that the write will carry, if the station knew it.
  counter            INTEGER,
  status             TEXT    NOT NULL CHECK (status IN ('pending', 'completed', 'canceled')),
  settled_by         TEXT    CHECK (settled_by IN ('event', 'reissue', 'refund')),
  -- The credit that came for it.
  event_id           INTEGER,
  -- What the first answers said, for their repeats.
  answer_balance     INTEGER NOT NULL,
  answer_counter     INTEGER NOT NULL,
  cancel_balance     INTEGER,
  canceled_instead   INTEGER REFERENCES topup,
  -- 1 once it was told of that its credit does not come.
  stale              INTEGER NOT NULL CHECK (stale IN (0, 1)),
  UNIQUE (card_no, device_no, amount, timestamp_sec),
  CHECK ((status = 'completed') = (settled_by IS NOT NULL))
) STRICT;
-- Top-ups that a credit can still find.
CREATE INDEX topup_awaiting ON topup (card_no)
  WHERE event_id IS NULL AND status <> 'canceled';
-- Those that wait, with what they come to.
CREATE INDEX topup_pending ON topup (tenant_id, made_at_ms, amount) WHERE status = 'pending';
CREATE INDEX topup_unsettled ON topup (made_at_ms) WHERE status = 'pending' AND stale = 0;

-- Every posting there is: the stored ones and those that rows of transactions and of events stand for.
CREATE VIEW entry AS
  SELECT tenant_id, txn_no, event_id, wallet_no, card_no, bucket, amount FROM posting
  UNION ALL SELECT tenant_id, txn_no, NULL, wallet_no, card_no, 0,
      CASE journal WHEN 2 THEN amount ELSE -amount END FROM txn WHERE journal <> 0
  UNION ALL SELECT tenant_id, txn_no, NULL, counter_wallet_no, counter_card_no, 0,
      CASE journal WHEN 2 THEN -amount ELSE amount END FROM txn WHERE journal IN (1, 2)
  UNION ALL SELECT tenant_id, txn_no, NULL, wallet_no, card_no, 2, amount FROM txn WHERE journal = 3
  UNION ALL SELECT tenant_id, txn_no, NULL, wallet_no, card_no, 2, -amount FROM txn
    WHERE journal = 3 AND status <> 'held'
  UNION ALL SELECT tenant_id, txn_no, NULL, counter_wallet_no, NULL, 0, amount FROM txn
    WHERE journal = 3 AND status = 'confirmed'
  UNION ALL SELECT tenant_id, txn_no, NULL, wallet_no, card_no, 0, amount FROM txn
    WHERE journal = 3 AND status = 'canceled'
  UNION ALL SELECT tenant_id, NULL, event_id, NULL, card_no, 0, -amount FROM event WHERE booking = 1
  UNION ALL SELECT e.tenant_id, NULL, e.event_id, d.settlement_wallet_no, NULL, 0, e.amount
    FROM event e JOIN device d ON d.device_no = e.device_no WHERE e.booking = 1
  UNION ALL SELECT tenant_id, topup_no, event_id, NULL, card_no, 1, -amount FROM event WHERE booking = 2
  UNION ALL SELECT tenant_id, topup_no, event_id, NULL, card_no, 0, amount FROM event WHERE booking = 2
  UNION ALL SELECT e.tenant_id, NULL, e.event_id, w.wallet_no, NULL, 0,
      CASE w.system_key WHEN 'cash' THEN -e.amount ELSE e.amount END
    FROM event e JOIN tenant t ON t.tenant_id = e.tenant_id
    JOIN wallet w ON w.tenant_id = e.tenant_id AND w.kind = 'system' AND w.currency = t.currency
      AND w.system_key IN ('cash', 'suspense') WHERE e.booking = 3;
