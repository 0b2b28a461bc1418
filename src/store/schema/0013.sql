-- How many of the highest row numbers were forgotten. Rows are numbered from
-- the highest number that is left, so that number alone would count too few
-- from then on, and fall.
CREATE TABLE forgotten (
    what TEXT PRIMARY KEY,
    count INTEGER NOT NULL
) STRICT;
CREATE TRIGGER forget_story AFTER DELETE ON story
WHEN old.id > (SELECT coalesce(max(id), 0) FROM story) BEGIN
    INSERT INTO forgotten VALUES ('story', old.id - (SELECT coalesce(max(id), 0) FROM story))
    ON CONFLICT (what) DO UPDATE SET count = count + excluded.count;
END;
CREATE TRIGGER forget_match AFTER DELETE ON match
WHEN old.id > (SELECT coalesce(max(id), 0) FROM match) BEGIN
    INSERT INTO forgotten VALUES ('match', old.id - (SELECT coalesce(max(id), 0) FROM match))
    ON CONFLICT (what) DO UPDATE SET count = count + excluded.count;
END;
CREATE TRIGGER forget_alert AFTER DELETE ON alert
WHEN old.id > (SELECT coalesce(max(id), 0) FROM alert) BEGIN
    INSERT INTO forgotten VALUES ('alert', old.id - (SELECT coalesce(max(id), 0) FROM alert))
    ON CONFLICT (what) DO UPDATE SET count = count + excluded.count;
END;
-- A tombstone has the number of its entry.
CREATE TRIGGER forget_tombstone AFTER DELETE ON tombstone
WHEN old.id > max((SELECT coalesce(max(id), 0) FROM entry),
                  (SELECT coalesce(max(id), 0) FROM tombstone)) BEGIN
    INSERT INTO forgotten VALUES ('entry',
        old.id - max((SELECT coalesce(max(id), 0) FROM entry),
                     (SELECT coalesce(max(id), 0) FROM tombstone)))
    ON CONFLICT (what) DO UPDATE SET count = count + excluded.count;
END;
-- What status and monitoring ask of waiting deliveries, without a look at the rows.
CREATE INDEX delivery_since ON delivery (channel, coalesce(first_try, due_at))
    WHERE state = 'waiting';
CREATE INDEX delivery_held ON delivery (channel)
    WHERE state = 'waiting' AND first_try IS NULL AND reason IS NOT NULL;
