-- Work that one replica at a time may do for a shop, such as sending over a channel's account. `holder` is a replica that
-- has it until `until` by the database's clock; `fence` counts holders, so that an earlier one's late writes are told.
CREATE TABLE lease (
    merchant_id TEXT   NOT NULL,
    name        TEXT   NOT NULL,
    holder      TEXT   NOT NULL,
    fence       BIGINT NOT NULL,
    until       BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, name)
);
