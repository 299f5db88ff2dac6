-- For lists by time alone: partial, so that nobody takes it for the way to one conversation because it begins with the shop
-- too, as PostgreSQL does while its tables are new.
DROP INDEX conversation_last;
CREATE INDEX conversation_last ON conversation (merchant_id, last_at) WHERE last_at > 0;
