-- What goes first where a vendor's limits hold messages back (answer, news, offer), and from when on a message is not
-- tried any more, where there is such a time.
ALTER TABLE outbox ADD COLUMN urgency TEXT NOT NULL DEFAULT 'answer';
ALTER TABLE outbox ADD COLUMN expires_at BIGINT;
-- By which messages are found that nobody has taken up.
CREATE INDEX outbox_due ON outbox (channel, due_at) WHERE failed = 0;
