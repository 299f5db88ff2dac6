-- The first shop. Types are those that SQLite and PostgreSQL share: TEXT, BIGINT (booleans 0/1, moments in Unix
-- milliseconds UTC, money in minor units). Every table leads with its merchant, by which a large deployment shards.

-- A shop as its files state it. The files are kept as imported, so that they can be exported to the letter.
CREATE TABLE merchant (
    merchant_id TEXT   NOT NULL PRIMARY KEY,
    catalog     TEXT   NOT NULL,
    faq         TEXT   NOT NULL,
    version     BIGINT NOT NULL,
    next_order  BIGINT NOT NULL,
    opened_at   BIGINT NOT NULL
);

CREATE TABLE customer (
    merchant_id TEXT   NOT NULL,
    customer_id TEXT   NOT NULL,
    name        TEXT,
    language    TEXT,
    address     TEXT,
    offers      BIGINT,
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, customer_id)
);

-- One customer on one channel account, with the name that the channel shows. `state` and `desk` are JSON with a version tag; `version` counts turns.
-- `waiting_since` is
-- when a person was called and has not come. `gather_from` is the seq of the first message that waits for its other half, `gather_until` when the waiting ends.
CREATE TABLE conversation (
    merchant_id     TEXT   NOT NULL,
    conversation_id TEXT   NOT NULL,
    channel         TEXT   NOT NULL,
    peer            TEXT   NOT NULL,
    customer_id     TEXT   NOT NULL,
    shown_name      TEXT,
    version         BIGINT NOT NULL,
    state           TEXT   NOT NULL,
    desk            TEXT   NOT NULL,
    language        TEXT,
    next_seq        BIGINT NOT NULL,
    gather_from     BIGINT,
    gather_until    BIGINT,
    orders          BIGINT NOT NULL,
    reachable       BIGINT NOT NULL,
    last_at         BIGINT NOT NULL,
    waiting_since   BIGINT,
    PRIMARY KEY (merchant_id, conversation_id),
    UNIQUE (merchant_id, channel, peer)
);
CREATE INDEX conversation_last ON conversation (merchant_id, last_at);
CREATE INDEX conversation_waiting ON conversation (merchant_id, waiting_since) WHERE waiting_since IS NOT NULL;
CREATE INDEX conversation_gathering ON conversation (merchant_id, gather_until) WHERE gather_until IS NOT NULL;

-- What arrived, so that what comes twice counts once. `seq` is the message that it became, if it became one.
CREATE TABLE inbox (
    merchant_id     TEXT   NOT NULL,
    channel         TEXT   NOT NULL,
    foreign_id      TEXT   NOT NULL,
    conversation_id TEXT   NOT NULL,
    seq             BIGINT,
    received_at     BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, channel, foreign_id)
);

-- All that was said, by whom: author is customer, bot, staff or note; kind is text or what stood in its place.
CREATE TABLE message (
    merchant_id     TEXT   NOT NULL,
    conversation_id TEXT   NOT NULL,
    seq             BIGINT NOT NULL,
    author          TEXT   NOT NULL,
    by_name         TEXT,
    kind            TEXT   NOT NULL,
    body            TEXT   NOT NULL,
    buttons         TEXT,
    at              BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, conversation_id, seq)
);

-- Messages that a vendor has not taken yet. A row goes when it was taken; one that never will be stays with its fault.
CREATE TABLE outbox (
    merchant_id     TEXT   NOT NULL,
    conversation_id TEXT   NOT NULL,
    seq             BIGINT NOT NULL,
    channel         TEXT   NOT NULL,
    due_at          BIGINT NOT NULL,
    attempts        BIGINT NOT NULL,
    fault           TEXT,
    failed          BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, conversation_id, seq)
);

-- `readback` is the seq of the message that the customer said yes to: one order for each, whatever is repeated.
CREATE TABLE orders (
    merchant_id     TEXT   NOT NULL,
    order_id        TEXT   NOT NULL,
    number          BIGINT NOT NULL,
    conversation_id TEXT   NOT NULL,
    readback        BIGINT NOT NULL,
    customer_id     TEXT   NOT NULL,
    language        TEXT   NOT NULL,
    status          TEXT   NOT NULL,
    version         BIGINT NOT NULL,
    cart            TEXT   NOT NULL,
    line_totals     TEXT   NOT NULL,
    currency        TEXT   NOT NULL,
    fee             BIGINT NOT NULL CHECK (fee >= 0),
    total           BIGINT NOT NULL CHECK (total >= 0),
    fulfilment      TEXT   NOT NULL,
    name            TEXT   NOT NULL,
    address         TEXT,
    zone            TEXT,
    placed_at       BIGINT NOT NULL,
    not_before      BIGINT,
    due             BIGINT,
    reason          TEXT,
    note            TEXT,
    moved_at        BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, order_id),
    UNIQUE (merchant_id, number),
    UNIQUE (merchant_id, conversation_id, readback)
);
CREATE INDEX orders_moved ON orders (merchant_id, moved_at);
CREATE INDEX orders_open ON orders (merchant_id, placed_at)
    WHERE status IN ('placed', 'accepted', 'ready', 'out_for_delivery');
CREATE INDEX orders_customer ON orders (merchant_id, customer_id, placed_at);

-- Each move of an order, with its actor: customer, bot, or the name of a member of the staff.
CREATE TABLE order_move (
    merchant_id TEXT   NOT NULL,
    order_id    TEXT   NOT NULL,
    version     BIGINT NOT NULL,
    status      TEXT   NOT NULL,
    actor       TEXT   NOT NULL,
    at          BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, order_id, version)
);

-- Arrivals whose turn failed, kept whole with the fault, until somebody looks.
CREATE TABLE aside (
    merchant_id TEXT   NOT NULL,
    channel     TEXT   NOT NULL,
    foreign_id  TEXT   NOT NULL,
    peer        TEXT   NOT NULL,
    raw         TEXT   NOT NULL,
    fault       TEXT   NOT NULL,
    at          BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, channel, foreign_id)
);

-- Who may sign in. `login` is the name folded for comparison; `password` an argon2id hash.
CREATE TABLE staff (
    merchant_id TEXT   NOT NULL,
    staff_id    TEXT   NOT NULL,
    name        TEXT   NOT NULL,
    login       TEXT   NOT NULL,
    password    TEXT   NOT NULL,
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, staff_id),
    UNIQUE (merchant_id, login)
);

-- Sign-ins. Only a hash of the token is kept.
CREATE TABLE session (
    merchant_id TEXT   NOT NULL,
    token       TEXT   NOT NULL,
    staff_id    TEXT   NOT NULL,
    created_at  BIGINT NOT NULL,
    seen_at     BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, token)
);

-- Single values, such as the hash of the first-start link.
CREATE TABLE keepsake (
    merchant_id TEXT NOT NULL,
    name        TEXT NOT NULL,
    value       TEXT NOT NULL,
    PRIMARY KEY (merchant_id, name)
);
