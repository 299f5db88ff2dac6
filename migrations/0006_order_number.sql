-- The last order number of a shop, by itself: whoever takes one waits for nobody who changes the shop, and the other way
-- round.
CREATE TABLE order_number (
    merchant_id TEXT   NOT NULL,
    last        BIGINT NOT NULL,
    PRIMARY KEY (merchant_id)
);
INSERT INTO order_number (merchant_id, last) SELECT merchant_id, next_order - 1 FROM merchant WHERE next_order > 1;
ALTER TABLE merchant DROP COLUMN next_order;
