-- Names that staff have given to goods: suggested by their corrections, live once one of them has approved it. `phrase`
-- is the name folded for comparison, `thing` JSON: a product, or a choice of a group. `standing` is suggested, approved
-- or dismissed; `times` counts the corrections that said so, `seq` is the customer's message of the last one.
CREATE TABLE alias (
    merchant_id     TEXT   NOT NULL,
    phrase          TEXT   NOT NULL,
    thing           TEXT   NOT NULL,
    written         TEXT   NOT NULL,
    language        TEXT   NOT NULL,
    standing        TEXT   NOT NULL,
    times           BIGINT NOT NULL,
    conversation_id TEXT   NOT NULL,
    seq             BIGINT NOT NULL,
    by_name         TEXT   NOT NULL,
    at              BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, phrase, thing)
);
-- A phrase means one thing in a shop.
CREATE UNIQUE INDEX alias_live ON alias (merchant_id, phrase) WHERE standing = 'approved';
