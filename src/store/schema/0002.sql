-- What a feed's entries are recognised by outlives their texts.

ALTER TABLE feed ADD COLUMN guids TEXT NOT NULL DEFAULT 'trusted'; -- or random: then ignored
ALTER TABLE feed ADD COLUMN guids_since INTEGER;                   -- when that last changed
ALTER TABLE feed ADD COLUMN guid_signs INTEGER NOT NULL DEFAULT 0; -- documents in a row against it
ALTER TABLE feed ADD COLUMN newest_date INTEGER;                   -- the latest date its entries claimed
UPDATE feed SET newest_date = (SELECT max(published) FROM entry
    WHERE feed_id = feed.id AND published <= entry.first_seen);

-- Anew, because a key now stays when its entry goes. It has no index by entry:
-- one would double its size, and only the sweep asks that way.
CREATE TABLE entry_key_2 (
    feed_id INTEGER NOT NULL REFERENCES feed (id),
    kind INTEGER NOT NULL,             -- 1 GUID, 2 link, 3 words
    key BLOB NOT NULL,
    entry_id INTEGER NOT NULL,         -- of an entry or a tombstone
    PRIMARY KEY (feed_id, kind, key)
) STRICT, WITHOUT ROWID;
INSERT INTO entry_key_2 (feed_id, kind, key, entry_id)
    SELECT feed_id, CASE kind WHEN 'guid' THEN 1 WHEN 'link' THEN 2 ELSE 3 END, key, entry_id
    FROM entry_key;
DROP TABLE entry_key;
ALTER TABLE entry_key_2 RENAME TO entry_key;

-- What is left of an entry after its texts were forgotten.
CREATE TABLE tombstone (
    id INTEGER PRIMARY KEY,            -- the entry's; never given to another
    feed_id INTEGER NOT NULL REFERENCES feed (id),
    last_seen INTEGER NOT NULL,
    published INTEGER,
    has_guid INTEGER NOT NULL,
    link_key BLOB,
    title_key BLOB NOT NULL
) STRICT;
CREATE INDEX tombstone_last_seen ON tombstone (last_seen);

-- Titles that a feed had, for when most of it looks new at once.
CREATE INDEX entry_title ON entry (feed_id, title_key);

-- Tells a clock that jumped from time that went by.
CREATE TABLE clock (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    seen_at INTEGER NOT NULL,          -- the last look
    steady_since INTEGER NOT NULL      -- no jump, no long stop since then
) STRICT;
