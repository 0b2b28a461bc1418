-- Feeds by their last attempt: a single round asks for those not tried yet,
-- and reads no further than it must.
CREATE INDEX feed_tried ON feed (last_attempt) WHERE active = 1;
