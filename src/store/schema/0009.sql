-- What a receiver was told, for its budget: thousands that a digest gathered
-- must not be looked through for each decision.
CREATE INDEX delivery_budget ON delivery (channel, recipient, first_try)
    WHERE first_try IS NOT NULL AND role <> 'notice' AND state <> 'gathered';

-- How the feeds of a host do, every few seconds.
CREATE INDEX feed_host ON feed (host) WHERE active = 1;
CREATE INDEX notice_open ON notice (told) WHERE told <> 1;
